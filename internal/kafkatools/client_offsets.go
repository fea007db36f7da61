package kafkatools

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// hashPartition is TopicPartition.hashCode of Java.
func hashPartition(p kafka.TopicPartition) int32 { return java.HashPartition(p.Topic, p.Partition) }

// partitionOrder is the order in which a HashMap has partitions.
func partitionOrder(all []kafka.TopicPartition) []kafka.TopicPartition {
	return java.HashOrder(all, hashPartition)
}

// The timestamps that ListOffsets takes for the ends of a log.
const (
	earliest = -2
	latest   = -1
)

// offsets asks the leaders of partitions for the offset of a timestamp, or of what a negative one stands for. A partition
// without such an offset has -1; one whose leader refused has its error in failed, and no offset.
func (c *client) offsets(ctx context.Context, of []kafka.TopicPartition, timestamp int64) (offsets map[kafka.TopicPartition]int64, failed map[kafka.TopicPartition]error, _ error) {
	offsets, failed = map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]error{}
	if len(of) == 0 {
		return offsets, failed, nil
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.TimeoutMillis = c.timeoutMillis()
	at := map[string]int{}
	for _, p := range of {
		i, known := at[p.Topic]
		if !known {
			i = len(req.Topics)
			at[p.Topic] = i
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = p.Topic
			req.Topics = append(req.Topics, t)
		}
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp = p.Partition, timestamp
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, rp)
	}
	resp, err := ask[*kmsg.ListOffsetsResponse](ctx, c, "listOffsets", req)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			if err := javaCode(p.ErrorCode, nil); err != nil {
				failed[tp] = err
				continue
			}
			offsets[tp] = p.Offset
		}
	}
	return offsets, failed, nil
}

// everyOffset is [client.offsets] for those who can do with no less than all: the first partition that failed is the error.
func (c *client) everyOffset(ctx context.Context, of []kafka.TopicPartition, timestamp int64) (map[kafka.TopicPartition]int64, error) {
	offsets, failed, err := c.offsets(ctx, of, timestamp)
	if err != nil {
		return nil, err
	}
	for _, p := range of {
		if err := failed[p]; err != nil {
			return nil, err
		}
	}
	return offsets, nil
}
