package obs

import (
	"testing"
	"time"
)

func TestOnce(t *testing.T) {
	var o Once[string, int]
	at := time.Unix(1e9, 0)
	say := func(after time.Duration, key string, state, kept int, want bool) {
		t.Helper()
		at = at.Add(after)
		if k, got := o.Say(at, key, state); got != want || k != kept {
			t.Errorf("say %d of %s: %v, %d kept; want %v, %d", state, key, got, k, want, kept)
		}
	}
	say(0, "a", 1, 0, true)
	say(time.Minute, "a", 1, 0, false)
	say(0, "b", 1, 0, true)
	say(time.Minute, "a", 1, 0, false)
	say(time.Minute, "a", 2, 2, true) // another state
	say(time.Minute, "a", 1, 0, true) // and back
	say(onceFor-1, "a", 1, 0, false)
	say(1, "a", 1, 1, true) // an hour later
}

// A peer that draws a name for each try has its own tries said, and costs no more memory than this.
func TestOnceForgets(t *testing.T) {
	var o Once[int, string]
	at := time.Unix(1e9, 0)
	for i := range 10 * onceMost {
		if _, say := o.Say(at, i, ""); !say {
			t.Fatalf("%d is new and was not said", i)
		}
		if len(o.said) > onceMost {
			t.Fatalf("%d are remembered, want at most %d", len(o.said), onceMost)
		}
	}
	for i := 9 * onceMost; i < 10*onceMost; i++ {
		if _, say := o.Say(at, i, ""); say {
			t.Fatalf("%d was said twice, though it is among the last %d", i, onceMost)
		}
	}
	if _, say := o.Say(at, 0, ""); !say {
		t.Error("the first is remembered still")
	}
}

func TestOnceForAsLongAsIsAskedFor(t *testing.T) {
	o := Once[string, int]{For: time.Minute}
	at := time.Unix(1e9, 0)
	for _, want := range []struct {
		after time.Duration
		say   bool
	}{{0, true}, {time.Minute - 1, false}, {time.Minute, true}} {
		if _, say := o.Say(at.Add(want.after), "a", 1); say != want.say {
			t.Errorf("after %v: %v", want.after, say)
		}
	}
}

func TestOnceForAsManyAsIsAskedFor(t *testing.T) {
	o := Once[int, string]{Most: 2 * onceMost}
	at := time.Unix(1e9, 0)
	for round := range 2 {
		for i := range 2 * onceMost {
			if _, say := o.Say(at, i, ""); say != (round == 0) {
				t.Fatalf("round %d, %d: said %v", round, i, say)
			}
		}
	}
}
