package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// DescribeLogDirs, key 35, versions 1 to 5. KIP-113 (with the future logs of replicas that are being moved), KIP-827 (sizes of the volume, version 4), KIP-1066 (cordoned
// directories, version 5). Null asks for all partitions, an empty list for none.
func describeLogDirs(c *call, req *kmsg.DescribeLogDirsRequest) *kmsg.DescribeLogDirsResponse {
	resp := kmsg.NewPtrDescribeLogDirsResponse()
	broker := c.image().Cluster.Broker(c.id())
	for _, d := range c.Partitions.Dirs() {
		r := kmsg.NewDescribeLogDirsResponseDir()
		r.Dir = d.Dir.Path
		if d.Err != nil {
			r.ErrorCode = kerr.KafkaStorageError.Code
			resp.Dirs = append(resp.Dirs, r)
			continue
		}
		r.TotalBytes, r.UsableBytes = d.Space.Total, d.Space.Free
		r.IsCordoned = broker != nil && slices.Contains(broker.Cordoned, d.Dir.ID)
		r.Topics = logDirTopics(c, req, d.Dir.ID)
		resp.Dirs = append(resp.Dirs, r)
	}
	return resp
}

func logDirTopics(c *call, req *kmsg.DescribeLogDirsRequest, dir kafka.UUID) []kmsg.DescribeLogDirsResponseDirTopic {
	var asked map[kafka.TopicPartition]bool // nil: all
	if req.Topics != nil {
		asked = map[kafka.TopicPartition]bool{}
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				asked[kafka.TopicPartition{Topic: t.Topic, Partition: p}] = true
			}
		}
	}
	var topics []kmsg.DescribeLogDirsResponseDirTopic
	add := func(id kafka.TopicPartition, size, lag int64, future bool) {
		if len(topics) == 0 || topics[len(topics)-1].Topic != id.Topic {
			t := kmsg.NewDescribeLogDirsResponseDirTopic()
			t.Topic = id.Topic
			topics = append(topics, t)
		}
		m := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		m.Partition, m.Size, m.OffsetLag, m.IsFuture = id.Partition, size, lag, future
		t := &topics[len(topics)-1]
		t.Partitions = append(t.Partitions, m)
	}
	c.Partitions.All(kafka.UUID{}, func(p *partition.Partition) {
		if asked != nil && !asked[p.ID()] {
			return
		}
		if p.Dir() == dir {
			add(p.ID(), p.Size(), max(int64(p.HighWatermark()-p.LogEndOffset()), 0), false)
		}
		if to, size, lag, ok := p.Moving(); ok && to == dir {
			add(p.ID(), size, lag, true)
		}
	})
	return topics
}
