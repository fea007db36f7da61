package assignor

import (
	"cmp"
	"slices"
)

// scale orders the subscribers of one topic by their load, and tells the lightest and the heaviest in turn while partitions
// move from one end to the other. At each end a range of members stands at the same level: the level changes when each of
// them had its turn, and takes in the members that stand there already.
type scale struct {
	load    []int   // of all members; moves change it
	members []int32 // lightest first, equal ones by index

	light struct{ end, level, next int }
	heavy struct{ start, end, level, next int } // members[end:] were set aside
}

func newScale(load []int) *scale { return &scale{load: load} }

// weigh begins with other subscribers, one at least, and returns the difference between the heaviest and the lightest.
func (s *scale) weigh(subscribers []int32) int {
	s.members = append(s.members[:0], subscribers...)
	slices.SortFunc(s.members, func(a, b int32) int { return cmp.Or(cmp.Compare(s.load[a], s.load[b]), cmp.Compare(a, b)) })
	n := len(s.members)
	lightest, heaviest := s.at(0), s.at(n-1)
	s.light.end, s.light.level, s.light.next = 0, lightest-1, 0
	s.heavy.start, s.heavy.end, s.heavy.level, s.heavy.next = n, n, heaviest+1, n-1
	return heaviest - lightest
}

func (s *scale) at(i int) int { return s.load[s.members[i]] }

// lightest is the member that is to get the next partition.
func (s *scale) lightest() int32 {
	l := &s.light
	if l.next >= l.end {
		l.level++
		for l.end < len(s.members) && s.at(l.end) == l.level {
			l.end++
		}
		l.next = 0
	}
	l.next++
	return s.members[l.next-1]
}

// heaviest is the member that is to give the next partition; false if all were set aside.
func (s *scale) heaviest() (int32, bool) {
	h := &s.heavy
	if h.next < h.start {
		if h.start >= h.end && h.start > 0 {
			h.level = s.at(h.start - 1)
		} else {
			h.level--
		}
		for h.start > 0 && s.at(h.start-1) == h.level {
			h.start--
		}
		h.next = h.end - 1
	}
	if h.next < 0 {
		return 0, false
	}
	h.next--
	return s.members[h.next+1], true
}

// setAside takes out the member that heaviest returned: it has nothing to give.
func (s *scale) setAside() {
	h := &s.heavy
	h.end--
	s.members[h.next+1], s.members[h.end] = s.members[h.end], s.members[h.next+1]
}

// even reports whether the ends have come within one partition of each other.
func (s *scale) even() bool { return s.heavy.level-s.light.level <= 1 }
