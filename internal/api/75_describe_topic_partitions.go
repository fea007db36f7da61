package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// DescribeTopicPartitions, key 75, version 0. KIP-966: metadata in pages, with the eligible leader replicas.
//
// Topics come sorted by name, the asked ones or all, from the cursor on. The page ends after the smaller of the
// request's limit and max.request.partition.size.limit partitions, and NextCursor says where to go on.
func describeTopicPartitions(c *call, req *kmsg.DescribeTopicPartitionsRequest) *kmsg.DescribeTopicPartitionsResponse {
	resp := kmsg.NewPtrDescribeTopicPartitionsResponse()
	image := c.image()
	var cursor kmsg.DescribeTopicPartitionsRequestCursor
	if req.Cursor != nil {
		cursor = *req.Cursor
	}
	asked := func(t kmsg.DescribeTopicPartitionsRequestTopic) bool { return t.Topic == cursor.Topic }
	if cursor.Partition < 0 || req.Cursor != nil && len(req.Topics) > 0 && !slices.ContainsFunc(req.Topics, asked) {
		return refusedCursor(resp, req)
	}
	names := describedTopics(image, req, cursor.Topic)
	left := min(max(int(req.ResponsePartitionLimit), 1), c.Config.Network.DescribeMaxPartitions)
	for _, name := range names {
		from := int32(0)
		if name == cursor.Topic {
			from = cursor.Partition
		}
		if left <= 0 {
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: from}
			break
		}
		t := describedTopic(c, image, name)
		topic := image.Topics.ByName(name)
		end := describePartitions(c, image, &t, topic, from, left)
		left -= len(t.Partitions)
		resp.Topics = append(resp.Topics, t)
		if topic != nil && int(end) < len(topic.Partitions) {
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: end}
			break
		}
	}
	return resp
}

// refusedCursor is the answer to a request that wants to go on at a topic it does not ask for, or before the first
// partition.
func refusedCursor(resp *kmsg.DescribeTopicPartitionsResponse, req *kmsg.DescribeTopicPartitionsRequest) *kmsg.DescribeTopicPartitionsResponse {
	for i := range req.Topics {
		t := kmsg.NewDescribeTopicPartitionsResponseTopic()
		t.Topic, t.ErrorCode = &req.Topics[i].Topic, kerr.InvalidRequest.Code
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

// describedTopics lists the names of the page, sorted, at and after from.
func describedTopics(image *metadata.Image, req *kmsg.DescribeTopicPartitionsRequest, from string) []string {
	var names []string
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	if len(req.Topics) == 0 {
		for t := range image.Topics.All() {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n < from })
}

func describedTopic(c *call, image *metadata.Image, name string) kmsg.DescribeTopicPartitionsResponseTopic {
	t := kmsg.NewDescribeTopicPartitionsResponseTopic()
	t.Topic, t.IsInternal, t.AuthorizedOperations = &name, kafka.IsInternal(name), topicOperations
	topic := image.Topics.ByName(name)
	switch {
	case topic != nil:
		t.TopicID = topic.ID
	case kafka.CheckTopicName(name) != nil:
		t.ErrorCode = kerr.InvalidTopicException.Code
	default:
		t.ErrorCode = kerr.UnknownTopicOrPartition.Code
	}
	return t
}

// describePartitions adds at most limit partitions and returns where it ended, exclusive.
func describePartitions(c *call, image *metadata.Image, t *kmsg.DescribeTopicPartitionsResponseTopic, topic *metadata.Topic, from int32, limit int) int32 {
	if topic == nil {
		return 0
	}
	end := min(int(from)+limit, len(topic.Partitions))
	for id := max(from, 0); int(id) < end; id++ {
		p := topic.Partitions[id]
		m := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
		m.Partition, m.LeaderID, m.LeaderEpoch = p.ID, int32(p.Leader), int32(p.LeaderEpoch)
		m.Replicas, m.ISR = p.Replicas, p.ISR
		m.EligibleLeaderReplicas, m.LastKnownELR = orEmpty(p.ELR), orEmpty(p.LastKnownELR)
		m.OfflineReplicas = image.OfflineReplicas(c.listener, p)
		if !image.IsAlive(c.listener, p.Leader) {
			m.LeaderID = int32(kafka.NoNode) // and no error, as in Kafka
		}
		t.Partitions = append(t.Partitions, m)
	}
	return int32(end)
}

// orEmpty turns null into an empty list.
func orEmpty(ids []int32) []int32 {
	if ids == nil {
		return []int32{}
	}
	return ids
}
