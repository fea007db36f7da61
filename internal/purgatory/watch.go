package purgatory

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Bound is an offset of a partition, exclusive, that can be waited for.
type Bound int8

const (
	// LogEnd is the log end offset.
	LogEnd Bound = iota
	// HighWatermark is how far all in-sync replicas hold the log.
	HighWatermark
	// LastStable is the last stable offset.
	LastStable
	// Synced is how far the log is durable, where somebody waits for that.
	Synced

	bounds int = iota // how many there are
)

// BoundOf is the one that limits reads of an isolation.
func BoundOf(i kafka.Isolation) Bound {
	return [...]Bound{kafka.LogEnd: LogEnd, kafka.HighWatermark: HighWatermark, kafka.Committed: LastStable}[i]
}

// Watchers are the waits on one partition. The zero value is ready and holds nothing else.
// The partition calls Advance after it has unlocked.
type Watchers struct {
	mu   sync.Mutex // guards the fields below and the links of the entries in the list
	ends [bounds]kafka.Offset
	// behind is what was appended since a bound moved last, in bytes, as far as it can be counted: it comes into sight when the bound moves.
	behind [bounds]uint32
	first  *entry
}

// entry is one wait's place on one partition.
type entry struct {
	wait       *Wait
	on         *Watchers
	linked     bool
	prev, next *entry
	bound      Bound
	past       kafka.Offset
}

// Advance says that the partition's ends (exclusive) moved and that bytes came in. Ends move back by Cut alone: a call
// that comes late is harmless. Waits that it completes are called back before it returns, or are added to later.
func (w *Watchers) Advance(logEnd, highWatermark, lastStable kafka.Offset, bytes int, later *Woken) {
	var came [bounds]int64
	w.mu.Lock()
	for bound, end := range [...]kafka.Offset{LogEnd: logEnd, HighWatermark: highWatermark, LastStable: lastStable} {
		w.behind[bound] = uint32(min(int64(w.behind[bound])+int64(bytes), math.MaxUint32))
		if end > w.ends[bound] {
			w.ends[bound], came[bound], w.behind[bound] = end, max(int64(w.behind[bound]), 1), 0
		}
	}
	met := w.passed(&came)
	w.mu.Unlock()
	if later != nil {
		later.add(met)
		return
	}
	run(met)
}

// Cut says that the log lost its end, so that bounds moved back: whoever watches from now on waits for them to come again.
func (w *Watchers) Cut(logEnd, highWatermark, lastStable kafka.Offset) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[LogEnd], w.ends[HighWatermark], w.ends[LastStable] = logEnd, highWatermark, lastStable
	w.ends[Synced] = min(w.ends[Synced], logEnd)
}

// Synced says that the log is durable up to end, exclusive. As Advance.
func (w *Watchers) Synced(end kafka.Offset) {
	w.mu.Lock()
	w.ends[Synced] = max(w.ends[Synced], end)
	met := w.passed(new([bounds]int64))
	w.mu.Unlock()
	run(met)
}

// passed counts bounds that have passed, and returns the waits that this completes, linked by Wait.next. The caller holds mu.
func (w *Watchers) passed(came *[bounds]int64) (met *Wait) {
	for e := w.first; e != nil; {
		next := e.next
		if w.ends[e.bound] > e.past && e.wait.contribute(e, came[e.bound]) {
			e.wait.next, met = met, e.wait
		}
		e = next
	}
	return met
}

// Fail completes all waits: the partition lost its leadership, its directory, or is gone.
func (w *Watchers) Fail() {
	var met *Wait
	w.mu.Lock()
	for e := w.first; e != nil; e = e.next {
		if e.wait.claim() {
			e.wait.next, met = met, e.wait
		}
	}
	w.mu.Unlock()
	run(met)
}

// run calls back a list of claimed waits.
func run(met *Wait) {
	for met != nil {
		next := met.next
		met.next = nil
		met.finish(false)
		met = next
	}
}

// Woken are waits that are completed but not called back yet: whoever appended gives its own answer first. The zero value has none.
type Woken struct{ first *Wait }

// helped is how many waits have their work done by whoever woke them. More is done by others, beside its next request.
const helped = 4

