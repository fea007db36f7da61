package kafkatools

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// defaultPerAsk is how many partitions one answer of DescribeTopicPartitions describes at most.
const defaultPerAsk = 2000

// described is a topic and its partitions, sorted.
type described struct {
	name       string
	id         kafka.UUID
	partitions []describedPartition
}

type describedPartition struct {
	partition, leader int32
	replicas, isr     []int32
	// elr and lastKnownELR are nil when the server does not tell.
	elr, lastKnownELR []int32
	adding, removing  []int32
	moving            bool
}

// describeByName describes topics, in the order of Java's map of them; perAsk bounds the partitions of one answer.
func (c *client) describeByName(ctx context.Context, names []string, perAsk int32) ([]described, error) {
	hash := func(d described) int32 { return java.HashString(d.name) }
	all, err := c.describePages(ctx, names, perAsk)
	if errors.Is(err, errNoSuchAPI) {
		all, err = c.describeMetadata(ctx, names)
	}
	if err != nil {
		return nil, err
	}
	all = java.HashOrderCopied(java.HashOrderSized(all, len(all), hash), hash)
	return java.HashOrderSized(all, len(all), hash), nil
}

// describePages asks DescribeTopicPartitions, page after page.
func (c *client) describePages(ctx context.Context, names []string, perAsk int32) ([]described, error) {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit = perAsk
	for _, n := range slices.Sorted(slices.Values(names)) {
		t := kmsg.NewDescribeTopicPartitionsRequestTopic()
		t.Topic = n
		req.Topics = append(req.Topics, t)
	}
	var all []described
	for {
		resp, err := ask[*kmsg.DescribeTopicPartitionsResponse](ctx, c, "describeTopicPartitions", req)
		if err != nil {
			return nil, err
		}
		for _, t := range resp.Topics {
			if err := javaCode(t.ErrorCode, nil); err != nil {
				return nil, err
			}
			if len(all) == 0 || all[len(all)-1].name != *t.Topic {
				all = append(all, described{name: *t.Topic, id: t.TopicID})
			}
			d := &all[len(all)-1]
			for _, p := range t.Partitions {
				d.partitions = append(d.partitions, describedPartition{
					partition: p.Partition, leader: p.LeaderID, replicas: p.Replicas, isr: p.ISR,
					elr: p.EligibleLeaderReplicas, lastKnownELR: p.LastKnownELR,
				})
			}
		}
		if resp.NextCursor == nil {
			return all, nil
		}
		next := kmsg.NewDescribeTopicPartitionsRequestCursor()
		next.Topic, next.Partition = resp.NextCursor.Topic, resp.NextCursor.Partition
		req.Cursor = &next
		req.Topics = slices.DeleteFunc(req.Topics, func(t kmsg.DescribeTopicPartitionsRequestTopic) bool { return t.Topic < next.Topic })
	}
}

// describeMetadata asks Metadata, as for a server without DescribeTopicPartitions.
func (c *client) describeMetadata(ctx context.Context, names []string) ([]described, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, n := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(n)
		req.Topics = append(req.Topics, t)
	}
	return c.metadata(ctx, req)
}

// describeByID describes one topic by its id.
func (c *client) describeByID(ctx context.Context, id kafka.UUID) ([]described, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.TopicID = id
	req.Topics = append(req.Topics, t)
	return c.metadata(ctx, req)
}

func (c *client) metadata(ctx context.Context, req *kmsg.MetadataRequest) ([]described, error) {
	resp, err := ask[*kmsg.MetadataResponse](ctx, c, "describeTopics", req)
	if err != nil {
		return nil, err
	}
	var all []described
	for _, t := range resp.Topics {
		if err := javaCode(t.ErrorCode, nil); err != nil {
			return nil, err
		}
		d := described{name: *t.Topic, id: t.TopicID}
		for _, p := range t.Partitions {
			d.partitions = append(d.partitions, describedPartition{partition: p.Partition, leader: p.Leader, replicas: p.Replicas, isr: p.ISR})
		}
		all = append(all, d)
	}
	return all, nil
}
