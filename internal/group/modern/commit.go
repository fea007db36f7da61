package modern

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/shard"
)

// CheckCommit says whether the committer may commit offsets, nil for yes. An older epoch passes, and then CheckPartition
// decides.
func (g *Group) CheckCommit(_ *shard.Turn, c *offsets.Committer) *kerr.Error {
	if planted.Bug("old-member-commits") {
		return nil
	}
	const firstVersion = 9 // the first that has the errors of this protocol
	switch {
	case c.Epoch < 0 && len(g.members) == 0:
		return nil
	case c.Transactional && c.Epoch == -1 && c.MemberID == "" && c.InstanceID == nil:
		return nil
	}
	m := g.members[c.MemberID]
	switch {
	case m == nil:
		return kerr.UnknownMemberID
	case !c.Transactional && !m.classic() && c.Version < firstVersion:
		return kerr.UnsupportedVersion
	case c.Epoch > m.has.MemberEpoch:
		return m.staleEpoch()
	}
	return nil
}

// CheckPartition says whether the committer may commit an offset of the partition, nil for yes: a member that is behind may,
// if it had the partition by the epoch that it names (KIP-1251).
func (g *Group) CheckPartition(c *offsets.Committer, topic kafka.TopicID, partition int32) *kerr.Error {
	m := g.members[c.MemberID]
	if m == nil || c.Epoch >= m.has.MemberEpoch {
		return nil
	}
	given, ok := epochOf(m.has.AssignedPartitions, topic, partition)
	if !ok {
		given, ok = epochOf(m.has.PartitionsPendingRevocation, topic, partition)
	}
	if !ok || c.Epoch < given {
		return m.staleEpoch()
	}
	return nil
}

// CheckFetch says whether a member may read offsets, nil for yes.
func (g *Group) CheckFetch(id string, epoch int32) *kerr.Error {
	if id == "" && epoch < 0 {
		return nil
	}
	m := g.members[id]
	switch {
	case m == nil:
		return kerr.UnknownMemberID
	case epoch != m.has.MemberEpoch:
		return m.staleEpoch()
	}
	return nil
}

// staleEpoch is the error for an epoch that is not the member's, in the words of its protocol.
func (m *member) staleEpoch() *kerr.Error {
	if m.classic() {
		return kerr.IllegalGeneration
	}
	return kerr.StaleMemberEpoch
}

// CheckDeleteOffsets says whether offsets may be deleted at all, nil for yes.
func (g *Group) CheckDeleteOffsets() *kerr.Error { return nil }

// CheckDelete says whether the group may be deleted, nil for yes.
func (g *Group) CheckDelete() *kerr.Error {
	if len(g.members) > 0 {
		return kerr.NonEmptyGroup
	}
	return nil
}

// OffsetsAgeFrom says that offsets may expire, and from when they age: the zero time for that of each commit.
func (g *Group) OffsetsAgeFrom() (time.Time, bool) { return time.Time{}, true }
