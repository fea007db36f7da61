package group

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

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
