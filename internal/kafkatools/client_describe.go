package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// defaultPerAsk is how many partitions one answer of DescribeTopicPartitions describes at most.
const defaultPerAsk = 2000

// described is a topic and its partitions, sorted; err is why a topic can't be described.
type described struct {
	name       string
	id         kafka.UUID
	partitions []describedPartition
	err        error
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
	all, err := c.describeEach(ctx, names, perAsk)
	if err == nil {
		err = firstError(all)
	}
	if err != nil {
		return nil, err
	}
	return java.HashOrderSized(describedOrder(all), len(all), hashDescribed), nil
}

func hashDescribed(d described) int32 { return java.HashString(d.name) }

// describedOrder is the order in which Java's client gives topics.
func describedOrder(all []described) []described {
	return java.HashOrderCopied(java.HashOrderSized(all, len(all), hashDescribed), hashDescribed)
}

// describeByMap describes topics in the order of Java's map of them. Each may have an error.
func (c *client) describeByMap(ctx context.Context, topics []string) ([]described, error) {
	names := java.StringOrder(distinct(topics))
	if len(names) == 0 {
		return nil, nil
	}
	if slices.Contains(names, "") {
		return nil, inFuture(errUnrepresentable)
	}
	found, err := c.describeEach(ctx, names, defaultPerAsk)
	if err != nil {
		return nil, inFuture(err)
	}
	return describedOrder(found), nil
}

// describeEach describes topics, each of which may have an error.
func (c *client) describeEach(ctx context.Context, names []string, perAsk int32) ([]described, error) {
	all, err := c.describePages(ctx, names, perAsk)
	if errors.Is(err, errNoSuchAPI) {
		return c.describeMetadata(ctx, names)
	}
	return all, err
}

// firstError is why the first of the topics that can't be described can't.
func firstError(all []described) error {
	for _, d := range all {
		if d.err != nil {
			return d.err
		}
	}
	return nil
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
			if t.Topic == nil {
				continue
			}
			if len(all) == 0 || all[len(all)-1].name != *t.Topic {
				all = append(all, described{name: *t.Topic, id: t.TopicID})
			}
			d := &all[len(all)-1]
			d.err = cmp.Or(d.err, javaCode(t.ErrorCode, nil))
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
	all, err := c.metadata(ctx, req)
	if err != nil {
		return nil, err
	}
	return all, firstError(all)
}

func (c *client) metadata(ctx context.Context, req *kmsg.MetadataRequest) ([]described, error) {
	resp, err := ask[*kmsg.MetadataResponse](ctx, c, "describeTopics", req)
	if err != nil {
		return nil, err
	}
	var all []described
	for _, t := range resp.Topics {
		d := described{id: t.TopicID, err: javaCode(t.ErrorCode, nil)}
		if t.Topic != nil {
			d.name = *t.Topic
		}
		for _, p := range t.Partitions {
			d.partitions = append(d.partitions, describedPartition{partition: p.Partition, leader: p.Leader, replicas: p.Replicas, isr: p.ISR})
		}
		all = append(all, d)
	}
	return all, nil
}
