package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// AlterReplicaLogDirs, key 34, versions 1 and 2. KIP-113: begins to move replicas of this node to other log directories; DescribeLogDirs shows how
// far they are. Of a partition that is named for several directories the last one counts.
func alterReplicaLogDirs(c *call, req *kmsg.AlterReplicaLogDirsRequest) *kmsg.AlterReplicaLogDirsResponse {
	var order []kafka.TopicPartition
	dirs := make(map[kafka.TopicPartition]string)
	for _, d := range req.Dirs {
		for _, t := range d.Topics {
			for _, p := range t.Partitions {
				id := kafka.TopicPartition{Topic: t.Topic, Partition: p}
				if _, known := dirs[id]; !known {
					order = append(order, id)
				}
				dirs[id] = d.Dir
			}
		}
	}
	resp := kmsg.NewPtrAlterReplicaLogDirsResponse()
	topics := make(map[string]int)
	for _, id := range order {
		at, known := topics[id.Topic]
		if !known {
			t := kmsg.NewAlterReplicaLogDirsResponseTopic()
			t.Topic = id.Topic
			at = len(resp.Topics)
			topics[id.Topic] = at
			resp.Topics = append(resp.Topics, t)
		}
		p := kmsg.NewAlterReplicaLogDirsResponseTopicPartition()
		p.Partition = id.Partition
		if err := c.Partitions.AlterDir(id, dirs[id]); err != nil {
			p.ErrorCode = code(err)
			if !errors.Is(err, kerr.UnknownTopicOrPartition) {
				c.Log.Warn("a replica is not moved", "partition", id, "to", dirs[id], "err", err)
			}
		}
		resp.Topics[at].Partitions = append(resp.Topics[at].Partitions, p)
	}
	return resp
}
