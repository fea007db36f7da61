package group

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/shard"
)

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
