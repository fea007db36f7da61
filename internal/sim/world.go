package sim

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ottla/ottla/internal/sim/check"
)

// World is a cluster and all that is around it.
type World struct {
	seed   uint64
	choice Choice
	always []string // what goes on all the time
	faults int      // so far
	plan   plan
	rng    *rand.Rand
	now    time.Duration // since the beginning
	events events
	count  uint64 // of events that were planned
	hash   *xxh3.Hasher
	out    io.Writer // gets the trace; nil for nobody

	nodes      []*node
	links      map[[2]int]bool // that are cut: from, to
	conns      map[ends]*conn
	clients    []client
	calm       bool // faults have ceased
	spoilt     int  // the bit of an offset that was wrong last
	oracle     oracle
	electorate *electorate // nil while the voters stay
	history    check.History
	seen       map[string]int // what came about, and how often
	failure    error          // the first
}

// event is something that happens at a time.
type event struct {
	at    time.Duration
	order uint64 // of two at one time, the one that was planned first
	what  string
	run   func()
}

type events []*event

// Len implements heap.Interface, as what follows.
func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push adds an event.
func (e *events) Push(x any) { *e = append(*e, x.(*event)) }

// Pop takes the last one.
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return x
}

// after plans something. Without words it is not told in the trace: it is one of many.
func (w *World) after(d time.Duration, what string, run func()) *event {
	w.count++
	e := &event{at: w.now + max(d, 0), order: w.count, what: what, run: run}
	heap.Push(&w.events, e)
	return e
}

// run lets events happen until a time, or until something is wrong.
func (w *World) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until && w.failure == nil {
		e := heap.Pop(&w.events).(*event)
		w.now = e.at
		if e.what != "" {
			w.tell("%s", e.what)
		}
		e.run()
	}
	w.now = max(w.now, until)
}

// tell adds a line to the trace.
func (w *World) tell(format string, args ...any) {
	line := fmt.Sprintf("%10.6f ", w.now.Seconds()) + fmt.Sprintf(format, args...) + "\n"
	_, _ = w.hash.WriteString(line) // which can't fail
	if w.out != nil {
		_, _ = io.WriteString(w.out, line)
	}
}

// sometimes counts that something came about which rarely does.
func (w *World) sometimes(what string) { w.seen[what]++ }

// fail ends the run: something is wrong.
func (w *World) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf(format, args...)
		w.tell("WRONG: %v", w.failure)
	}
}

// chance is true with a probability.
func (w *World) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between draws a time.
func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}
