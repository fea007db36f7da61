package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/test/bench/judge"
)

// describe is a run on one line, for the progress.
func describe(r *judge.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s pair %d %-5s", r.Series, r.Pair+1, r.Side)
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		fmt.Fprintf(&b, "  %s %.4g", name, r.Values[name])
		if c, ok := r.Control[name]; ok {
			fmt.Fprintf(&b, " (echo %.4g)", c)
		}
	}
	fmt.Fprintf(&b, "  [%.1f s, foreign %.0f %%, steal %.1f %%]", r.Took, 100*r.Foreign, 100*r.Steal)
	if r.Disturbed != "" {
		b.WriteString(" dropped: " + r.Disturbed)
	}
	return b.String()
}
