package group

import (
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
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
