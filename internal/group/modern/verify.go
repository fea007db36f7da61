package modern

import (
	"fmt"
	"maps"

	"github.com/ottla/ottla/internal/kafka"
)

// Verify returns an error if an invariant of the package does not hold, or what the group counts is not what its members
// amount to. It looks at everything; tests call it.
func (g *Group) Verify() error {
	again := New(g.id, g.env.Scratch())
	owners := make(map[kafka.TopicID]map[int32]string)
	for _, id := range g.ids() {
		m := g.members[id]
		again.members[id] = m
		again.count(m, 1)
		again.acquire(m)
		for _, list := range [][]portion{m.has.AssignedPartitions, m.has.PartitionsPendingRevocation} {
			for i := range list {
				p := &list[i]
				if !ordered(p) {
					return fmt.Errorf("%s has %v", id, p)
				}
				if owners[p.TopicID] == nil {
					owners[p.TopicID] = make(map[int32]string)
				}
				for _, partition := range p.Partitions {
					if other, ok := owners[p.TopicID][partition]; ok {
						return fmt.Errorf("%s and %s own %s-%d", other, id, g.name(p.TopicID), partition)
					}
					owners[p.TopicID][partition] = id
				}
			}
		}
		if m.has.MemberEpoch > g.assignmentEpoch || g.assignmentEpoch > g.epoch {
			return fmt.Errorf("epochs: %s in %d, assigned %d, group %d", id, m.has.MemberEpoch, g.assignmentEpoch, g.epoch)
		}
	}
	for _, r := range g.resolved {
		for _, name := range r.topics {
			again.countTopic(name, 0, 1)
		}
	}
	switch {
	case !maps.EqualFunc(g.owners, owners, maps.Equal[map[int32]string, map[int32]string]):
		return fmt.Errorf("owners are %v, want %v", g.owners, owners)
	case !maps.Equal(g.topics, again.topics), !maps.Equal(g.regexes, again.regexes), !maps.Equal(g.assignors, again.assignors),
		!maps.Equal(g.protocols, again.protocols), !maps.Equal(g.statics, again.statics), !maps.Equal(g.stable, again.stable),
		g.classic != again.classic:
		return fmt.Errorf("counts are off")
	}
	for name := range g.topics {
		if _, ok := g.env.followed[name].groups[g]; !ok {
			return fmt.Errorf("%s is not followed", name)
		}
	}
	return nil
}
