package row

import (
	"testing"

	"github.com/ottla/ottla/test/bench/card"
)

// Every series of the scorecard that can run has a workload, and no workload is without its series.
func TestWorkloadsAreThoseOfTheScorecard(t *testing.T) {
	all, seen := All(), map[string]bool{}
	for _, r := range card.Rows {
		if (r.Cannot == "") != (len(r.Series) > 0) {
			t.Errorf("row %d has %d series, and can't run because %q", r.Number, len(r.Series), r.Cannot)
		}
		for _, s := range r.Series {
			key := r.Key(s)
			w := all[key]
			if w == nil {
				t.Errorf("%d %s: there is no workload %q", r.Number, s.Name, key)
				continue
			}
			if w.Pinned != r.Pinned && s.Same == "" || w.Alone != s.Alone {
				t.Errorf("%s: pinned %v and alone %v, and the scorecard says otherwise", key, w.Pinned, w.Alone)
			}
			if w.Path == "" && !w.Own {
				t.Errorf("%s warms up no path", key)
			}
			seen[key] = true
		}
	}
	for key := range all {
		if !seen[key] {
			t.Errorf("the workload %q is in no row of the scorecard", key)
		}
	}
}
