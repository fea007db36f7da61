package main

import (
	"testing"

	"github.com/ottla/ottla/test/numbered"
)

// A verdict is good only of a run in which something was acknowledged and read.
func TestVerdict(t *testing.T) {
	for _, bad := range []verdict{{}, {acked: 1}, {acked: 1, reads: 1, differing: []string{"x"}}, {acked: 1, reads: 1, Harm: numbered.Harm{Lost: 1}}} {
		if bad.ok() {
			t.Errorf("%+v is well", bad)
		}
	}
	if good := (verdict{acked: 1, reads: 1}); !good.ok() {
		t.Errorf("%+v is not well", good)
	}
}
