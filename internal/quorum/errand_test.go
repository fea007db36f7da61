package quorum

import "testing"

// TestErrand: what comes of an errand is given once, whoever received it, and waited for only while there is something to wait for.
func TestErrand(t *testing.T) {
	w := newErrand[int]()
	if _, ok := w.take(); ok {
		t.Error("something came of nothing")
	}
	if _, ok := w.wait(); ok {
		t.Error("something was waited for that was never begun")
	}
	inPlace := func(f func()) { f() }
	w.begin(inPlace, func() int { return 1 })
	if got, ok := w.take(); got != 1 || !ok || w.running {
		t.Errorf("taken %d, %t", got, ok)
	}
	w.begin(inPlace, func() int { return 2 })
	received := <-w.done
	w.got = &received
	if got, ok := w.wait(); got != 2 || !ok {
		t.Errorf("what was received before is %d, %t", got, ok)
	}
	hold := make(chan struct{})
	w.begin(func(f func()) { go f() }, func() int { <-hold; return 3 })
	if got, ok := w.take(); ok || !w.running {
		t.Errorf("taken %d before it was there", got)
	}
	close(hold)
	if got, ok := w.wait(); got != 3 || !ok || w.running {
		t.Errorf("waited for %d, %t", got, ok)
	}
	if _, ok := w.take(); ok {
		t.Error("it came twice")
	}
}
