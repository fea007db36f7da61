package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// plan is what a seed draws before all else: which faults there are, and the sizes of things. Few of all at once: a run in which everything
// goes wrong finds less than one in which some things do.
type plan struct {
	duration   time.Duration // with faults
	partitions int32
	producers  int
	consumers  int
	groups     int
	riders     int  // members of a classic group
	flush      bool // flush.messages=1: what is acknowledged survives any power cut
	segment    int  // segment.bytes
	snapshot   int64
	inFlight   int

	loss, slow, duplicate float64
	delay                 time.Duration // the longest
	drift                 float64
	corrupt               float64 // chance that an answer to a follower has a wrong byte in its records
	lateApply             float64 // chance that an image is applied later than it is published

	nodes  int  // the first three vote at first, the fourth has none until it is given one
	voters bool // are in the log (kraft.version 1)
	churn  bool // and come and go
	moves  bool // of partitions to other replicas

	crash, cut, loseWrites, pause, diskError, diskFull, stop, leap, step bool // faults
	every                                                                time.Duration
}

func drawPlan(rng *rand.Rand) plan {
	often := func(p float64) bool { return rng.Float64() < p }
	some := func(p, most float64) float64 {
		if often(p) {
			return rng.Float64() * most
		}
		return 0
	}
	p := plan{
		duration:   time.Duration(8+rng.IntN(12)) * time.Second,
		partitions: 1 + rng.Int32N(3), producers: 1 + rng.IntN(3), consumers: 1 + rng.IntN(2), inFlight: 1 + rng.IntN(5),
		flush: often(0.4), segment: []int{2 << 10, 8 << 10, 1 << 20}[rng.IntN(3)], snapshot: []int64{1 << 10, 4 << 10, 20 << 20}[rng.IntN(3)],
		loss: some(0.5, 0.03), slow: some(0.5, 0.2), duplicate: some(0.4, 0.1), delay: time.Duration(5+rng.IntN([]int{50, 400, 2500}[rng.IntN(3)])) * time.Millisecond,
		groups: rng.IntN(3), drift: some(0.3, 0.05), lateApply: some(0.4, 0.5), corrupt: some(0.2, 0.02),
		crash: often(0.7), cut: often(0.6), pause: often(0.3), diskError: often(0.2), diskFull: often(0.2), stop: often(0.4),
		every: time.Duration(200+rng.IntN(2000)) * time.Millisecond,
	}
	p.voters, p.moves, p.nodes = often(0.4), often(0.4), voting
	p.churn = p.voters
	if p.voters && often(0.6) {
		p.nodes++
	}
	p.leap, p.step = often(0.25), often(0.25)
	if often(0.4) {
		p.riders = 2 + rng.IntN(2)
	}
	p.loseWrites = p.crash && often(0.6)
	return p
}

// String tells what the seed drew.
func (p plan) String() string {
	var faults []string
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"crash", p.crash}, {"lose-writes", p.loseWrites}, {"cut", p.cut}, {"pause", p.pause}, {"disk-error", p.diskError}, {"disk-full", p.diskFull},
		{"stop", p.stop}, {"flush", p.flush}, {"drift", p.drift > 0}, {"loss", p.loss > 0}, {"slow", p.slow > 0}, {"repeat", p.duplicate > 0}, {"late-apply", p.lateApply > 0}, {"corrupt", p.corrupt > 0},
		{"voters", p.churn}, {"leap", p.leap}, {"clock-set", p.step}, {"moves", p.moves},
	} {
		if f.on {
			faults = append(faults, f.name)
		}
	}
	return fmt.Sprintf("%d nodes, %v, a fault every %v, %d partitions, %d producers, %d groups, %d classic members, segments of %d bytes: %s", p.nodes, p.duration, p.every, p.partitions, p.producers, p.groups, p.riders, p.segment, strings.Join(faults, " "))
}
