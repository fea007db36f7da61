package command

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func sample() table {
	return table{number: []bool{false, true, false}, cells: [][]string{
		{"NAME", "SIZE", "NOTE"},
		{"a-rather-long-name-of-a-topic", "7", "x"},
		{"žluťoučký", "12345678", ""},
	}}
}

// TestTables prints one table to ends of several kinds.
func TestTables(t *testing.T) {
	f := func(tty bool, width int, env map[string]string, want string) {
		t.Helper()
		var out bytes.Buffer
		a := NewApp(&World{Out: &out, OutTTY: tty, Width: width, Getenv: func(k string) string { return env[k] }})
		if err := a.Table(sample()); err != nil {
			t.Fatal(err)
		}
		if err := a.Out.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != strings.TrimPrefix(want, "\n") {
			t.Errorf("tty %v, width %d, env %v:\n%s", tty, width, env, got)
		}
	}
	whole := `
NAME                               SIZE  NOTE
a-rather-long-name-of-a-topic         7  x
žluťoučký                      12345678
`
	plain := map[string]string{"NO_COLOR": "1"}
	f(false, 0, nil, whole)
	f(false, 20, nil, whole) // a pipe is never narrow
	f(true, 80, plain, whole)
	f(true, 0, plain, whole)
	f(true, 80, map[string]string{"TERM": "dumb"}, whole)
	f(true, 30, plain, `
NAME                SIZE  NOTE
a-rather-long…         7  x
žluťoučký       12345678
`)
	f(true, 5, plain, `
NAME          SIZE  NOTE
a-rathe…         7  x
žluťouč…  12345678
`) // narrower makes no sense: it is left to the terminal to wrap
	bold := "\x1b[1mNAME                               SIZE  NOTE\x1b[0m"
	coloured := strings.Replace(whole, "NAME                               SIZE  NOTE", bold, 1)
	f(true, 80, nil, coloured)
	f(false, 0, map[string]string{"CLICOLOR_FORCE": "1"}, coloured)
	f(true, 80, map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, whole)
}

func TestObjectsBeginWithKindAndVersion(t *testing.T) {
	var out bytes.Buffer
	a := NewApp(&World{Out: &out})
	for _, v := range []any{struct{}{}, map[string]int{"n": 1}} {
		if err := a.Object("Thing", v); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Out.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"Thing","version":1}` + "\n" + `{"kind":"Thing","version":1,"n":1}` + "\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func TestSuggestions(t *testing.T) {
	known := []string{"create", "delete", "describe", "list", "a", "partitions", "orders"}
	f := func(word, want string) {
		t.Helper()
		if got := DidYouMean(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	f("creat", "did you mean create?")
	f("lsit", "did you mean list?")
	f("partitons", "did you mean partitions?")
	f("ORDERS", "did you mean orders?")
	f("desc", "did you mean describe?") // the beginning of it
	f("delte", "did you mean delete?")
	f("b", "")
	f("x", "")
	f("completely-else", "")
}

func TestProgress(t *testing.T) {
	var seconds int64
	now := func() time.Time { return time.Unix(seconds, 0) }
	var out bytes.Buffer
	a := NewApp(&World{Err: &out, Now: now, ErrTTY: false})
	p := a.Progress("consumed")
	seconds += 4
	p.Add(lookEvery, 1<<20)
	seconds += 2
	p.Add(1, 0) // the clock is not read for each
	p.Add(lookEvery, 1<<20)
	seconds += 1
	p.Done(" to x")
	want := "consumed 129 records (2.0 MiB)… in 6s, 22 records/s, 341.3 KiB/s\nconsumed 129 records (2.0 MiB) to x in 7s, 18 records/s, 292.6 KiB/s\n"
	if out.String() != want {
		t.Errorf("got:\n%s", out.String())
	}
	out.Reset()
	a.World.ErrTTY = true
	p = a.Progress("produced")
	seconds += 1
	p.Add(lookEvery, 2048)
	p.Done("")
	line := "\r\x1b[Kproduced 64 records (2.0 KiB)"
	if out.String() != line+"… in 1s, 64 records/s, 2.0 KiB/s"+line+" in 1s, 64 records/s, 2.0 KiB/s\n" {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	p = a.Progress("copied")
	p.Of(0, -1, 256, 1000)
	seconds += 2
	p.Add(lookEvery, 2048)
	if want := "\r\x1b[Kcopied 64 of 256 records, 25 % (2.0 KiB)… in 2s, 32 records/s, 1.0 KiB/s, 6s left"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	a.Quiet = true
	a.Progress("x").Done("")
	if out.Len() > 0 {
		t.Errorf("quiet, and yet %q", out.String())
	}
}

// A group's id may be anything: a terminal must not obey it.
func TestTablesDoNotObeyNames(t *testing.T) {
	var out bytes.Buffer
	a := NewApp(&World{Out: &out, OutTTY: true, Getenv: func(string) string { return "dumb" }})
	names := TableOf([]string{"\x1b]0;pwned\a\r\"ü\"\n"}, []Column[string]{{Name: "NAME", Value: func(s string) string { return s }}})
	if err := a.Table(names); err != nil {
		t.Fatal(err)
	}
	_ = a.Out.Flush()
	if want := "NAME\n\\x1b]0;pwned\\a\\r\"ü\"\\n\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
