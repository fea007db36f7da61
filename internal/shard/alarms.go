package shard

import (
	"container/heap"
	"time"
)

// Alarms are the deadlines of a core by key. Moving an alarm to a later time costs no more than a look into a map: a
// heartbeat does that. The zero value is not ready; use NewAlarms.
type Alarms[K comparable] struct {
	at    map[K]time.Time
	queue alarmQueue[K]
}

// NewAlarms returns no alarms.
func NewAlarms[K comparable]() *Alarms[K] {
	return &Alarms[K]{at: make(map[K]time.Time)}
}

// Set sets the alarm of a key, in place of the one that it has.
func (a *Alarms[K]) Set(key K, at time.Time) {
	old, ok := a.at[key]
	a.at[key] = at
	if !ok || at.Before(old) {
		heap.Push(&a.queue, alarm[K]{at, key})
	}
}

// Clear removes the alarm of a key, if it has one.
func (a *Alarms[K]) Clear(key K) { delete(a.at, key) }

// Has reports whether a key has an alarm.
func (a *Alarms[K]) Has(key K) bool {
	_, ok := a.at[key]
	return ok
}

// Next is a time at or before the earliest alarm, the zero time if there is none.
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
	key := heap.Pop(&a.queue).(alarm[K]).key
	delete(a.at, key)
	return key, true
}

// settle brings the earliest entry up to date: alarms that were cleared go, those that moved to later go back in.
func (a *Alarms[K]) settle() {
	for len(a.queue) > 0 {
		first := a.queue[0]
		at, ok := a.at[first.key]
		switch {
		case ok && at.Equal(first.at):
			return
		case ok && at.After(first.at):
			a.queue[0].at = at
			heap.Fix(&a.queue, 0)
		default:
			heap.Pop(&a.queue)
		}
	}
}

type alarm[K comparable] struct {
	at  time.Time
	key K
}

type alarmQueue[K comparable] []alarm[K]

func (q alarmQueue[K]) Len() int           { return len(q) }
func (q alarmQueue[K]) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q alarmQueue[K]) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *alarmQueue[K]) Push(x any)        { *q = append(*q, x.(alarm[K])) }
func (q *alarmQueue[K]) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
