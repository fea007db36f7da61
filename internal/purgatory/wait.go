package purgatory

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Reason says why a Wait is complete.
type Reason int8

const (
	// Satisfied: what was waited for is there, or one of the partitions failed.
	Satisfied Reason = iota
	// Expired: the deadline passed.
	Expired
	// Closed: the purgatory closes, the node stops.
	Closed
)

// Completion is what waits: the handler's parked request.
type Completion interface {
	// Complete is called exactly once, on the goroutine that brought the completion about and outside all locks. It must not block.
	Complete(Reason)
}

// Wait is one parked request. Make it with ForOffsets or ForBytes, add its partitions with Watch, then Park it.
type Wait struct {
	purgatory  *Purgatory
	completion Completion
	countBytes bool
	done       atomic.Bool  // set by whoever completes the wait
	credit     atomic.Int64 // complete at 0 or above
	reason     Reason       // written by whoever set done
	watches    []watch
	one        [1]watch // memory of watches for a single partition

	// Guarded by the wheel's lock.
	deadline   int64 // in ticks
	prev, next *Wait
	onWheel    bool

	nextWake *Wait // in Wakes
}

// building is the credit of a wait that is not parked yet: no bytes complete it.
const building = math.MinInt64 / 2

// ForOffsets returns a wait that is complete when the bounds of all its watches, partitions at most, are reached: a Produce with acks=all.
func (p *Purgatory) ForOffsets(partitions int, c Completion) *Wait {
	return p.newWait(partitions, c, 0)
}

// ForBytes returns a wait that is complete when min bytes have come to its watches together: a Fetch that found have bytes.
// A watch whose bound was reached before it was added completes the wait.
func (p *Purgatory) ForBytes(partitions, have, min int, c Completion) *Wait {
	w := p.newWait(partitions, c, have-min)
	w.countBytes = true
	return w
}

func (p *Purgatory) newWait(partitions int, c Completion, credit int) *Wait {
	w := &Wait{purgatory: p, completion: c}
	if partitions <= 1 {
		w.watches = w.one[:0]
	} else {
		w.watches = make([]watch, 0, partitions)
	}
	w.credit.Store(building + int64(credit))
	return w
}

// Watch adds the bound of a partition: at is the least value of q that counts. Call it at most as often as partitions were announced.
func (w *Wait) Watch(q *Queue, at kafka.Offset) {
	w.watches = append(w.watches, watch{wait: w, at: at})
	if !w.countBytes {
		w.credit.Add(-1)
	}
	if q.add(&w.watches[len(w.watches)-1]) {
		if w.countBytes {
			w.credit.Add(enough)
		} else {
			w.credit.Add(1)
		}
	}
}

// Park lets the wait complete from now on, at the latest at the deadline. If it is complete already it completes within Park.
func (w *Wait) Park(deadline time.Time) {
	w.purgatory.enter(w, deadline)
	if w.credited(-building) {
		w.finish()
	}
}

// credited adds to the credit and reports whether the caller thereby completes the wait: it must finish it, outside locks.
func (w *Wait) credited(n int64) bool {
	return w.credit.Add(n) >= 0 && w.complete(Satisfied)
}

// complete reports whether the caller is the one to finish the wait.
func (w *Wait) complete(r Reason) bool {
	if !w.done.CompareAndSwap(false, true) {
		return false
	}
	w.reason = r
	return true
}

// finish takes the wait off all lists and calls its completion.
func (w *Wait) finish() {
	for i := range w.watches {
		if q := w.watches[i].queue; q != nil {
			q.remove(&w.watches[i])
		}
	}
	w.purgatory.leave(w)
	w.completion.Complete(w.reason)
}

// Wakes is a list of complete waits whose completions are still to be called. The zero value is empty.
type Wakes struct{ first, last *Wait }

func (l *Wakes) push(w *Wait) {
	if l.last == nil {
		l.first = w
	} else {
		l.last.nextWake = w
	}
	l.last = w
}

// Join moves the waits of other to the end of l.
func (l *Wakes) Join(other Wakes) {
	switch {
	case other.first == nil:
	case l.first == nil:
		*l = other
	default:
		l.last.nextWake = other.first
		l.last = other.last
	}
}

// Run calls the completions, in the order in which the waits became complete. Hold no lock.
func (l Wakes) Run() {
	for w := l.first; w != nil; {
		next := w.nextWake
		w.nextWake = nil
		w.finish()
		w = next
	}
}
