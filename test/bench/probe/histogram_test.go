package probe

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Every value lies in its bucket, and a bucket is less than 1.6 % wide.
func TestBuckets(t *testing.T) {
	for shift := range 43 {
		for _, v := range []uint64{1 << shift, 1<<shift + 1, 1<<(shift+1) - 1, 3 << shift >> 1} {
			b := bucket(v)
			top := value(b)
			if top < v || b > 0 && value(b-1) >= v {
				t.Errorf("%d is in bucket %d, which ends at %d after %d", v, b, top, value(max(b-1, 0)))
			}
			if float64(top-v) > float64(v)/64 {
				t.Errorf("%d is told as %d", v, top)
			}
		}
	}
}

func TestQuantilesAreThoseOfTheSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b Histogram
	var all []time.Duration
	for i := range 10_000 {
		d := time.Duration(rng.ExpFloat64() * 1e6)
		all = append(all, d)
		if i%2 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	a.Merge(&b)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		exact := all[int(q*float64(len(all)-1))]
		if got := a.At(q); got < exact || float64(got-exact) > float64(exact)/64+1 {
			t.Errorf("quantile %v: %v, and not %v", q, got, exact)
		}
	}
	if a.Count() != 10_000 || a.Max() != all[len(all)-1] {
		t.Errorf("%d values, the longest %v", a.Count(), a.Max())
	}
}

func TestAnEmptyHistogram(t *testing.T) {
	var h Histogram
	if h.At(0.99) != 0 || h.Count() != 0 {
		t.Errorf("%v of %d", h.At(0.99), h.Count())
	}
	h.Add(-time.Second)
	if h.At(1) != 0 || h.Count() != 1 {
		t.Errorf("a clock that goes backwards: %v of %d", h.At(1), h.Count())
	}
}
