package members

import "testing"

// A classic group is stable when all its members are in the generation in which the leader saw them all.
func TestAClassicGroupIsStable(t *testing.T) {
	s := &settling{plan: Plan{Members: 3, Partitions: 6}, n: 3, state: map[member]standing{}, ready: make(chan struct{})}
	a, b, c := &classic{}, &classic{}, &classic{}
	report := func(m member, generation int, whole, want bool) {
		t.Helper()
		s.report(m, standing{generation: generation}, whole)
		if got := closed(s.ready); got != want {
			t.Errorf("generation %d, whole %v: stable is %v", generation, whole, got)
		}
	}
	report(a, 1, false, false) // alone, and leader
	report(b, 2, false, false)
	report(c, 3, false, false) // all have joined, and nobody has seen all
	report(a, 4, true, false)
	report(b, 4, false, false)
	report(c, 4, false, true)
	s.expect(2, c)
	report(a, 4, false, false)
	report(a, 5, true, false)
	report(b, 5, false, true)
}

// A modern group is stable when its members have all partitions between them, and each its share.
func TestAModernGroupIsStable(t *testing.T) {
	s := &settling{plan: Plan{Members: 3, Partitions: 7, Modern: true}, n: 3, state: map[member]standing{}, ready: make(chan struct{})}
	a, b, c := &modern{}, &modern{}, &modern{}
	report := func(m member, partitions int, want bool) {
		t.Helper()
		s.report(m, standing{partitions: partitions}, false)
		if got := closed(s.ready); got != want {
			t.Errorf("%d partitions: stable is %v", partitions, got)
		}
	}
	report(a, 7, false)
	report(b, 0, false)
	report(c, 0, false) // all partitions are owned, but by one
	report(a, 3, false)
	report(b, 2, false)
	report(c, 2, true)
	s.expect(2, c)
	report(a, 3, false)
	report(b, 4, true)
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
