package sim

import (
	"io"
	"testing"
)

// Seeds that found something once, and some more: what they found stays found.
//
//	52, 531  (an earlier world) the simulator's own
//	233, 524 a node that lost power led by old metadata, noted an epoch on its shorter log, and could not follow any more
//	84, 302  the process of each node died, one of them with its machine: all registered as having lost something, and the shortest log led
func TestSeeds(t *testing.T) {
	seeds := []uint64{52, 84, 233, 302, 524, 531}
	for seed := range uint64(12) {
		seeds = append(seeds, seed)
	}
	acknowledged := 0
	for _, seed := range seeds {
		r := Run(seed, nil)
		if r.Err != nil {
			t.Errorf("seed %d, which drew %s: %v\nagain: go run ./cmd/ottla-sim -seed %d", seed, r.Plan, r.Err, seed)
		}
		acknowledged += r.Acknowledged
	}
	if acknowledged < 1000 {
		t.Errorf("only %d records were acknowledged", acknowledged)
	}
}

// A seed leads to the same trace, whether somebody reads it or not.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := range uint64(4) {
		first, second := Run(seed, nil), Run(seed, io.Discard)
		if first.Hash != second.Hash || first.Events != second.Events {
			t.Errorf("seed %d: trace %016x of %d events, then %016x of %d", seed, first.Hash, first.Events, second.Hash, second.Events)
		}
	}
	if Run(1, nil).Hash == Run(2, nil).Hash {
		t.Error("two seeds have one trace")
	}
}
