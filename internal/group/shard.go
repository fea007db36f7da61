package group

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// group is what a Shard asks of a group of either kind.
type group interface {
	// State is Kafka's name of the state: "Empty", "PreparingRebalance", "Stable", …
	State() string
	// Type is "classic" or "consumer".
	Type() string
	// ProtocolType is that of the members, "" if none was ever told.
	ProtocolType() string
	// Empty says that the group has no members.
	Empty() bool
	// CheckCommit says whether the committer may commit offsets, nil for yes. It keeps the session of a classic member.
	CheckCommit(t *shard.Turn, c *offsets.Committer) *kerr.Error
	// CheckPartition is asked after CheckCommit, for each partition of the commit (KIP-1251). The id is zero where the
	// topic does not exist.
	CheckPartition(c *offsets.Committer, topic kafka.TopicID, partition int32) *kerr.Error
	// CheckFetch says whether a member that names itself may read offsets, nil for yes. A member that does not is "", -1.
	CheckFetch(member string, epoch int32) *kerr.Error
	// CheckDeleteOffsets says whether offsets may be deleted at all, nil for yes; topics that the group reads are held back
	// by SubscribedTo.
	CheckDeleteOffsets() *kerr.Error
	// CheckDelete says whether the group may be deleted, nil for yes.
	CheckDelete() *kerr.Error
	// SubscribedTo says whether the group reads a topic: its offsets are neither deleted nor do they expire.
	SubscribedTo(topic string) bool
	// OffsetsAgeFrom says that the group's offsets may expire, and from when they age: the zero time stands for the time of
	// each commit.
	OffsetsAgeFrom() (time.Time, bool)
	// Delete writes the tombstones of the group's records. What replays the last of them takes the group out.
	Delete(t *shard.Turn)
}

var (
	_ group = (*classic.Group)(nil)
	_ group = (*modern.Group)(nil)
)

// Shard is one partition of __consumer_offsets: the groups whose ids hash to it. It is a shard.Core.
type Shard struct {
	config  Config
	groups  map[string]group
	offsets *offsets.Store
	// nextCheck is when old offsets and empty groups are looked for, the zero time while there are no groups.
	nextCheck time.Time

	classic *classic.Env
	modern  *modern.Env
	image   *metadata.Image
}

var _ shard.Core = (*Shard)(nil)

// NewShard returns a shard that has replayed nothing.
func NewShard(config Config) *Shard {
	return &Shard{
		config:  config,
		groups:  make(map[string]group),
		offsets: offsets.NewStore(),
		classic: &classic.Env{Config: config.Classic, Alarms: shard.NewAlarms[classic.Alarm](), NewID: config.NewID},
		modern:  &modern.Env{Config: config.Modern, Alarms: shard.NewAlarms[modern.Alarm](), NewID: config.NewID, Image: metadata.Empty(), Times: config.Times},
		image:   metadata.Empty(),
	}
}

// Parse decodes a record; nil, nil for one of a type or version that is not known here, which a newer release wrote.
func (s *Shard) Parse(key, value []byte) (shard.Record, error) {
	k, err := schema.ParseGroupKey(key)
	if errors.Is(err, schema.ErrUnknownRecord) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if value == nil {
		return schema.GroupRecord{Key: k}, nil
	}
	v, version, err := schema.ParseGroupValue(k.APIKey(), value)
	if err != nil {
		return nil, err
	}
	return schema.GroupRecord{Key: k, Value: v, Version: version}, nil
}

// Replay applies a record to the groups and offsets.
func (s *Shard) Replay(at kafka.Offset, r shard.Record) error {
	record := r.(schema.GroupRecord)
	switch key := record.Key.(type) {
	case *schema.LegacyOffsetCommitKey:
		value, _ := record.Value.(*schema.LegacyOffsetCommitValue)
		s.replayOffset(at, (*schema.OffsetCommitKey)(key), modernised(value))
		return nil
	case *schema.OffsetCommitKey:
		value, _ := record.Value.(*schema.OffsetCommitValue)
		s.replayOffset(at, key, value)
		return nil
	case *schema.GroupMetadataKey:
		value, _ := record.Value.(*schema.GroupMetadataValue)
		return s.replayClassic(key.Group, value)
	default:
		return s.replayModern(record)
	}
}

// Loaded begins the sessions of all members anew.
func (s *Shard) Loaded(t *shard.Turn, image *metadata.Image) {
	s.image, s.modern.Image = image, image
	s.loadedClassic(t)
	s.loadedModern(t)
	s.scheduleCheck(t)
}

// scheduleCheck has old offsets looked for while there are groups.
func (s *Shard) scheduleCheck(t *shard.Turn) {
	if len(s.groups) > 0 && s.nextCheck.IsZero() {
		s.nextCheck = t.Now.Add(s.config.Offsets.RetentionCheck)
	}
}

// Refresh follows the topics of the cluster.
func (s *Shard) Refresh(t *shard.Turn, image *metadata.Image) {
	before := s.image
	s.image, s.modern.Image = image, image
	s.forgetTopics(t, before)
	s.modern.Refresh(before)
}

// Handle decides one of the commands of this package.
func (s *Shard) Handle(t *shard.Turn, ticket shard.Ticket, cmd any) {
	defer s.scheduleCheck(t)
	switch cmd := cmd.(type) {
	case CommitOffsets:
		s.commitOffsets(t, ticket, cmd)
	case FetchOffsets:
		s.fetchOffsets(t, ticket, cmd)
	case DeleteOffsets:
		s.deleteOffsets(t, ticket, cmd)
	case ListGroups:
		s.listGroups(t, ticket, cmd)
	case DescribeGroups:
		s.describeGroups(t, ticket, cmd)
	case DeleteGroups:
		s.deleteGroups(t, ticket, cmd)
	case JoinGroup:
		s.joinGroup(t, ticket, cmd)
	case SyncGroup:
		s.syncGroup(t, ticket, cmd)
	case Heartbeat:
		s.heartbeat(t, ticket, cmd)
	case LeaveGroup:
		s.leaveGroup(t, ticket, cmd)
	case ConsumerGroupHeartbeat:
		s.consumerGroupHeartbeat(t, ticket, cmd)
	case DescribeConsumerGroups:
		s.describeConsumerGroups(t, ticket, cmd)
	default:
		panic("group: a command that is not in commands.go")
	}
}

// Deadline is the earliest of what any group and the offsets wait for.
func (s *Shard) Deadline() time.Time {
	return earliest(s.classic.Alarms.Next(), s.modern.Alarms.Next(), s.nextCheck)
}

func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, at := range times {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// Expire lets go off what is due.
func (s *Shard) Expire(t *shard.Turn) {
	for alarm, ok := s.classic.Alarms.Due(t.Now); ok; alarm, ok = s.classic.Alarms.Due(t.Now) {
		s.expireClassic(t, alarm)
		t.Cut()
	}
	for alarm, ok := s.modern.Alarms.Due(t.Now); ok; alarm, ok = s.modern.Alarms.Due(t.Now) {
		s.expireModern(t, alarm)
		t.Cut()
	}
	if !s.nextCheck.IsZero() && !s.nextCheck.After(t.Now) {
		s.nextCheck = time.Time{}
		s.expireOffsets(t)
		s.scheduleCheck(t)
	}
}
