package card

import (
	"strconv"
	"testing"
)

// The rows are those of the scorecard, in order; names and numbers find them; a metric's goals are of one direction.
func TestRows(t *testing.T) {
	names := map[string]bool{}
	for i, r := range Rows {
		if r.Number != i+1 {
			t.Errorf("row %d stands at %d", r.Number, i+1)
		}
		if names[r.Name] || r.Name == "" || r.What == "" {
			t.Errorf("row %d has the name %q and measures %q", r.Number, r.Name, r.What)
		}
		names[r.Name] = true
		for _, name := range append([]string{r.Name, strconv.Itoa(r.Number)}, r.Aliases...) {
			if got, ok := Find(name); !ok || got.Number != r.Number {
				t.Errorf("%q finds row %d", name, got.Number)
			}
		}
		for _, s := range r.Series {
			for _, m := range s.Metrics {
				if m.Kafka[0] > m.Kafka[1] {
					t.Errorf("%s %s: from %v to %v", r.Key(s), m.Name, m.Kafka[0], m.Kafka[1])
				}
				if m.Goal > 0 && m.CardGoal > 0 && (m.CardGoal < m.Goal) == m.Higher && m.CardGoal != m.Goal {
					t.Errorf("%s %s: the scorecard wants less than the milestone", r.Key(s), m.Name)
				}
			}
		}
	}
	if len(Rows) != 24 {
		t.Errorf("%d rows", len(Rows))
	}
	if _, ok := Find("25"); ok {
		t.Error("there is a row 25")
	}
}
