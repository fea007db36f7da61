//go:build !race

package compress

import (
	"testing"
)

// The race detector empties pools at random, so that allocations are counted without it.

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	src := samples()["64k+1"]
	dst := make([]byte, 0, 1<<20)
	for _, c := range codecs {
		packed, err := Compress(nil, src, c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(50, func() {
			if _, err := Decompress(dst, packed, c, len(src)); err != nil {
				t.Fatal(err)
			}
		})
		if n > 2 { // a pool may be emptied by the collector meanwhile
			t.Errorf("%s: %v allocations per call", c, n)
		}
	}
}
