package controller

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

func (a AssignReplicasToDirs) handle(c *Controller, t turn) (Result, error) {
	req := a.Request
	response := kmsg.NewPtrAssignReplicasToDirsResponse()
	response.Version = req.Version
	b := c.Image().Cluster.Broker(kafka.NodeID(req.BrokerID))
	switch {
	case !metadata.HasDirectories(c.level()):
		response.ErrorCode = kerr.UnsupportedVersion.Code
		return Result{Response: response}, nil
	case b == nil || b.Epoch != kafka.BrokerEpoch(req.BrokerEpoch):
		response.ErrorCode = kerr.StaleBrokerEpoch.Code
		return Result{Response: response}, nil
	}
	var out records
	for i := range req.Directories {
		dir := &req.Directories[i]
		answer := kmsg.NewAssignReplicasToDirsResponseDirectory()
		answer.ID = dir.ID
		for j := range dir.Topics {
			topicAnswer := kmsg.NewAssignReplicasToDirsResponseDirectoryTopic()
			topicAnswer.TopicID = dir.Topics[j].TopicID
			for _, p := range dir.Topics[j].Partitions {
				partition := kmsg.NewAssignReplicasToDirsResponseDirectoryTopicPartition()
				partition.Partition = p.Partition
				if code := c.assignDirectory(&out, b, dir.ID, topicAnswer.TopicID, p.Partition); code != nil {
					partition.ErrorCode = code.Code
				}
				topicAnswer.Partitions = append(topicAnswer.Partitions, partition)
			}
			answer.Topics = append(answer.Topics, topicAnswer)
		}
		response.Directories = append(response.Directories, answer)
	}
	return Result{Records: out, Response: response}, nil
}

// assignDirectory notes where a broker keeps its replica. A replica in a directory that is not online leaves the
// in-sync set.
func (c *Controller) assignDirectory(out *records, b *metadata.Broker, dir kafka.UUID, id kafka.TopicID, partition int32) *kerr.Error {
	topic := c.Image().Topics.ByID(id)
	if topic == nil {
		return kerr.UnknownTopicID
	}
	p := topic.Partition(partition)
	if p == nil {
		return kerr.UnknownTopicOrPartition
	}
	at := slices.Index(p.Replicas, int32(b.ID))
	if at < 0 {
		return kerr.NotLeaderForPartition
	}
	moved := *p
	moved.Directories = slices.Clone(p.Directories)
	moved.Directories[at] = dir
	change := newPartitionChange(c, topic, p)
	change.mayBe = func(node int32) bool { return c.mayLead(&moved, node) }
	if !b.HasDirectory(dir) {
		change.isr = without(p.ISR, []int32{int32(b.ID)})
	}
	r, changed := change.record()
	if !changed {
		if p.Directories[at] == dir {
			return nil
		}
		body := schema.NewPartitionChangeRecord()
		body.TopicID, body.PartitionID = topic.ID, p.ID
		r = metadata.Record{Body: &body, Version: metadata.PartitionVersion(c.level())}
	}
	r.Body.(*schema.PartitionChangeRecord).Directories = moved.Directories
	*out = append(*out, r)
	return nil
}
