package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/ottla/ottla/test/compat/peer"
)

// Every way in which a step can agree or differ with what Apache Kafka made of it.
func TestJudge(t *testing.T) {
	code := func(n int) *int { return &n }
	result := func(s string) json.RawMessage { return json.RawMessage(s) }
	ref := reference{}
	for _, s := range []step{
		{Step: "same", Result: result(`{"a":1,"b":[2]}`)},
		{Step: "other", Result: result(`1`)},
		{Step: "listed", Result: result(`1`)},
		{Step: "skipped", Skip: "no such call"},
		{Step: "now skipped", Result: result(`1`)},
		{Step: "same code", Error: "at 127.0.0.1:1", Code: code(3)},
		{Step: "other code", Error: "x", Code: code(3)},
		{Step: "missing", Result: result(`1`)},
	} {
		ref[s.Step] = s
	}
	allowed, err := peer.ParseDeviations("| `compat c listed` | | |", "compat")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]state{}
	for _, v := range judge("c", []step{
		{Step: "same", Result: result(`{ "b": [2], "a": 1 }`)},
		{Step: "other", Result: result(`2`)},
		{Step: "listed", Result: result(`2`)},
		{Step: "skipped", Skip: "no such call"},
		{Step: "now skipped", Skip: "no such call"},
		{Step: "same code", Error: "at 127.0.0.1:2", Code: code(3)},
		{Step: "other code", Error: "x", Code: code(4)},
		{Step: "new", Result: result(`1`)},
	}, ref, allowed) {
		got[v.step] = v.state
	}
	want := map[string]state{"same": passed, "other": failed, "listed": deviates, "skipped": skipped, "now skipped": failed,
		"same code": passed, "other code": failed, "new": failed, "missing": failed}
	for name, w := range want {
		if g, ok := got[name]; !ok || g != w {
			t.Errorf("%s: %v (there: %v), want %v", name, g, ok, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("judged %v", got)
	}
}

func TestAgree(t *testing.T) {
	wrote := digest{Count: 2, Hash: "h", Loose: "l", Times: "t"}
	for name, c := range map[string]struct {
		read  digest
		loose bool
		want  bool
	}{
		"same":             {digest{2, "h", "l", "t"}, false, true},
		"fewer":            {digest{1, "h", "l", "t"}, false, false},
		"null is empty":    {digest{2, "x", "l", "t"}, true, true},
		"null is not":      {digest{2, "x", "l", "t"}, false, false},
		"other times":      {digest{2, "h", "l", "u"}, false, false},
		"no times":         {digest{2, "h", "l", ""}, false, true},
		"other in both":    {digest{2, "x", "y", "t"}, true, false},
		"nothing was read": {digest{}, true, false},
	} {
		if got := agree(wrote, c.read, c.loose); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The data set may never change in silence: the references of all clients hold its hashes.
func TestDatasetIsFixed(t *testing.T) {
	all := dataset()
	if len(all) != 48 {
		t.Fatalf("%d records", len(all))
	}
	if !slices.EqualFunc(all, dataset(), func(a, b record) bool {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return string(x) == string(y)
	}) {
		t.Error("two calls differ")
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != datasetSize {
		t.Errorf("the data set has %d bytes as JSON, the references were made of %d: record them anew", len(b), datasetSize)
	}
}

const datasetSize = 3607018
