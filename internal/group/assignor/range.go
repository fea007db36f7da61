package assignor

import (
	"cmp"
	"slices"
)

// Range gives each subscriber of a topic a range of its partitions: the first ranges to static members in the order of
// their instance ids, the others by member id. Members that subscribe to the same topics of equal size get the same
// partitions of each. It does not look at the targets so far.
func Range(g *Group) []Assignment {
	order := make([]int32, len(g.Members))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return compareStaticFirst(&g.Members[a], &g.Members[b]) })

	o := newOwners(g, union(g))
	subscribers := make([]int, len(o.topics))
	for i := range g.Members {
		for _, id := range g.Members[i].Topics {
			subscribers[o.at[id]]++
		}
	}
	next, served := make([]int, len(o.topics)), make([]int, len(o.topics))
	for _, m := range order {
		for _, id := range g.Members[m].Topics {
			topic := o.at[id]
			partitions := o.of[topic]
			size := len(partitions) / subscribers[topic]
			if served[topic] < len(partitions)%subscribers[topic] {
				size++
			}
			served[topic]++
			for range size {
				partitions[next[topic]] = m
				next[topic]++
			}
		}
	}
	return o.assignments(len(g.Members))
}

func compareStaticFirst(a, b *Member) int {
	switch {
	case a.InstanceID != nil && b.InstanceID != nil:
		return cmp.Compare(*a.InstanceID, *b.InstanceID)
	case a.InstanceID != nil:
		return -1
	case b.InstanceID != nil:
		return 1
	}
	return cmp.Compare(a.ID, b.ID)
}
