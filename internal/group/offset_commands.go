package group

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Versions of the value of an offset commit: that of a client that names a retention, and the other.
const (
	commitVersionExpiring int16 = 1
	commitVersion         int16 = 4
)

// commitOffsets writes a record for each partition. Topics that do not exist are kept away by the caller, who has given the
// others both their name and id.
func (s *Shard) commitOffsets(t *shard.Turn, ticket shard.Ticket, cmd CommitOffsets) {
	req := cmd.Request
	c := &offsets.Committer{MemberID: req.MemberID, InstanceID: req.InstanceID, Epoch: req.Generation, Version: req.Version}
	g, known := s.groups[req.Group]
	err := noGroupToCommit(c)
	if known {
		err = g.CheckCommit(t, c)
	}
	if err == nil && t.Room > 0 && commitSize(req) > t.Room {
		err = kerr.UnknownServerError
	}
	resp := kmsg.NewPtrOffsetCommitResponse()
	for i := range req.Topics {
		topic := &req.Topics[i]
		answer := kmsg.NewOffsetCommitResponseTopic()
		answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
		for j := range topic.Partitions {
			p := kmsg.NewOffsetCommitResponseTopicPartition()
			p.Partition = topic.Partitions[j].Partition
			refused := err
			if refused == nil {
				refused = s.commitOffset(t, g, c, req, topic, &topic.Partitions[j])
			}
			if refused != nil {
				p.ErrorCode = refused.Code
			}
			answer.Partitions = append(answer.Partitions, p)
		}
		resp.Topics = append(resp.Topics, answer)
	}
	t.Reply(ticket, resp)
}

// noGroupToCommit says whether one may commit to a group that does not exist, and so make a simple group.
func noGroupToCommit(c *offsets.Committer) *kerr.Error {
	switch {
	case c.Epoch < 0:
		return nil
	case c.Version >= 9:
		return kerr.GroupIDNotFound
	}
	return kerr.IllegalGeneration
}

// commitSize bounds the bytes of the records of a commit.
func commitSize(req *kmsg.OffsetCommitRequest) int {
	const fixed = 96 // of a record, its key and its value
	size := 0
	for i := range req.Topics {
		topic := &req.Topics[i]
		for j := range topic.Partitions {
			size += fixed + len(req.Group) + len(topic.Topic)
			if m := topic.Partitions[j].Metadata; m != nil {
				size += len(*m)
			}
		}
	}
	return size
}

// commitOffset writes the record of one partition. A nil group is one to be made.
func (s *Shard) commitOffset(t *shard.Turn, g group, c *offsets.Committer, req *kmsg.OffsetCommitRequest,
	topic *kmsg.OffsetCommitRequestTopic, p *kmsg.OffsetCommitRequestTopicPartition) *kerr.Error {
	if g != nil {
		if err := g.CheckPartition(c, topic.TopicID, p.Partition); err != nil {
			return err
		}
	}
	metadata := ""
	if p.Metadata != nil {
		metadata = *p.Metadata
	}
	if units(metadata) > s.config.Offsets.MaxMetadata {
		return kerr.OffsetMetadataTooLarge
	}
	value := &schema.OffsetCommitValue{
		Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: metadata, CommitTimestamp: t.Now.UnixMilli(),
		ExpireTimestamp: kafka.NoTimestamp, TopicID: topic.TopicID,
	}
	version := commitVersion
	if req.RetentionTimeMillis != -1 {
		value.ExpireTimestamp, version = value.CommitTimestamp+req.RetentionTimeMillis, commitVersionExpiring
	}
	t.Write(schema.GroupRecord{
		Key:   &schema.OffsetCommitKey{Group: req.Group, Topic: topic.Topic, Partition: p.Partition},
		Value: value, Version: version,
	})
	return nil
}

// units is the length of a text as Java has it.
func units(s string) int {
	n := utf8.RuneCountInString(s)
	if n == len(s) {
		return n
	}
	for _, r := range s {
		if r > 0xffff {
			n++
		}
	}
	return n
}

// modernised is a commit of the releases before 0.8.2 as those after write it; nil stays nil.
func modernised(old *schema.LegacyOffsetCommitValue) *schema.OffsetCommitValue {
	if old == nil {
		return nil
	}
	v := schema.NewOffsetCommitValue()
	v.Offset, v.Metadata, v.CommitTimestamp = old.Offset, old.Metadata, old.CommitTimestamp
	return &v
}

// replayOffset applies a commit, or with a nil value a deletion. A commit to a group that does not exist makes one: a
// classic group without members, which Kafka calls simple.
func (s *Shard) replayOffset(at kafka.Offset, key *schema.OffsetCommitKey, value *schema.OffsetCommitValue) {
	s.offsets.Replay(at, key, value)
	if value != nil && s.groups[key.Group] == nil {
		s.groups[key.Group] = classic.New(key.Group, s.classic)
	}
}

// noOffset answers for a partition without a committed offset.
func noOffset(partition int32) kmsg.OffsetFetchResponseGroupTopicPartition {
	p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = partition, int64(kafka.NoOffset), int32(kafka.NoEpoch), new("")
	return p
}

func fetchedOffset(c *offsets.Committed) kmsg.OffsetFetchResponseGroupTopicPartition {
	p := noOffset(c.Partition)
	p.Offset, p.LeaderEpoch, p.Metadata = int64(c.Offset), int32(c.LeaderEpoch), new(c.Metadata) // c changes while p is sent
	return p
}

