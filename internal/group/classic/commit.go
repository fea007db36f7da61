package classic

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/shard"
)

// CheckCommit says whether the committer may commit offsets, nil for yes. A client that is no member may commit to a group
// without members, and in a transaction of an old client to any. A commit of a member keeps its session.
func (g *Group) CheckCommit(t *shard.Turn, c *offsets.Committer) *kerr.Error {
	if c.Epoch < 0 && g.state == Empty {
		return nil
	}
	if c.Epoch < 0 && c.MemberID == "" && c.InstanceID == nil {
		if c.Transactional {
			return nil
		}
		return kerr.UnknownMemberID
	}
	if planted.Bug("old-generation-commits") {
		return nil
	}
	m, e := g.know(c.MemberID, c.InstanceID)
	switch {
	case e != nil:
		return e
	case c.Epoch != g.generation:
		return kerr.IllegalGeneration
	case c.Transactional:
		return nil
	case g.state == CompletingRebalance:
		return kerr.RebalanceInProgress
	}
	g.renew(t, m)
	return nil
}

// CheckPartition is nil: a classic group does not know what its members were assigned.
func (g *Group) CheckPartition(*offsets.Committer, kafka.TopicID, int32) *kerr.Error { return nil }

// CheckFetch is nil: anybody reads offsets of a classic group.
func (g *Group) CheckFetch(string, int32) *kerr.Error { return nil }

// CheckDeleteOffsets says whether offsets may be deleted, nil for yes: of a group with members only if they are consumers.
func (g *Group) CheckDeleteOffsets() *kerr.Error {
	if g.state != Empty && g.protocolType != consumerType {
		return kerr.NonEmptyGroup
	}
	return nil
}

// CheckDelete says whether the group may be deleted, nil for yes.
func (g *Group) CheckDelete() *kerr.Error {
	if g.state != Empty {
		return kerr.NonEmptyGroup
	}
	return nil
}

// OffsetsAgeFrom says that offsets may expire, and from when they age: the zero time for that of each commit.
func (g *Group) OffsetsAgeFrom() (time.Time, bool) {
	switch {
	case g.protocolType == "":
		return time.Time{}, true
	case g.state == Empty && g.since != -1:
		return time.UnixMilli(g.since), true
	case g.state == Empty:
		return time.Time{}, true
	}
	return time.Time{}, g.state == Stable && g.topics != nil
}
