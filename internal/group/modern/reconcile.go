package modern

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// reconcile brings a member one step closer to its target; owned is what the member says that it has, nil if it does not say.
// It returns false if what the member is to have is too large for a record.
func (g *Group) reconcile(t *shard.Turn, m *member, changed bool, owned []ownedTopic) bool {
	if !changed && m.reconciled(g.assignmentEpoch) {
		return true
	}
	next := g.next(m, changed, owned)
	if equalCurrent(next, m.has) {
		return true
	}
	record := schema.GroupRecord{Key: g.currentKey(m.id), Value: next}
	if g.targets[m.id].Len() > largeTarget && !t.Fits(record) {
		return false
	}
	t.Write(record)
	switch {
	case m.classic():
	case next.State == unrevoked:
		g.setAlarm(t, m.id, Rebalance, milliseconds(m.said.RebalanceTimeoutMs))
	default:
		g.env.Alarms.Clear(Alarm{g.id, m.id, Rebalance})
	}
	return true
}

// next is what a member has after a step: m.has if it stays where it is.
func (g *Group) next(m *member, changed bool, owned []ownedTopic) *current {
	switch has := m.has; has.State {
	case stable:
		if has.MemberEpoch != g.assignmentEpoch {
			return g.step(m, has.MemberEpoch, owned)
		}
	case unrevoked:
		if !ownsAny(owned, has.PartitionsPendingRevocation) {
			return g.step(m, has.MemberEpoch, owned)
		}
	case unreleased:
		return g.step(m, has.MemberEpoch, owned)
	default:
		return g.step(m, g.assignmentEpoch, owned)
	}
	if changed {
		return g.unsubscribe(m, owned)
	}
	return m.has
}

// step compares what a member has with its target. While it may still have partitions to give up it stays in epoch; otherwise
// it moves to the assignment epoch, and gets what nobody else has.
func (g *Group) step(m *member, epoch int32, owned []ownedTopic) *current {
	var d difference
	target, has := g.targets[m.id], m.has.AssignedPartitions
	for len(target) > 0 || len(has) > 0 {
		var wanted []int32
		var had portion
		order := -1 // of the target's next topic and the next that the member has
		switch {
		case len(target) == 0:
			order = 1
		case len(has) > 0:
			order = compareIDs(target[0].ID, has[0].TopicID)
		}
		if order <= 0 {
			wanted, had.TopicID = target[0].Partitions, target[0].ID
			target = target[1:]
		}
		if order >= 0 {
			had = has[0]
			has = has[1:]
		}
		if !g.subscribes(m, had.TopicID) {
			wanted = nil
		}
		d.add(g, m, wanted, &had)
	}
	if len(d.revoked) > 0 && ownsAny(owned, d.revoked) {
		return &current{
			State: unrevoked, MemberEpoch: epoch, PreviousMemberEpoch: m.has.MemberEpoch,
			AssignedPartitions: d.kept, PartitionsPendingRevocation: d.revoked,
		}
	}
	next := &current{State: stable, MemberEpoch: g.assignmentEpoch, PreviousMemberEpoch: m.has.MemberEpoch, AssignedPartitions: d.given}
	if d.waiting {
		next.State = unreleased
	}
	return next
}

// difference sorts out partitions of a member.
type difference struct {
	kept    []portion // had and wanted
	given   []portion // the same, and what is wanted and free
	revoked []portion // had and not wanted
	waiting bool      // something wanted is not free
}

func (d *difference) add(g *Group, m *member, wanted []int32, had *portion) {
	kept, given, revoked := portion{TopicID: had.TopicID}, portion{TopicID: had.TopicID}, portion{TopicID: had.TopicID}
	i := 0
	for _, p := range wanted {
		for ; i < len(had.Partitions) && had.Partitions[i] < p; i++ {
			grow(&revoked, had.Partitions[i], had.AssignmentEpochs[i])
		}
		switch {
		case i < len(had.Partitions) && had.Partitions[i] == p:
			grow(&kept, p, had.AssignmentEpochs[i])
			grow(&given, p, had.AssignmentEpochs[i])
			i++
		case g.free(m, had.TopicID, p):
			grow(&given, p, g.assignmentEpoch)
		default:
			d.waiting = true
		}
	}
	for ; i < len(had.Partitions); i++ {
		grow(&revoked, had.Partitions[i], had.AssignmentEpochs[i])
	}
	for _, to := range []struct {
		list *[]portion
		p    portion
	}{{&d.kept, kept}, {&d.given, given}, {&d.revoked, revoked}} {
		if len(to.p.Partitions) > 0 {
			*to.list = append(*to.list, to.p)
		}
	}
}

// free says whether a member may be given a partition: nobody else has it or is still to give it up.
func (g *Group) free(m *member, topic kafka.TopicID, partition int32) bool {
	owner := g.owner(topic, partition)
	return owner == "" || owner == m.id
}

// unsubscribe takes from a member the topics that it does not subscribe to any more, without another epoch.
func (g *Group) unsubscribe(m *member, owned []ownedTopic) *current {
	next := *m.has
	next.AssignedPartitions = nil
	moved := false
	for _, p := range m.has.AssignedPartitions {
		if g.subscribes(m, p.TopicID) {
			next.AssignedPartitions = append(next.AssignedPartitions, p)
			continue
		}
		next.PartitionsPendingRevocation = join(next.PartitionsPendingRevocation, p)
		moved = true
	}
	if !moved {
		return m.has
	}
	next.PreviousMemberEpoch = next.MemberEpoch
	if ownsAny(owned, next.PartitionsPendingRevocation) {
		next.State = unrevoked
	} else {
		next.PartitionsPendingRevocation = m.has.PartitionsPendingRevocation
	}
	return &next
}

// join returns the list with a portion more.
func join(list []portion, p portion) []portion {
	return portionsOf(append(slices.Clone(list), p), 0)
}