func (w *Woken) add(met *Wait) {
	for met != nil {
		next := met.next
		met.next, w.first = w.first, met
		met = next
	}
}

// Run calls them back, the first of them with the time that they need.
func (w *Woken) Run() {
	met := w.first
	w.first = nil
	for n := 0; met != nil && n < helped; n++ {
		next := met.next
		met.next = nil
		met.finish(true)
		met = next
	}
	run(met)
}

// link adds e unless its bound has passed already, which it reports.
func (w *Watchers) link(e *entry) (passed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ends[e.bound] > e.past {
		return true
	}
	e.linked, e.next = true, w.first
	if w.first != nil {
		w.first.prev = e
	}
	w.first = e
	return false
}

// unlink removes e if it is in the list.
func (w *Watchers) unlink(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(e)
}

// drop removes e. The caller holds mu.
func (w *Watchers) drop(e *entry) {
	if !e.linked {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		w.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.linked, e.prev, e.next = false, nil, nil
}

// Kind says how a wait counts.
type Kind int8

const (
	// Each needs every watched bound to pass: a produce.
	Each Kind = iota
	// Bytes needs so many bytes to come in behind the watched bounds, on whichever partition: a fetch.
	Bytes
)

// The states of a wait. Until Start has linked it everywhere nobody else may finish it: one whose need is met before is
// marked, and Start finishes it.
const (
	preparing int32 = iota
	met
	waiting
	claimed
)

// Wait is one reply that waits. Make it with New, tell it what to watch, then give it to Purgatory.Start.
type Wait struct {
	kind     Kind
	deadline time.Time
	done     func(free bool)
	entries  []entry
	single   [1]entry // the memory of entries for one partition, as most have

	need  atomic.Int64 // what is missing
	state atomic.Int32
	next  *Wait // in a list of waits to be called back

	purgatory *Purgatory
	index     int // in the heap of deadlines, -1 when not there
}

// New makes a wait on up to partitions partitions, which calls done once. Free says that the caller has nothing more urgent to do, so
// that done may work, though not wait; otherwise done must be short. For Bytes, need is how many bytes are missing.
func New(kind Kind, partitions int, need int64, deadline time.Time, done func(free bool)) *Wait {
	w := &Wait{kind: kind, deadline: deadline, done: done, index: -1}
	if w.entries = w.single[:0]; partitions > len(w.single) {
		w.entries = make([]entry, 0, partitions)
	}
	if kind == Bytes {
		w.need.Store(need)
	}
	return w
}

// Watch adds a partition: the wait is for its bound to rise above past. It must not be called more often than New was
// told, nor after Start.
func (w *Wait) Watch(on *Watchers, bound Bound, past kafka.Offset) {
	if w.kind == Each {
		w.need.Add(1)
	}
	w.entries = append(w.entries, entry{wait: w, on: on, bound: bound, past: past})
	if on.link(&w.entries[len(w.entries)-1]) {
		if w.kind == Each {
			w.need.Add(-1)
		} else {
			w.claim() // how many bytes came in is not known: let the owner look again
		}
	}
}

// Void says, before Start, that what w waits for can't come any more: Start completes it.
func (w *Wait) Void() { w.claim() }

// contribute counts a passed bound and reports whether that completes the wait. The caller holds the lock of e's list.
func (w *Wait) contribute(e *entry, bytes int64) bool {
	if w.kind == Each {
		e.on.drop(e) // one passing of each bound is enough
		bytes = 1
	} else {
		e.past = e.on.ends[e.bound] - 1 // what comes next counts too
	}
	return w.need.Add(-bytes) <= 0 && (w.kind == Bytes || w.state.Load() != preparing) && w.claim()
}

// claim reports whether the caller is the one who finishes the wait. Before Start nobody is: it leaves a mark.
func (w *Wait) claim() bool {
	if w.state.CompareAndSwap(preparing, met) {
		return false
	}
	return w.state.CompareAndSwap(waiting, claimed)
}

// finish removes a claimed wait from everywhere and calls back.
func (w *Wait) finish(free bool) {
	for i := range w.entries {
		w.entries[i].on.unlink(&w.entries[i])
	}
	if w.purgatory != nil {
		w.purgatory.remove(w)
	}
	w.done(free)
}