// fetchOffsets reads the offsets of the topics that the command names, by name and where it is known by id, or of all topics
// if it names none. Offsets of open transactions will make some of them unstable when there are transactions.
func (s *Shard) fetchOffsets(t *shard.Turn, ticket shard.Ticket, cmd FetchOffsets) {
	resp := kmsg.NewOffsetFetchResponseGroup()
	resp.Group, resp.Topics = cmd.Group.Group, []kmsg.OffsetFetchResponseGroupTopic{}
	g, known := s.groups[cmd.Group.Group]
	if known {
		member := ""
		if cmd.Group.MemberID != nil {
			member = *cmd.Group.MemberID
		}
		if err := g.CheckFetch(member, cmd.Group.MemberEpoch); err != nil {
			known = false
			if err != kerr.GroupIDNotFound {
				resp.ErrorCode = err.Code
				t.Reply(ticket, &resp)
				return
			}
		}
	}
	if cmd.Group.Topics == nil {
		if known {
			s.fetchAllOffsets(&resp)
		}
		t.Reply(ticket, &resp)
		return
	}
	for i := range cmd.Group.Topics {
		asked := &cmd.Group.Topics[i]
		topic := kmsg.NewOffsetFetchResponseGroupTopic()
		topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
		for _, partition := range asked.Partitions {
			p := noOffset(partition)
			if c := s.offsets.Get(resp.Group, asked.Topic, partition); known && c != nil && c.OfTopic(asked.TopicID) {
				p = fetchedOffset(c)
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	t.Reply(ticket, &resp)
}

func (s *Shard) fetchAllOffsets(resp *kmsg.OffsetFetchResponseGroup) {
	for name, partitions := range s.offsets.Of(resp.Group) {
		topic := kmsg.NewOffsetFetchResponseGroupTopic()
		topic.Topic = name
		for i := range partitions {
			topic.Partitions = append(topic.Partitions, fetchedOffset(&partitions[i]))
		}
		resp.Topics = append(resp.Topics, topic)
	}
}

// deleteOffsets writes tombstones for the partitions that have offsets, but for topics that the group reads.
func (s *Shard) deleteOffsets(t *shard.Turn, ticket shard.Ticket, cmd DeleteOffsets) {
	req := cmd.Request
	resp := kmsg.NewPtrOffsetDeleteResponse()
	err := kerr.GroupIDNotFound
	g, known := s.groups[req.Group]
	if known {
		err = g.CheckDeleteOffsets()
	}
	if err != nil {
		resp.ErrorCode = err.Code
		t.Reply(ticket, resp)
		return
	}
	for i := range req.Topics {
		asked := &req.Topics[i]
		topic := kmsg.NewOffsetDeleteResponseTopic()
		topic.Topic = asked.Topic
		for _, a := range asked.Partitions {
			p := kmsg.NewOffsetDeleteResponseTopicPartition()
			p.Partition = a.Partition
			if g.SubscribedTo(asked.Topic) {
				p.ErrorCode = kerr.GroupSubscribedToTopic.Code
			} else if s.offsets.Get(req.Group, asked.Topic, a.Partition) != nil {
				t.Write(offsetTombstone(req.Group, asked.Topic, a.Partition))
				t.Cut()
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	t.Reply(ticket, resp)
}

func offsetTombstone(group, topic string, partition int32) schema.GroupRecord {
	return schema.GroupRecord{Key: &schema.OffsetCommitKey{Group: group, Topic: topic, Partition: partition}}
}

// deleteOffsetsWhere writes tombstones for the offsets of a group that match, and says whether none is left.
func (s *Shard) deleteOffsetsWhere(t *shard.Turn, group string, match func(topic string, c *offsets.Committed) bool) bool {
	var gone []shard.Record
	all := true
	for topic, partitions := range s.offsets.Of(group) {
		for i := range partitions {
			if c := &partitions[i]; match(topic, c) {
				gone = append(gone, offsetTombstone(group, topic, c.Partition))
			} else {
				all = false
			}
		}
	}
	for _, r := range gone {
		t.Write(r)
		t.Cut()
	}
	return all
}

// forgetTopics deletes the offsets of topics that are gone since the image before.
func (s *Shard) forgetTopics(t *shard.Turn, before *metadata.Image) {
	if s.image.Topics == before.Topics {
		return
	}
	gone := map[string]kafka.TopicID{}
	for name := range s.offsets.Topics() {
		if old := before.Topics.ByName(name); old != nil && s.image.Topics.ByID(old.ID) == nil {
			gone[name] = old.ID
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, group := range s.offsets.Groups() {
		s.deleteOffsetsWhere(t, group, func(topic string, c *offsets.Committed) bool {
			id, ok := gone[topic]
			return ok && c.OfTopic(id)
		})
	}
}

// expireOffsets deletes offsets that are too old, and groups without members of which no offset is left.
func (s *Shard) expireOffsets(t *shard.Turn) {
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[id]
		from, may := g.OffsetsAgeFrom()
		none := !s.offsets.Has(id)
		if !none && may {
			none = s.deleteOffsetsWhere(t, id, func(topic string, c *offsets.Committed) bool {
				return !g.SubscribedTo(topic) && c.Expired(t.Now, from, s.config.Offsets.Retention)
			})
		}
		if none && g.Empty() {
			g.Delete(t)
			t.Cut()
		}
	}
}
