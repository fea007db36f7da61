// Package histogram counts durations by size, so that percentiles of millions of them cost a few kilobytes.
//
// Layer 0: it imports nothing of ours.
package histogram

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is less than 1 % of their value, as HDR histograms do: every duration from a
// nanosecond up. The zero value is empty. It belongs to one goroutine.
type Histogram struct {
	counts [(65 - fine) << (fine - 1)]uint64
	n      uint64
	sum    float64 // of seconds
	most   time.Duration
}

// fine is the number of leading bits of a value that tell buckets apart.
const fine = 8

// bucket gives values below 2^fine a bucket each, and 2^(fine-1) buckets to every power of two above.
func bucket(v uint64) int {
	if v < 1<<fine {
		return int(v)
	}
	shift := bits.Len64(v) - fine
	return shift<<(fine-1) + int(v>>shift)
}

// largest is the largest value that falls into a bucket.
func largest(b int) uint64 {
	if b < 1<<fine {
		return uint64(b)
	}
	shift := b>>(fine-1) - 1
	return uint64(b-shift<<(fine-1)+1)<<shift - 1
}

// Add counts a duration; a negative one counts as none.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))]++
	h.n++
	h.sum += d.Seconds()
	h.most = max(h.most, d)
}

// Merge adds what another one has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.n += other.n
	h.sum += other.sum
	h.most = max(h.most, other.most)
}

// Count is how many were counted.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest, exact; 0 of none.
func (h *Histogram) Max() time.Duration { return h.most }

// Mean is their mean, exact but for rounding; 0 of none.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n) * float64(time.Second))
}

// At is the duration that a share q of all, from 0 to 1, do not exceed, to within a bucket; 0 of none.
func (h *Histogram) At(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q*float64(h.n-1)) + 1
	for b, n := range h.counts {
		if n >= rank {
			return min(time.Duration(largest(b)), h.most)
		}
		rank -= n
	}
	return h.most
}
