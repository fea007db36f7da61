package purgatory

import (
	"context"
	"math/bits"
	"sync"
	"time"
)

// The wheel: one slot for each tick of a turn. A longer wait stays in its slot for several turns.
const (
	tick  = time.Millisecond
	slots = 1024
	words = slots / 64
)

// Purgatory holds the deadlines of parked waits. Run serves them.
type Purgatory struct {
	now   func() time.Time
	start time.Time
	poke  chan struct{} // an earlier deadline came than Run sleeps for

	mu       sync.Mutex // guards the rest, and the wheel links of waits
	wheel    [slots]*Wait
	occupied [words]uint64 // bit per slot
	size     int
	hand     int64 // tick up to which the wheel was served, inclusive
	sleeping int64 // tick that Run sleeps for; maxTick while it sleeps without end
	closed   bool
}

const maxTick = int64(1)<<62 - 1

// New returns an empty purgatory; now is the clock.
func New(now func() time.Time) *Purgatory {
	return &Purgatory{now: now, start: now(), poke: make(chan struct{}, 1), sleeping: maxTick}
}

// Len returns how many waits are parked.
func (p *Purgatory) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// ticksUntil returns the first tick that is not before t.
func (p *Purgatory) ticksUntil(t time.Time) int64 {
	return int64((t.Sub(p.start) + tick - 1) / tick)
}

// enter puts w on the wheel.
func (p *Purgatory) enter(w *Wait, deadline time.Time) {
	at := p.ticksUntil(deadline)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		if w.complete(Closed) {
			w.finish()
		}
		return
	}
	// A deadline that has passed goes to the next slot that the hand comes to.
	w.deadline = max(at, p.hand+1)
	slot := w.deadline % slots
	w.next = p.wheel[slot]
	if w.next != nil {
		w.next.prev = w
	}
	p.wheel[slot] = w
	p.occupied[slot/64] |= 1 << (slot % 64)
	w.onWheel = true
	p.size++
	early := w.deadline < p.sleeping
	if early {
		p.sleeping = w.deadline
	}
	p.mu.Unlock()
	if early {
		select {
		case p.poke <- struct{}{}:
		default:
		}
	}
}

// leave takes w off the wheel.
func (p *Purgatory) leave(w *Wait) {
	p.mu.Lock()
	p.unlink(w)
	p.mu.Unlock()
}

func (p *Purgatory) unlink(w *Wait) {
	if !w.onWheel {
		return
	}
	slot := w.deadline % slots
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		p.wheel[slot] = w.next
		if w.next == nil {
			p.occupied[slot/64] &^= 1 << (slot % 64)
		}
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.onWheel = nil, nil, false
	p.size--
}

// Run serves deadlines until ctx is done; then it completes all waits, and those that are parked later at once.
func (p *Purgatory) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		if next, ok := p.step(p.now()); ok {
			timer.Reset(next.Sub(p.now()))
		} else {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-p.poke:
		case <-ctx.Done():
		}
	}
	p.close()
}

// step completes the waits that are due and returns when to be called again; false while there is nothing to wait for.
func (p *Purgatory) step(now time.Time) (time.Time, bool) {
	due := int64(now.Sub(p.start) / tick)
	p.mu.Lock()
	expired := p.expire(due)
	next := p.nextTick()
	p.sleeping = next
	p.mu.Unlock()
	expired.Run()
	if next == maxTick {
		return time.Time{}, false
	}
	return p.start.Add(time.Duration(next) * tick), true
}

// expire takes the waits whose tick is due off the wheel.
func (p *Purgatory) expire(due int64) Wakes {
	var expired Wakes
	if p.size > 0 {
		for t := max(p.hand+1, due-slots+1); t <= due; t++ {
			for w := p.wheel[t%slots]; w != nil; {
				next := w.next
				if w.deadline <= due {
					p.unlink(w)
					if w.complete(Expired) {
						expired.push(w)
					}
				}
				w = next
			}
		}
	}
	p.hand = max(p.hand, due)
	return expired
}

// nextTick returns the tick of the next occupied slot, maxTick if there is none.
func (p *Purgatory) nextTick() int64 {
	if p.size == 0 {
		return maxTick
	}
	from := (p.hand + 1) % slots
	for i := int64(0); i <= words; i++ {
		word := (from/64 + i) % words
		set := p.occupied[word]
		if i == 0 {
			set &= ^uint64(0) << (from % 64)
		}
		if set != 0 {
			slot := word*64 + int64(bits.TrailingZeros64(set))
			return p.hand + 1 + (slot-from+slots)%slots
		}
	}
	return maxTick
}

// close completes everything that is parked.
func (p *Purgatory) close() {
	var all Wakes
	p.mu.Lock()
	p.closed = true
	for slot := range p.wheel {
		for w := p.wheel[slot]; w != nil; w = p.wheel[slot] {
			p.unlink(w)
			if w.complete(Closed) {
				all.push(w)
			}
		}
	}
	p.mu.Unlock()
	all.Run()
}
