package sim

import (
	"io"
	"testing"
)

// A few seeds in every run of the tests; .ci/run has hundreds. What a seed leads to changes with all that draws, so none is kept for what it once found:
// a bug that comes back is found by others.
func TestSeeds(t *testing.T) {
	seeds := make([]uint64, 16)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	acknowledged := 0
	for _, seed := range seeds {
		r := Run(seed, nil, Choice{})
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
		first, second := Run(seed, nil, Choice{}), Run(seed, io.Discard, Choice{})
		if first.Hash != second.Hash || first.Events != second.Events {
			t.Errorf("seed %d: trace %016x of %d events, then %016x of %d", seed, first.Hash, first.Events, second.Hash, second.Events)
		}
	}
	if Run(1, nil, Choice{}).Hash == Run(2, nil, Choice{}).Hash {
		t.Error("two seeds have one trace")
	}
}
