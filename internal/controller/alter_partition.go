package controller

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

func (a AlterPartition) handle(c *Controller, t turn) (Result, error) {
	req := a.Request
	response := kmsg.NewPtrAlterPartitionResponse()
	response.Version = req.Version
	if len(req.Topics) == 0 {
		return Result{Response: response}, nil // whoever asks
	}
	b := c.Image().Cluster.Broker(kafka.NodeID(req.BrokerID))
	if b == nil || b.Epoch != kafka.BrokerEpoch(req.BrokerEpoch) {
		response.ErrorCode = kerr.StaleBrokerEpoch.Code
		return Result{Response: response}, nil
	}
	var out records
	for i := range req.Topics {
		asked := &req.Topics[i]
		answer := kmsg.NewAlterPartitionResponseTopic()
		answer.TopidID = asked.TopicID
		topic := c.Image().Topics.ByID(asked.TopicID)
		for j := range asked.Partitions {
			answer.Partitions = append(answer.Partitions, c.alterPartition(&out, b.ID, topic, &asked.Partitions[j], req.Version))
		}
		response.Topics = append(response.Topics, answer)
	}
	return Result{Records: out, Response: response}, nil
}

// newISR is the in-sync set that a request asks for, with broker epochs where the version has them (KIP-903).
func newISR(asked *kmsg.AlterPartitionRequestTopicPartition, version int16) (nodes []int32, epochs []int64) {
	if version < 3 {
		return slices.Clone(asked.NewISR), slices.Repeat([]int64{-1}, len(asked.NewISR))
	}
	for _, n := range asked.NewEpochISR {
		nodes, epochs = append(nodes, n.BrokerID), append(epochs, n.BrokerEpoch)
	}
	return nodes, epochs
}

func (c *Controller) alterPartition(out *records, from kafka.NodeID, topic *metadata.Topic, asked *kmsg.AlterPartitionRequestTopicPartition, version int16) kmsg.AlterPartitionResponseTopicPartition {
	answer := kmsg.NewAlterPartitionResponseTopicPartition()
	answer.Partition = asked.Partition
	p := topic.Partition(asked.Partition)
	isr, epochs := newISR(asked, version)
	if code := c.checkAlterPartition(from, topic, p, asked, isr, epochs); code != nil {
		answer.ErrorCode = code.Code
		return answer
	}
	change := newPartitionChange(c, topic, p)
	change.isr, change.recovering = isr, asked.LeaderRecoveryState == 1
	if r, ok := change.record(); ok {
		*out = append(*out, r)
		p = p.Merge(r.Body.(*schema.PartitionChangeRecord))
		if p.Leader != from {
			// The new ISR completed a reassignment that took the leadership from the caller.
			answer.ErrorCode = kerr.NewLeaderElected.Code
			return answer
		}
	}
	answer.LeaderID, answer.LeaderEpoch = int32(p.Leader), int32(p.LeaderEpoch)
	answer.ISR, answer.PartitionEpoch = p.ISR, int32(p.PartitionEpoch)
	if p.Recovering {
		answer.LeaderRecoveryState = 1
	}
	return answer
}

func (c *Controller) checkAlterPartition(from kafka.NodeID, topic *metadata.Topic, p *metadata.Partition, asked *kmsg.AlterPartitionRequestTopicPartition, isr []int32, epochs []int64) *kerr.Error {
	switch {
	case topic == nil:
		return kerr.UnknownTopicID
	case p == nil:
		return kerr.UnknownTopicOrPartition
	case asked.LeaderEpoch > int32(p.LeaderEpoch), asked.PartitionEpoch > int32(p.PartitionEpoch):
		return kerr.NotController // the caller knows of a later controller
	case asked.LeaderEpoch < int32(p.LeaderEpoch):
		return kerr.FencedLeaderEpoch
	case p.Leader != from:
		return kerr.InvalidRequest
	case asked.PartitionEpoch < int32(p.PartitionEpoch):
		return kerr.InvalidUpdateVersion
	case !validISR(p, isr), !slices.Contains(isr, int32(p.Leader)):
		return kerr.InvalidRequest
	case asked.LeaderRecoveryState < 0, asked.LeaderRecoveryState > 1: // Kafka's controller fails on it, and is another one then
		return kerr.InvalidRequest
	case asked.LeaderRecoveryState == 1 && (len(isr) > 1 || !p.Recovering):
		return kerr.InvalidRequest
	}
	for i, node := range isr {
		b := c.Image().Cluster.Broker(kafka.NodeID(node))
		if !b.Active() || epochs[i] != -1 && b.Epoch != kafka.BrokerEpoch(epochs[i]) {
			return kerr.IneligibleReplica
		}
	}
	return nil
}

// validISR reports whether an in-sync set names replicas, each once.
func validISR(p *metadata.Partition, isr []int32) bool {
	sorted := slices.Sorted(slices.Values(isr))
	return len(isr) > 0 && len(slices.Compact(sorted)) == len(isr) && containsAll(p.Replicas, isr)
}
