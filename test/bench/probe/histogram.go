package probe

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is less than 1 % of their value, as HDR histograms do. Nanoseconds to
// two hours. The zero value is empty. It belongs to one goroutine.
type Histogram struct {
	counts [(64 - fine) << fine]uint64
	n      uint64
	max    time.Duration
}

// fine is the number of bits of a value that tell buckets apart.
const fine = 7

// bucket gives values below 2^fine a bucket each, and 2^(fine-1) buckets to every power of two above.
func bucket(v uint64) int {
	if v < 1<<fine {
		return int(v)
	}
	shift := bits.Len64(v) - fine
	return shift<<(fine-1) + int(v>>shift)
}

// value is the largest that falls into a bucket.
func value(b int) uint64 {
	if b < 1<<fine {
		return uint64(b)
	}
	shift := b>>(fine-1) - 1
	return uint64(b-shift<<(fine-1)+1)<<shift - 1
}

// Add counts a duration; a negative one counts as none.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.n++
	h.max = max(h.max, d)
}

// Merge adds what another one has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.n += other.n
	h.max = max(h.max, other.max)
}

// Count is how many were counted.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest, exact.
func (h *Histogram) Max() time.Duration { return h.max }

// At is the duration that a share q of all do not exceed, to within a bucket.
func (h *Histogram) At(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q*float64(h.n-1)) + 1
	for b, n := range h.counts {
		if n >= rank {
			return min(time.Duration(value(b)), h.max)
		}
		rank -= n
	}
	return h.max
}
