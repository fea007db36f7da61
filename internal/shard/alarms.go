package shard

import (
	"container/heap"
	"time"
)

// Alarms are the deadlines of a core by key. Moving an alarm to a later time costs no more than a look into a map: a
// heartbeat does that. The zero value is not ready; use NewAlarms.
type Alarms[K comparable] struct {
	byKey map[K]*alarm[K]
	queue alarmQueue[K] // one entry for each key
}

// NewAlarms returns no alarms.
func NewAlarms[K comparable]() *Alarms[K] {
	return &Alarms[K]{byKey: make(map[K]*alarm[K])}
}

// Set sets the alarm of a key, in place of the one that it has.
func (a *Alarms[K]) Set(key K, at time.Time) {
	set := a.byKey[key]
	switch {
	case set == nil:
		set = &alarm[K]{key: key, at: at, queued: at}
		a.byKey[key] = set
		heap.Push(&a.queue, set)
	case at.Before(set.queued):
		set.at, set.queued = at, at
		heap.Fix(&a.queue, set.index)
	default:
		set.at = at
	}
}

// Clear removes the alarm of a key, if it has one.
func (a *Alarms[K]) Clear(key K) {
	if set := a.byKey[key]; set != nil {
		heap.Remove(&a.queue, set.index)
		delete(a.byKey, key)
	}
}

// Has reports whether a key has an alarm.
func (a *Alarms[K]) Has(key K) bool { return a.byKey[key] != nil }

// Next is the earliest alarm, the zero time if there is none.
func (a *Alarms[K]) Next() time.Time {
	a.settle()
	if len(a.queue) == 0 {
		return time.Time{}
	}
	return a.queue[0].at
}

// Due takes one alarm that is due at now; false if there is none. Equal times come in no particular order, but the same
// sequence of calls gives the same order.
func (a *Alarms[K]) Due(now time.Time) (K, bool) {
	a.settle()
	if len(a.queue) == 0 || a.queue[0].at.After(now) {
		var none K
		return none, false
	}
	first := a.queue[0]
	a.Clear(first.key)
	return first.key, true
}

// settle brings the earliest entry up to date, if its alarm moved to later.
func (a *Alarms[K]) settle() {
	for len(a.queue) > 0 && a.queue[0].at.After(a.queue[0].queued) {
		a.queue[0].queued = a.queue[0].at
		heap.Fix(&a.queue, 0)
	}
}

type alarm[K comparable] struct {
	key    K
	at     time.Time
	queued time.Time // what the queue has it at: at or before it
	index  int       // in the queue
}

type alarmQueue[K comparable] []*alarm[K]

func (q alarmQueue[K]) Len() int           { return len(q) }
func (q alarmQueue[K]) Less(i, j int) bool { return q[i].queued.Before(q[j].queued) }
func (q alarmQueue[K]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *alarmQueue[K]) Push(x any) {
	pushed := x.(*alarm[K])
	pushed.index = len(*q)
	*q = append(*q, pushed)
}

func (q *alarmQueue[K]) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
