package api

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// DescribeProducers, key 61, version 0. KIP-664: the idempotent producers that a partition's leader remembers.
func describeProducers(c *call, req *kmsg.DescribeProducersRequest) *kmsg.DescribeProducersResponse {
	resp := kmsg.NewPtrDescribeProducersResponse()
	for _, t := range req.Topics {
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic = t.Topic
		for _, index := range t.Partitions {
			rt.Partitions = append(rt.Partitions, producersOf(c, t.Topic, index))
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func producersOf(c *call, topic string, index int32) kmsg.DescribeProducersResponseTopicPartition {
	rp := kmsg.NewDescribeProducersResponseTopicPartition()
	rp.Partition = index
	err := kafka.CheckTopicName(topic)
	if err != nil {
		err = fmt.Errorf("Topic name is invalid: %w: %w", err, kerr.InvalidTopicException)
		rp.ErrorCode, rp.ErrorMessage = code(err), message(err)
		return rp
	}
	p, err := c.Partitions.Get(topic, index)
	if err != nil {
		rp.ErrorCode = code(err)
		if c.image().Topics.ByName(topic) == nil { // Kafka explains the missing topic only
			rp.ErrorMessage = message(err)
		}
		return rp
	}
	active, err := p.Producers()
	if err != nil {
		rp.ErrorCode, rp.ErrorMessage = code(err), message(err)
		return rp
	}
	for _, a := range active {
		m := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		m.ProducerID, m.ProducerEpoch, m.LastSequence = int64(a.ProducerID), int32(a.ProducerEpoch), a.LastSequence
		m.LastTimestamp, m.CoordinatorEpoch = a.LastTimestamp, a.CoordinatorEpoch
		m.CurrentTxnStartOffset = int64(a.TxnStart)
		rp.ActiveProducers = append(rp.ActiveProducers, m)
	}
	return rp
}
