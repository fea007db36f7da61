package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// ListOffsets, key 2, versions 1 to 11. KIP-98 (isolation, version 2), KIP-320 (epochs, version 4), KIP-734 (-3, the
// greatest timestamp, version 7), KIP-405 (-4, earliest local, version 8), KIP-1005 (-5, latest tiered, version 9),
// KIP-1075 (timeout, version 10), KIP-1023 (-6, earliest pending upload, version 11).
//
// A special timestamp in a version that does not know it is UNSUPPORTED_VERSION; a partition that is named twice is
// INVALID_REQUEST, and answered once. A tagged field that Kafka does not have asks how far a committed offset is behind
// (docs/protocol/lag.md).
func listOffsets(c *call, req *kmsg.ListOffsetsRequest) *kmsg.ListOffsetsResponse {
	resp := kmsg.NewPtrListOffsetsResponse()
	twice := namedTwice(req)
	said := map[kafka.TopicPartition]bool{} // of those that are named twice
	at := map[string]int{}                  // of a topic in the answer
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			if said[tp] {
				continue
			}
			rp := kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition, rp.Timestamp, rp.Offset = p.Partition, kafka.NoTimestamp, int64(kafka.NoOffset)
			var err error = kerr.InvalidRequest
			if said[tp] = twice[tp]; !said[tp] {
				err = listOffset(c, req, t.Topic, p, &rp)
			}
			rp.ErrorCode = code(err)
			i, seen := at[t.Topic]
			if !seen {
				i = len(resp.Topics)
				at[t.Topic] = i
				resp.Topics = append(resp.Topics, kmsg.ListOffsetsResponseTopic{Topic: t.Topic})
			}
			resp.Topics[i].Partitions = append(resp.Topics[i].Partitions, rp)
		}
	}
	return resp
}

func namedTwice(req *kmsg.ListOffsetsRequest) map[kafka.TopicPartition]bool {
	twice := map[kafka.TopicPartition]bool{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			_, seen := twice[tp]
			twice[tp] = seen
		}
	}
	return twice
}

// specialSince is the first version that knows a special timestamp.
var specialSince = map[int64]int16{
	partition.LatestTimestamp:          1,
	partition.EarliestTimestamp:        1,
	partition.MaxTimestamp:             7,
	partition.EarliestLocalTimestamp:   8,
	partition.LatestTieredTimestamp:    9,
	partition.EarliestPendingTimestamp: 11,
}

func listOffset(c *call, req *kmsg.ListOffsetsRequest, topic string, p kmsg.ListOffsetsRequestTopicPartition, out *kmsg.ListOffsetsResponseTopicPartition) error {
	if since, known := specialSince[p.Timestamp]; p.Timestamp < 0 && (!known || req.Version < since) {
		return kerr.UnsupportedVersion
	}
	if !isolationKnown(req.Version >= 2, req.IsolationLevel) {
		return kerr.UnknownServerError // as in Kafka
	}
	part, err := c.Partitions.Get(topic, p.Partition)
	if err != nil {
		return err
	}
	isolation := kafka.HighWatermark
	switch {
	case req.ReplicaID >= 0:
		isolation = kafka.LogEnd
	case req.IsolationLevel == 1:
		isolation = kafka.Committed
	}
	found, err := part.OffsetFor(partition.OffsetRequest{
		Timestamp: p.Timestamp, Isolation: isolation, CurrentLeaderEpoch: kafka.LeaderEpoch(p.CurrentLeaderEpoch),
	})
	if err != nil {
		return err
	}
	out.Offset, out.Timestamp, out.LeaderEpoch = int64(found.Offset), found.Timestamp, int32(found.Epoch)
	if req.Version >= listOffsetsFlexible {
		answerLag(c, part, p, isolation, out)
	}
	return nil
}

// listOffsetsFlexible is the first version with tagged fields.
const listOffsetsFlexible = 6

// answerLag answers the tagged field, if it is there and can be.
func answerLag(c *call, part *partition.Partition, p kmsg.ListOffsetsRequestTopicPartition, isolation kafka.Isolation, out *kmsg.ListOffsetsResponseTopicPartition) {
	p.UnknownTags.Each(func(tag uint32, value []byte) {
		q, ok := kafka.ParseLagQuestion(value)
		if tag != kafka.LagTag || !ok {
			return
		}
		if lag, err := part.Lag(q, isolation, c.Now()); err == nil {
			out.UnknownTags.Set(kafka.LagTag, lag.Append(nil))
		}
	})
}
