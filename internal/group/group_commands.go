package group

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/shard"
)

// listGroups lists the groups that are in one of the states and of one of the types.
func (s *Shard) listGroups(t *shard.Turn, ticket shard.Ticket, cmd ListGroups) {
	states, types := folded(cmd.States), folded(cmd.Types)
	list := []kmsg.ListGroupsResponseGroup{}
	for id, g := range s.groups {
		state, kind := g.State(), g.Type()
		if len(states) > 0 && !states[strings.ToLower(state)] || len(types) > 0 && !types[kind] {
			continue
		}
		l := kmsg.NewListGroupsResponseGroup()
		l.Group, l.ProtocolType, l.GroupState, l.GroupType = id, g.ProtocolType(), state, kind
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b kmsg.ListGroupsResponseGroup) int { return strings.Compare(a.Group, b.Group) })
	t.Reply(ticket, list)
}

// folded are words without regard to case and to spaces around them.
func folded(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[strings.ToLower(strings.TrimSpace(w))] = true
	}
	return set
}

// describeGroups describes classic groups. One that is not there is dead, since version 6 not found as well.
func (s *Shard) describeGroups(t *shard.Turn, ticket shard.Ticket, cmd DescribeGroups) {
	list := make([]kmsg.DescribeGroupsResponseGroup, 0, len(cmd.GroupIDs))
	for _, id := range cmd.GroupIDs {
		g, known := s.groups[id]
		if c, ok := g.(*classic.Group); ok {
			list = append(list, c.Describe())
			continue
		}
		d := kmsg.NewDescribeGroupsResponseGroup()
		d.Group, d.State = id, "Dead"
		if cmd.Version >= 6 {
			d.ErrorCode, d.ErrorMessage = kerr.GroupIDNotFound.Code, new(fmt.Sprintf("Group %s not found.", id))
			if known {
				d.ErrorMessage = new(fmt.Sprintf("Group %s is not a classic group.", id))
			}
		}
		list = append(list, d)
	}
	t.Reply(ticket, list)
}

// deleteGroups writes the tombstones of groups without members and of their offsets.
func (s *Shard) deleteGroups(t *shard.Turn, ticket shard.Ticket, cmd DeleteGroups) {
	list := make([]kmsg.DeleteGroupsResponseGroup, 0, len(cmd.GroupIDs))
	for _, id := range cmd.GroupIDs {
		d := kmsg.NewDeleteGroupsResponseGroup()
		d.Group = id
		err := kerr.GroupIDNotFound
		g, known := s.groups[id]
		if known {
			err = g.CheckDelete()
		}
		if err == nil {
			s.deleteOffsetsWhere(t, id, func(string, *offsets.Committed) bool { return true })
			g.Delete(t)
			t.Cut()
		} else {
			d.ErrorCode = err.Code
		}
		list = append(list, d)
	}
	t.Reply(ticket, list)
}

// Describe is the shard in one text: every group with its offsets, sorted.
func (s *Shard) Describe() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[id]
		fmt.Fprintf(&b, "%s: %s %s %q\n", id, g.Type(), g.State(), g.ProtocolType())
		for topic, partitions := range s.offsets.Of(id) {
			for _, c := range partitions {
				fmt.Fprintf(&b, "  %s-%d at %d epoch %d %q\n", topic, c.Partition, c.Offset, c.LeaderEpoch, c.Metadata)
			}
		}
	}
	return b.String()
}
