package command

import (
	"bytes"
	"fmt"
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
	clock := time.Unix(0, 0)
	var out bytes.Buffer
	a := NewApp(&World{Err: &out, Now: func() time.Time { return clock }})
	pass := func(d time.Duration) { clock = clock.Add(d) }
	want := func(lines ...string) {
		t.Helper()
		if got := out.String(); got != strings.Join(lines, "") {
			t.Errorf("got:  %q\nwant: %q", got, lines)
		}
		out.Reset()
	}

	p := a.Progress("consumed")
	pass(4 * time.Second)
	p.Add(lookEvery, 1<<20)
	pass(2 * time.Second)
	p.Add(1, 0) // the clock is not read for each
	want()
	p.Add(lookEvery, 1<<20)
	want("consumed 129 records (2.0 MiB)… in 6s, 22 records/s, 341.3 KiB/s\n")
	pass(6 * time.Second)
	p.Look() // nothing that is new
	p.Done(" to x")
	want("consumed 129 records (2.0 MiB) to x in 12s, 11 records/s, 170.7 KiB/s\n")

	a.World.ErrTTY = true
	p = a.Progress("produced")
	pass(time.Second)
	p.Add(lookEvery, 2048)
	p.Done("")
	line := overLine + "produced 64 records (2.0 KiB)"
	want(line, "… in 1s, 64 records/s, 2.0 KiB/s", line, " in 1s, 64 records/s, 2.0 KiB/s\n")

	p = a.Progress("copied")
	p.Of(0, -1, 256, 1000)
	pass(2 * time.Second)
	p.Add(lookEvery, 2048)
	want(overLine, "copied 64 of 256 records, 25 % (2.0 KiB)… in 2s, 32 records/s, 1.0 KiB/s, 6s left")

	// What comes slowly is shown all the same, and that time passes.
	p = a.Progress("copied")
	p.Of(0, -1, 256, 1000)
	pass(redrawEvery)
	p.Add(1, 1024)
	pass(redrawEvery)
	p.Add(1, 1024)
	want(overLine, "copied 1 of 256 records, 0 % (1.0 KiB)… in 200ms, 51s left", overLine, "copied 2 of 256 records, 0 % (2.0 KiB)… in 400ms, 5 records/s, 5.0 KiB/s, 51s left")
	pass(redrawEvery)
	p.Look()
	want(overLine, "copied 2 of 256 records, 0 % (2.0 KiB)… in 600ms, 3 records/s, 3.3 KiB/s, 1m16s left")
	p.Mute()
	pass(time.Second)
	p.Add(1, 1)
	want()
	p.End("")
	want(overLine)

	a.Quiet = true
	a.Progress("x").Done("")
	want()
}

// On one terminal, what is printed takes the place of the drawn line, and no line is drawn behind a line of output that has no end.
func TestProgressMakesRoom(t *testing.T) {
	var out bytes.Buffer
	a := NewApp(&World{Out: &out, Err: &out, Now: time.Now, OutTTY: true, ErrTTY: true, Width: 12})
	l := a.Line()
	say := func(text string) {
		fmt.Fprint(a.Out, text)
		_ = a.Out.Flush()
	}
	l.Show("1 of many things…")
	say("found")
	l.Show("2…")
	say(" one\n")
	l.Show("3…")
	a.Notice("by the way")
	l.End("3 things")
	if got, want := out.String(), overLine+"1 of many t"+overLine+"found one\n"+overLine+"3…"+overLine+"by the way\n3 things\n"; got != want {
		t.Errorf("got:  %q\nwant: %q", got, want)
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
