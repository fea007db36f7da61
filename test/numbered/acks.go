// Package numbered judges loads whose records are numbers, from 1 on in each partition: what was acknowledged, how long nothing was, and
// what a reader finds of it.
//
// It belongs to the tests (layer T). It knows no client and no server.
package numbered

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Acks is what was acknowledged so far.
type Acks struct {
	mu    sync.Mutex // a leaf: guards what follows
	acked []uint64   // without a gap: all up to here
	last  []time.Time
	gap   time.Duration // the longest since Longest was called
}

// NewAcks begins now.
func NewAcks(partitions int) *Acks {
	a := &Acks{acked: make([]uint64, partitions), last: make([]time.Time, partitions)}
	for p := range a.last {
		a.last[p] = time.Now()
	}
	return a
}

// Add notes that record n of a partition was acknowledged. They must come in order.
func (a *Acks) Add(p int, n uint64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n != a.acked[p]+1 {
		return fmt.Errorf("record %d of partition %d is acknowledged after %d", n, p, a.acked[p])
	}
	a.note(p)
	a.acked[p], a.last[p] = n, time.Now()
	return nil
}

// note takes in how long nothing was acknowledged. Hold the lock.
func (a *Acks) note(p int) { a.gap = max(a.gap, time.Since(a.last[p])) }

// All is the last number of each partition: everything up to it was acknowledged.
func (a *Acks) All() []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.acked)
}

// Longest is the longest time without an acknowledgement in any partition since it was called last.
func (a *Acks) Longest() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := range a.last {
		a.note(p)
	}
	gap := a.gap
	a.gap = 0
	return gap
}
