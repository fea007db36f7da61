package records

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/span"
)

// TestSieve asks of three records which are kept: an ordinary one, one of nulls, one of bytes that are no text.
func TestSieve(t *testing.T) {
	records := map[string]*kgo.Record{
		"a": {Key: []byte("Customer-47"), Value: []byte("line one\nline two"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("xyz")}, {Key: "n"}}},
		"b": {},
		"c": {Key: []byte{0xff, 0}, Value: []byte("a.b")},
	}
	f := func(v sieve, want string) {
		t.Helper()
		if err := v.compile(); err != nil {
			t.Fatal(err)
		}
		var got string
		for _, name := range []string{"a", "b", "c"} {
			if v.keep(records[name]) {
				got += name
			}
		}
		if got != want {
			t.Errorf("kept %q, want %q", got, want)
		}
	}
	f(sieve{key: "^customer-"}, "")
	f(sieve{key: "^customer-", fold: true}, "a")
	f(sieve{value: "two$"}, "a")
	f(sieve{value: "(?m)one$"}, "a")
	f(sieve{any: "xyz|a.b"}, "ac")
	f(sieve{any: "."}, "ac")
	f(sieve{any: "^$"}, "ab") // also a null, and the null of a header
	f(sieve{value: "^$"}, "") // a null value has none
	f(sieve{tombstones: true}, "b")
	f(sieve{tombstones: true, invert: true}, "ac")
	f(sieve{headers: []string{"h"}}, "a")
	f(sieve{headers: []string{"h=^x", "n"}}, "a")
	f(sieve{headers: []string{"h=^y"}}, "")
	f(sieve{fixed: true, value: "a.b"}, "c")
	f(sieve{fixed: true, key: `\xff\0`}, "c")
	f(sieve{key: "47", value: "a.b"}, "")

	wrong := func(v sieve, want string) {
		t.Helper()
		if err := v.compile(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	wrong(sieve{}, "want something to search for")
	wrong(sieve{headers: []string{"h=("}}, `--header "("`)
	wrong(sieve{fixed: true, key: `\q`}, `--key`)
	wrong(sieve{fixed: true, fold: true, key: "a"}, "--ignore-case")
}

func TestSpots(t *testing.T) {
	f := func(s string, topic string, partition int32, want span.Place) {
		t.Helper()
		got, err := parseSpot(s)
		if err != nil || got.Topic != topic || got.Partition != partition || got.at != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	f("orders/0@47", "orders", 0, span.Place{Kind: span.Exact, N: 47})
	f("a.b_c-d/12@start", "a.b_c-d", 12, span.Place{Kind: span.Start})
	f("t/1@-1", "t", 1, span.Place{Kind: span.BeforeEnd, N: 1})
	f("t/1@+2", "t", 1, span.Place{Kind: span.FromStart, N: 2})
	for _, s := range []string{"", "t", "t/1", "t@1", "t/@1", "t/1@", "t/-1@1", "t/1@x", "t/1/2@3", "t@1/2", "ž/1@1"} {
		if _, err := parseSpot(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

// Ten records a second: the eleventh has to wait a second from the first. Of a pause no more than the slack is made up for.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		eleven := func(pause, want time.Duration) {
			t.Helper()
			began, p := time.Now(), newPace(10, time.Now)
			for i := range 11 {
				if i == 5 {
					timer := time.NewTimer(pause)
					<-timer.C
				}
				if !p.wait(t.Context()) {
					t.Fatal("the context has ended")
				}
			}
			if took := time.Since(began); took != want {
				t.Errorf("with a pause of %v: took %v", pause, took)
			}
		}
		eleven(0, time.Second)
		eleven(200*time.Millisecond, time.Second)
		eleven(10*time.Minute, 10*time.Minute+800*time.Millisecond) // 0.4 s before it, and 0.5 less the slack after it
		slow := newPace(1e-300, time.Now)
		slow.due()
		if wait := slow.due(); wait < never-time.Second {
			t.Errorf("one record in an age: waits %v", wait)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began, p := time.Now(), newPace(0.1, time.Now)
		p.due()
		if p.wait(ctx) || time.Since(began) != 0 {
			t.Errorf("goes on, or waits: %v", time.Since(began))
		}
	})
}

func TestForms(t *testing.T) {
	f := func(form, in, shown string, want any, encoding string) {
		t.Helper()
		d := newDecoding()
		d.value.Value = form
		if got := string(d.value.text([]byte(in))); got != shown {
			t.Errorf("%s of %q is shown as %q", form, in, got)
		}
		got, e := d.value.json([]byte(in))
		if raw, ok := got.(interface{ MarshalJSON() ([]byte, error) }); ok {
			b, _ := raw.MarshalJSON()
			got = string(b)
		}
		if got != want || e != encoding {
			t.Errorf("%s of %q is %v (%s) in JSON", form, in, got, e)
		}
	}
	f("text", "a\xff", "a\xff", "Yf8=", "base64")
	f("json", `{ "a": 1.50 }`, `{"a":1.50}`, `{ "a": 1.50 }`, "json")
	f("json", `{`, `{`, `{`, "")
	f("pretty", `[1]`, "[\n  1\n]", `[1]`, "json")
	f("hex", "az", "617a", "617a", "hex")
	f("base64", "az", "YXo=", "YXo=", "base64")

	d := newDecoding()
	d.key.Value = "json"
	for _, r := range []*kgo.Record{{}, {Key: []byte("1")}, {Key: []byte("x")}, {Value: []byte("x")}} {
		d.check(r)
	}
	if d.wrong != 1 {
		t.Errorf("%d are wrong", d.wrong)
	}
	if shown := d.shown(&kgo.Record{}); shown.Key != nil || shown.Value != nil {
		t.Error("a null is something now")
	}
}
