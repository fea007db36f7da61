package partition

import (
	"testing"
	"time"
)

// TestQuotaKeepsTheRate: over time no more is taken than the rate and one taking, whatever their size.
func TestQuotaKeepsTheRate(t *testing.T) {
	var q quota
	now := time.Unix(0, 0)
	q.take(1<<40, now)
	if q.exceeded(now) {
		t.Error("exceeded without a rate")
	}
	q.set(1000)
	taken, largest := 0, 700
	for range 10_000 {
		now = now.Add(time.Millisecond)
		for n := largest; !q.exceeded(now); n = n*2/3 + 1 {
			q.take(n, now)
			taken += n
		}
	}
	if most := 10*1000 + largest; taken > most || taken < 9*1000 {
		t.Errorf("%d bytes in ten seconds at 1000 a second", taken)
	}
	q.set(1)
	q.take(1<<20, now)
	q.set(1)
	if !q.exceeded(now.Add(10 * time.Second)) {
		t.Error("what is owed is forgotten though the rate is the same")
	}
	q.set(1000)
	if q.exceeded(now) {
		t.Error("what was owed at the old rate holds up the new one")
	}
	q.set(0)
	if !q.exceeded(now.Add(time.Hour)) {
		t.Error("a rate of nothing lets through")
	}
	q.set(-1)
	if q.exceeded(now) {
		t.Error("exceeded after the rate was taken away")
	}
}
