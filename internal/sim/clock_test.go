package sim

import (
	"testing"
	"time"
)

// Two stamps differ by what the machine was up between them, whatever people read; a time without that reading is compared by what people read.
func TestStamp(t *testing.T) {
	a, b := stamp(begin, time.Second), stamp(begin.Add(5*time.Hour), 3*time.Second)
	if d := b.Sub(a); d != 2*time.Second {
		t.Errorf("%v between them", d)
	}
	if !a.Round(0).Equal(begin) || a.UnixMilli() != begin.UnixMilli() || b.Add(time.Millisecond).UnixMilli() != begin.Add(5*time.Hour).UnixMilli()+1 {
		t.Errorf("people read %v and %v", a, b)
	}
	if d := b.Sub(begin); d != 5*time.Hour {
		t.Errorf("%v after a time that was read", d)
	}
}
