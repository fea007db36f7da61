package main

import "testing"

// The check finds each kind of harm in a history that it is planted into.
func TestHistory(t *testing.T) {
	for name, test := range map[string]struct {
		read  []uint64
		acked uint64
		want  verdict
	}{
		"good":                {[]uint64{1, 2, 3}, 3, verdict{}},
		"one nobody knows of": {[]uint64{1, 2, 3, 4}, 3, verdict{}},
		"lost":                {[]uint64{1, 3}, 3, verdict{lost: 1}},
		"the last ones lost":  {[]uint64{1}, 3, verdict{lost: 2}},
		"twice":               {[]uint64{1, 2, 2, 3}, 3, verdict{duplicated: 1}},
		"twice, later":        {[]uint64{1, 2, 3, 1}, 3, verdict{duplicated: 1}},
		"order":               {[]uint64{1, 3, 2}, 3, verdict{reordered: 1}},
	} {
		var v verdict
		h := history{v: &v}
		for _, n := range test.read {
			h.add(n)
		}
		h.end(test.acked)
		if v.lost != test.want.lost || v.duplicated != test.want.duplicated || v.reordered != test.want.reordered {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if (&verdict{}).ok() {
		t.Error("nothing was acknowledged, and that is well")
	}
}
