package histogram

import (
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// Every value lies in the bucket that bounds it from above by less than 1 %, up to the largest there is.
func TestBucketsAreFine(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	check := func(v uint64) {
		t.Helper()
		b := bucket(v)
		if top := largest(b); v > top || b > 0 && v <= largest(b-1) {
			t.Fatalf("%d is in bucket %d, which ends at %d", v, b, top)
		} else if float64(top-v) > 0.01*float64(v) {
			t.Fatalf("%d counts as %d", v, top)
		}
	}
	for v := range uint64(10_000) {
		check(v)
	}
	for range 100_000 {
		check(uint64(rnd.Int63()) >> rnd.Intn(63))
	}
	check(math.MaxInt64)
	var h Histogram
	h.Add(math.MaxInt64)
	h.Add(-1)
	if h.Max() != math.MaxInt64 || h.At(0) != 0 {
		t.Errorf("from %v to %v", h.At(0), h.Max())
	}
}

// Percentiles agree with those of the sorted list to within 1 %, also of two that were merged.
func TestPercentiles(t *testing.T) {
	rnd := rand.New(rand.NewSource(2))
	var parts [2]Histogram
	var all []time.Duration
	var sum float64
	for i := range 20_000 {
		d := time.Duration(math.Exp(rnd.NormFloat64()*2+12)) + 1
		parts[i%2].Add(d)
		all = append(all, d)
		sum += float64(d)
	}
	h := parts[0]
	h.Merge(&parts[1])
	slices.Sort(all)
	for _, q := range []float64{0, .5, .9, .99, .999, 1} {
		want := all[int(q*float64(len(all)-1))]
		if got := h.At(q); got < want || float64(got-want) > 0.01*float64(want) {
			t.Errorf("p%v is %v, want %v", q*100, got, want)
		}
	}
	if h.Count() != 20_000 || h.Max() != all[len(all)-1] || math.Abs(float64(h.Mean())/(sum/20_000)-1) > 1e-6 {
		t.Errorf("count %d, max %v, mean %v", h.Count(), h.Max(), h.Mean())
	}
}

func TestNothingCounted(t *testing.T) {
	var h Histogram
	if h.At(.99) != 0 || h.Max() != 0 || h.Mean() != 0 || h.Count() != 0 {
		t.Error("an empty one has durations")
	}
}
