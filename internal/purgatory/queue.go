package purgatory

import (
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// Queue is the waits for one bound of one partition, such as its high watermark. The zero value is an empty queue at bound 0.
type Queue struct {
	mu    sync.Mutex // guards all fields, and the links and armed flags of the watches in the list
	bound kafka.Offset
	head  *watch
}

// watch is one wait's place in one queue.
type watch struct {
	wait       *Wait
	queue      *Queue
	prev, next *watch
	at         kafka.Offset // the bound that is waited for
	linked     bool
}

// Advance moves the bound forward to end, bytes further than before, and returns the waits that are complete by it: run them, holding no
// lock. An end that is not beyond the bound changes nothing.
func (q *Queue) Advance(end kafka.Offset, bytes int) Wakes {
	var done Wakes
	q.mu.Lock()
	if end > q.bound {
		q.bound = end
		for w := q.head; w != nil; {
			next := w.next
			if w.at <= end {
				q.fire(w, bytes, &done)
			}
			w = next
		}
	}
	q.mu.Unlock()
	return done
}

// fire credits a watch whose bound was reached. A wait for offsets counts each of its watches once, a wait for bytes goes on counting.
func (q *Queue) fire(w *watch, bytes int, done *Wakes) {
	credit := int64(bytes)
	if !w.wait.countBytes {
		credit = 1
		q.unlink(w)
	}
	if w.wait.credited(credit) {
		done.push(w.wait)
	}
}

// Fail completes the waits for bytes, and counts the bound as reached for the waits for offsets: the partition moved away or failed, and they
// have to look at it again. The bound becomes end, which may be lower than before.
func (q *Queue) Fail(end kafka.Offset) Wakes {
	var done Wakes
	q.mu.Lock()
	q.bound = end
	for w := q.head; w != nil; {
		next := w.next
		q.fire(w, enough, &done)
		w = next
	}
	q.mu.Unlock()
	return done
}

// enough bytes to complete any wait for bytes.
const enough = 1 << 40

// add puts w into the queue, or reports that its bound has been reached already.
func (q *Queue) add(w *watch) (reached bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bound >= w.at {
		return true
	}
	w.queue, w.linked = q, true
	w.next = q.head
	if q.head != nil {
		q.head.prev = w
	}
	q.head = w
	return false
}

// remove takes w out of the queue if it is still in.
func (q *Queue) remove(w *watch) {
	q.mu.Lock()
	q.unlink(w)
	q.mu.Unlock()
}

func (q *Queue) unlink(w *watch) {
	if !w.linked {
		return
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.linked = nil, nil, false
}

// Len returns how many waits are in the queue.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for w := q.head; w != nil; w = w.next {
		n++
	}
	return n
}
