package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// partitions is how many the topic of a run has.
const partitions = 6

// ledger judges what members read.
type ledger struct {
	owns      map[*process]map[int32]bool
	owner     [partitions]*process // who was assigned the partition last; nil when that one crashed or is mute
	next      [partitions]int64    // the first offset that nobody has read
	committed [partitions]int64
	reads     int
	again     int // reads of what was read before, as at-least-once allows
	faults    []string
}

func newLedger() *ledger { return &ledger{owns: map[*process]map[int32]bool{}} }

func (l *ledger) fault(format string, args ...any) {
	if len(l.faults) < 10 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// take enters one event.
func (l *ledger) take(e event) {
	p := e.from
	if l.owns[p] == nil {
		l.owns[p] = map[int32]bool{}
	}
	if l.contested(e) {
		l.fault("%s was assigned %v, of which another member has some", p.name, e.Assigned)
	}
	for _, id := range e.Assigned {
		l.owns[p][id], l.owner[id] = true, p
	}
	for _, id := range e.Revoked {
		delete(l.owns[p], id)
	}
	for _, m := range e.Read {
		l.read(p, m)
	}
	for id, next := range e.Committed {
		l.committed[id] = next // a commit that was sent again may come behind a later one, and then holds
	}
	if e.Error != "" {
		l.fault("%s: %s", p.name, e.Error)
	}
	if e.ended || e.Left {
		delete(l.owns, p)
	}
}

// contested reports whether an event gives a partition to a member while another one has it.
func (l *ledger) contested(e event) bool {
	for _, id := range e.Assigned {
		for p, ids := range l.owns {
			if p != e.from && ids[id] {
				return true
			}
		}
	}
	return false
}

func (l *ledger) read(p *process, m message) {
	l.reads++
	if want := fmt.Sprintf("%d:%d", m.partition, m.offset); m.value != want {
		l.fault("%s read %q at %s", p.name, m.value, want)
	}
	if owner := l.owner[m.partition]; owner != nil && owner != p {
		l.fault("%s read %d of partition %d, which is %s's", p.name, m.offset, m.partition, owner.name)
	}
	switch next := &l.next[m.partition]; {
	case m.offset > *next:
		l.fault("%s skipped %d to %d of partition %d", p.name, *next, m.offset-1, m.partition)
		*next = m.offset + 1
	case m.offset == *next:
		*next = m.offset + 1
	case m.offset < l.committed[m.partition]:
		l.fault("%s read %d of partition %d again, of which %d was committed", p.name, m.offset, m.partition, l.committed[m.partition])
	default:
		l.again++
	}
}

// crashed forgets whose the partitions of a member are that was killed: it can't say that it gave them up.
func (l *ledger) crashed(p *process) {
	delete(l.owns, p)
	for id, owner := range l.owner {
		if owner == p {
			l.owner[id] = nil
		}
	}
}

// shares says how many partitions each member owns, ascending.
func (l *ledger) shares(members ...*process) []int {
	var n []int
	for _, p := range members {
		n = append(n, len(l.owns[p]))
	}
	slices.Sort(n)
	return n
}

// readTo reports whether everything below the ends was read.
func (l *ledger) readTo(ends [partitions]int64) bool {
	for id, end := range ends {
		if l.next[id] < end {
			return false
		}
	}
	return true
}

// String describes the ledger, for a run that failed.
func (l *ledger) String() string {
	var out []string
	for p, ids := range l.owns {
		out = append(out, fmt.Sprintf("%s owns %v", p.name, slices.Sorted(maps.Keys(ids))))
	}
	slices.Sort(out)
	return fmt.Sprintf("%s; read to %v, committed %v", strings.Join(out, ", "), l.next, l.committed)
}
