package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// OffsetForLeaderEpoch, key 23, versions 2 to 4. KIP-101, KIP-279, KIP-320: where a leader epoch ended, so that a
// follower or a consumer learns at which offset its log and the leader's part.
func offsetForLeaderEpoch(c *call, req *kmsg.OffsetForLeaderEpochRequest) *kmsg.OffsetForLeaderEpochResponse {
	resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch, rp.EndOffset = p.Partition, int32(kafka.NoEpoch), int64(kafka.NoOffset)
			rp.ErrorCode = code(epochEnd(c, t.Topic, p, &rp))
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func epochEnd(c *call, topic string, p kmsg.OffsetForLeaderEpochRequestTopicPartition, out *kmsg.OffsetForLeaderEpochResponseTopicPartition) error {
	part, err := c.Partitions.Get(topic, p.Partition)
	if err != nil {
		return err
	}
	end, err := part.EpochEnd(kafka.LeaderEpoch(p.CurrentLeaderEpoch), kafka.LeaderEpoch(p.LeaderEpoch), false)
	if err != nil {
		return err
	}
	out.LeaderEpoch, out.EndOffset = int32(end.Epoch), int64(end.End)
	return nil
}
