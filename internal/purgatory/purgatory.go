package purgatory

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Purgatory keeps the deadlines of waits.
type Purgatory struct {
	now  func() time.Time
	wake chan struct{} // holds one token when the earliest deadline came nearer

	mu     sync.Mutex // guards the fields below and the index of the waits
	heap   deadlines
	closed bool
}

// NewPurgatory makes a purgatory with a clock. Run must be running for deadlines to pass.
func NewPurgatory(now func() time.Time) *Purgatory {
	return &Purgatory{now: now, wake: make(chan struct{}, 1)}
}

// Start lets w wait. If what it waits for has happened, it is called back before Start returns.
func (p *Purgatory) Start(w *Wait) {
	w.purgatory = p
	open := p.add(w)
	if !w.state.CompareAndSwap(preparing, waiting) {
		w.state.Store(claimed)
		w.finish(false)
		return
	}
	if (!open || w.need.Load() <= 0) && w.claim() {
		w.finish(false)
	}
}

func (p *Purgatory) add(w *Wait) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	heap.Push(&p.heap, w)
	if w.index == 0 {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	return true
}

func (p *Purgatory) remove(w *Wait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index >= 0 {
		heap.Remove(&p.heap, w.index)
	}
}

// Closed reports whether Run has ended, so that waits are over before they begin.
func (p *Purgatory) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Len is how many waits there are.
func (p *Purgatory) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.heap)
}

// Run completes waits whose deadline has passed, until ctx ends; then it completes all that are left, and later ones
// at once.
func (p *Purgatory) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, ok := p.Step(p.now())
		if !ok {
			timer.Stop()
		} else {
			timer.Reset(next)
		}
		select {
		case <-timer.C:
		case <-p.wake:
		case <-ctx.Done():
			p.close()
			return
		}
	}
}

// Step completes what is due and returns how long it is until the next deadline; false when nothing waits. Run calls it; whoever has no Run
// does.
func (p *Purgatory) Step(now time.Time) (time.Duration, bool) {
	for {
		w, next := p.due(now)
		if w == nil {
			return next, next > 0
		}
		if w.claim() {
			w.finish(false)
		}
	}
}

// due takes out a wait whose deadline has passed, or says how long it is until the first one.
func (p *Purgatory) due(now time.Time) (*Wait, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heap) == 0 {
		return nil, 0
	}
	first := p.heap[0]
	if left := first.deadline.Sub(now); left > 0 {
		return nil, left
	}
	heap.Remove(&p.heap, 0)
	return first, 0
}

func (p *Purgatory) close() {
	p.mu.Lock()
	p.closed = true
	left := make([]*Wait, len(p.heap))
	copy(left, p.heap)
	p.mu.Unlock()
	for _, w := range left {
		if w.claim() {
			w.finish(false)
		}
	}
}

// deadlines is a heap, the earliest first.
type deadlines []*Wait

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].deadline.Before(d[j].deadline) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push implements heap.Interface.
func (d *deadlines) Push(x any) {
	w := x.(*Wait)
	w.index = len(*d)
	*d = append(*d, w)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	w := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	w.index = -1
	return w
}
