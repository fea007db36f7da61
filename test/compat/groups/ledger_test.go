package main

import (
	"slices"
	"strings"
	"testing"
)

// The judge itself: what it lets pass, and what it finds.
func TestLedger(t *testing.T) {
	a, b := &process{name: "a"}, &process{name: "b"}
	read := func(p *process, value string, partition int32, offsets ...int64) event {
		e := event{from: p}
		for _, at := range offsets {
			e.Read = append(e.Read, message{partition, at, strings.ReplaceAll(value, "N", string('0'+rune(at)))})
		}
		return e
	}
	assigned := func(p *process, ids ...int32) event { return event{from: p, Assigned: ids} }
	revoked := func(p *process, ids ...int32) event { return event{from: p, Revoked: ids} }
	committed := func(p *process, id int32, next int64) event {
		return event{from: p, Committed: map[int32]int64{id: next}}
	}
	f := func(name string, want []string, events ...event) {
		t.Helper()
		l := newLedger()
		for _, e := range events {
			l.take(e)
		}
		if !slices.Equal(l.faults, want) {
			t.Errorf("%s: it finds %q, want %q", name, l.faults, want)
		}
	}
	f("a partition that goes from hand to hand", nil,
		assigned(a, 0, 1), read(a, "0:N", 0, 0, 1), committed(a, 0, 2), revoked(a, 0), assigned(b, 0), read(b, "0:N", 0, 2))
	f("what was not committed is read again", nil,
		assigned(a, 0), read(a, "0:N", 0, 0, 1, 2), committed(a, 0, 1), revoked(a, 0), assigned(b, 0), read(b, "0:N", 0, 1, 2, 3))
	f("a member that can't tell what it owns", nil, read(a, "0:N", 0, 0), read(b, "0:N", 0, 1))
	f("a gap", []string{"a skipped 1 to 2 of partition 0"}, assigned(a, 0), read(a, "0:N", 0, 0, 3, 4))
	f("what was committed is read again", []string{"b read 1 of partition 0 again, of which 2 was committed"},
		assigned(a, 0), read(a, "0:N", 0, 0, 1), committed(a, 0, 2), revoked(a, 0), assigned(b, 0), read(b, "0:N", 0, 1))
	f("two owners", []string{"b was assigned [0], of which another member has some", "a read 1 of partition 0, which is b's"},
		assigned(a, 0), read(a, "0:N", 0, 0), assigned(b, 0), read(a, "0:N", 0, 1))
	f("another record than was written", []string{`a read "5:0" at 0:0`}, assigned(a, 0), read(a, "5:N", 0, 0))
	f("an error", []string{"a: out of luck"}, event{from: a, Error: "out of luck"})
}

// A member that is killed can't say that it gave up its partitions: the next one owns them without that.
func TestLedgerAfterACrash(t *testing.T) {
	a, b := &process{name: "a"}, &process{name: "b"}
	l := newLedger()
	l.take(event{from: a, Assigned: []int32{0, 1, 2}})
	l.take(event{from: b, Assigned: []int32{3, 4, 5}})
	if got := l.shares(a, b); !slices.Equal(got, []int{3, 3}) {
		t.Errorf("shares %v", got)
	}
	l.crashed(a)
	l.take(event{from: b, Read: []message{{0, 0, "0:0"}}, Assigned: []int32{0}})
	if len(l.faults) > 0 || l.shares(a, b)[0] != 0 || l.shares(a, b)[1] != 4 {
		t.Errorf("%q, %s", l.faults, l)
	}
	if !l.readTo([partitions]int64{1}) || l.readTo([partitions]int64{2}) {
		t.Errorf("read to: %s", l)
	}
}
