package planted

import "testing"

// Without the tag there are no bugs; with it one at a time, and those alone that are listed.
func TestBug(t *testing.T) {
	if !Enabled {
		if Bug("vote-forgotten") || len(Names()) > 0 {
			t.Error("a bug in a build without the tag")
		}
		return
	}
	for _, name := range Names() {
		Plant(name)
		for _, other := range Names() {
			if Bug(other) != (other == name) {
				t.Errorf("%s is planted: %s says %t", name, other, Bug(other))
			}
		}
	}
	Plant("")
}
