package numbered_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/test/numbered"
	"github.com/ottla/ottla/test/pause"
)

// Each kind of harm is found in a history that it is planted into.
func TestHistory(t *testing.T) {
	for name, test := range map[string]struct {
		read []uint64
		want numbered.Harm
	}{
		"good":                {[]uint64{1, 2, 3}, numbered.Harm{}},
		"one nobody knows of": {[]uint64{1, 2, 3, 4}, numbered.Harm{}},
		"lost":                {[]uint64{1, 3}, numbered.Harm{Lost: 1}},
		"the last ones lost":  {[]uint64{1}, numbered.Harm{Lost: 2}},
		"all lost":            {nil, numbered.Harm{Lost: 3}},
		"twice":               {[]uint64{1, 2, 2, 3}, numbered.Harm{Duplicated: 1}},
		"twice, in between":   {[]uint64{1, 2, 1, 3}, numbered.Harm{Duplicated: 1}},
		"twice, later":        {[]uint64{1, 2, 3, 1}, numbered.Harm{Duplicated: 1}},
		"order":               {[]uint64{1, 3, 2}, numbered.Harm{Reordered: 1}},
	} {
		var harm numbered.Harm
		h := numbered.NewHistory(&harm)
		for _, n := range test.read {
			h.Add(n)
		}
		h.End(3)
		if harm != test.want {
			t.Errorf("%s: %+v", name, harm)
		}
	}
}

// The longest time without an acknowledgement is that of the worst partition, one that still waits as well.
func TestAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := numbered.NewAcks(2)
		wait := func(d time.Duration) {
			if err := pause.For(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		wait(3 * time.Second)
		if err := a.Add(0, 1); err != nil {
			t.Error(err)
		}
		wait(time.Second)
		if got := a.Longest(); got != 4*time.Second {
			t.Errorf("longest %v", got)
		}
		if err := a.Add(1, 1); err != nil {
			t.Error(err)
		}
		if got := a.Longest(); got != 4*time.Second {
			t.Errorf("longest %v of one that has waited since before", got)
		}
		if got := a.Longest(); got != time.Second {
			t.Errorf("longest %v", got)
		}
		if err := a.Add(1, 3); err == nil {
			t.Error("3 was acknowledged after 1, and that is well")
		}
		if got := a.All(); got[0] != 1 || got[1] != 1 {
			t.Error(got)
		}
	})
}
