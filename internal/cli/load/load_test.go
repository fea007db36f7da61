package load

import (
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	f := func(text string, want int64, shown string) {
		t.Helper()
		var s sizeFlag
		if err := s.Set(text); err != nil || int64(s) != want || s.String() != shown {
			t.Errorf("%q is %d, shown as %q: %v", text, s, s.String(), err)
		}
	}
	f("100", 100, "100")
	f("1KiB", 1024, "1KiB")
	f("4k", 4096, "4KiB")
	f("1MiB", 1<<20, "1MiB")
	f("2 kB", 2000, "2000")
	f("0", 0, "0")
	for _, bad := range []string{"", "-1", "k", "1 mile", "513MiB", "9223372036854775807KiB"} {
		var s sizeFlag
		if s.Set(bad) == nil {
			t.Errorf("%q is taken as %d", bad, s)
		}
	}
}

// A stall of the server does not shift what is intended after it: that is what makes the probe honest.
func TestPaceKeepsItsMoments(t *testing.T) {
	began := time.Unix(1000, 0)
	clock := began
	var moments []time.Duration
	err := pace(t.Context(), func() time.Time { return clock }, 1000, 4, 0, func(intended time.Time) error {
		moments = append(moments, intended.Sub(began))
		clock = clock.Add(10 * time.Millisecond) // each takes ten times too long
		return nil
	})
	want := []time.Duration{0, time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}
	if err != nil || len(moments) != len(want) {
		t.Fatalf("%v, %v", moments, err)
	}
	for i := range want {
		if moments[i] != want[i] {
			t.Errorf("record %d is intended at %v, want %v", i, moments[i], want[i])
		}
	}
}

func TestPaceEndsWithItsTime(t *testing.T) {
	clock := time.Unix(1000, 0)
	n := 0
	err := pace(t.Context(), func() time.Time { return clock }, 0, 0, time.Second, func(time.Time) error {
		n++
		clock = clock.Add(100 * time.Millisecond)
		return nil
	})
	if err != nil || n != 10 {
		t.Errorf("%d records in a second of 100 ms each: %v", n, err)
	}
}
