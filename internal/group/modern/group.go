package modern

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/shard"
)

// Env is what the groups of a shard share.
type Env struct {
	Config Config
	Alarms *shard.Alarms[Alarm]
	// NewID draws the ids of members.
	NewID func() kafka.UUID
	// Image is the newest; the shard sets it.
	Image *metadata.Image
}

// Alarm is the key of a deadline.
type Alarm struct {
	Group, Member string
	Kind          uint8
}

// Group is one group.
type Group struct {
	id  string
	env *Env
}

// New returns a group without members.
func New(id string, env *Env) *Group { return &Group{id: id, env: env} }

// State is Kafka's name of the state.
func (g *Group) State() string { return "Empty" }

// Type is "consumer".
func (g *Group) Type() string { return "consumer" }

// ProtocolType is that of the members, "" if none was ever told.
func (g *Group) ProtocolType() string { return "" }

// Empty says that the group has no members.
func (g *Group) Empty() bool { return true }

// CheckCommit says whether the committer may commit offsets, nil for yes.
func (g *Group) CheckCommit(t *shard.Turn, c *offsets.Committer) *kerr.Error { return nil }

// CheckPartition says whether the committer may commit an offset of the partition, nil for yes.
func (g *Group) CheckPartition(c *offsets.Committer, topic kafka.TopicID, partition int32) *kerr.Error {
	return nil
}

// CheckFetch says whether a member may read offsets, nil for yes.
func (g *Group) CheckFetch(member string, epoch int32) *kerr.Error { return nil }

// CheckDeleteOffsets says whether offsets may be deleted at all, nil for yes.
func (g *Group) CheckDeleteOffsets() *kerr.Error { return nil }

// CheckDelete says whether the group may be deleted, nil for yes.
func (g *Group) CheckDelete() *kerr.Error { return nil }

// SubscribedTo says whether the group reads a topic.
func (g *Group) SubscribedTo(topic string) bool { return false }

// OffsetsAgeFrom says that offsets may expire, and from when they age: the zero time for that of each commit.
func (g *Group) OffsetsAgeFrom() (time.Time, bool) { return time.Time{}, true }

// Delete writes the tombstones of the group's records.
func (g *Group) Delete(t *shard.Turn) {}
