package controller

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
)

func (a AlterPartitionReassignments) handle(c *Controller, t turn) (Result, error) {
	req := a.Request
	response := kmsg.NewPtrAlterPartitionAssignmentsResponse()
	response.Version = req.Version
	response.AllowReplicationFactorChange = req.AllowReplicationFactorChange
	if len(req.Topics) == 0 {
		response.ErrorMessage = new("") // as Kafka
	}
	if timedOut(req.TimeoutMillis) {
		response.ErrorCode = kerr.RequestTimedOut.Code
	}
	var out records
	seen := make(map[kafka.TopicPartition]bool)
	for i := range req.Topics {
		asked := &req.Topics[i]
		answer := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		answer.Topic = asked.Topic
		for j := range asked.Partitions {
			part := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			part.Partition = asked.Partitions[j].Partition
			var refused *refusal
			id := kafka.TopicPartition{Topic: asked.Topic, Partition: part.Partition}
			switch {
			case response.ErrorCode != 0:
				refused = refuseBare(kerr.RequestTimedOut)
			case seen[id]:
				refused = refuse(kerr.InvalidRequest, "Duplicate partition.")
			default:
				seen[id] = true
				refused = a.reassign(c, &out, asked.Topic, &asked.Partitions[j])
			}
			part.ErrorCode, part.ErrorMessage = refused.split()
			answer.Partitions = append(answer.Partitions, part)
		}
		response.Topics = append(response.Topics, answer)
	}
	return Result{Records: out, Response: response}, nil
}

func (a AlterPartitionReassignments) reassign(c *Controller, out *records, name string, asked *kmsg.AlterPartitionAssignmentsRequestTopicPartition) *refusal {
	topic := c.Image().Topics.ByName(name)
	p := topic.Partition(asked.Partition)
	var change *partitionChange
	var refused *refusal
	switch {
	case topic == nil:
		return refuse(kerr.UnknownTopicOrPartition, "Unable to find a topic named %s.", name)
	case p == nil:
		return refuse(kerr.UnknownTopicOrPartition, "Unable to find partition %s:%d.", name, asked.Partition)
	case len(*out) >= maxPartitionsPerRequest:
		return refuse(kerr.PolicyViolation, "Excessively large number of partitions per request.")
	case asked.Replicas == nil:
		change, refused = c.cancelReassignment(topic, p)
	default:
		change, refused = c.beginReassignment(topic, p, asked.Replicas, a.Request.Version < 1 || a.Request.AllowReplicationFactorChange)
	}
	if refused != nil {
		return refused
	}
	if r, ok := change.record(); ok {
		*out = append(*out, r)
	}
	return nil
}

// beginReassignment gives a partition the replicas of target. Those that it had stay until the new ones are in sync; where all are, it is done
// at once (KIP-455). One that replaces another, which is not done yet, counts from what was there before both.
func (c *Controller) beginReassignment(topic *metadata.Topic, p *metadata.Partition, target []int32, mayResize bool) (*partitionChange, *refusal) {
	if refused := c.checkAssignment(target, 0); refused != nil {
		return nil, refused
	}
	if factor := len(without(p.Replicas, p.Removing)); !mayResize && len(target) != factor {
		return nil, refuse(kerr.InvalidReplicationFactor, "The replication factor is changed from %d to %d", factor, len(target))
	}
	change := newPartitionChange(c, topic, p)
	change.elect = clean
	change.adding, change.removing = without(target, without(p.Replicas, p.Adding)), without(p.Replicas, target)
	slices.Sort(change.adding)
	slices.Sort(change.removing)
	change.replicas = slices.Concat(target, change.removing)
	return change, nil
}

// cancelReassignment takes back the replicas that a reassignment adds, and keeps those that it removes.
func (c *Controller) cancelReassignment(topic *metadata.Topic, p *metadata.Partition) (*partitionChange, *refusal) {
	if len(p.Adding) == 0 && len(p.Removing) == 0 {
		return nil, refuseBare(kerr.NoReassignmentInProgress)
	}
	change := newPartitionChange(c, topic, p)
	change.replicas, change.isr = without(p.Replicas, p.Adding), without(p.ISR, p.Adding)
	if planted.Bug("cancelled-and-in-sync") {
		change.isr = p.ISR
	}
	change.adding, change.removing = nil, nil
	if len(change.isr) == 0 {
		if len(change.replicas) == 0 || !c.topicConfig(topic.Name).UncleanLeaderElection {
			return nil, refuse(kerr.InvalidReplicaAssignment, "Unable to revert partition assignment for %s:%d because it would require an unclean "+
				"leader election.", topic.Name, p.ID)
		}
		change.isr = change.replicas[:1]
	}
	return change, nil
}

func (l ListPartitionReassignments) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrListPartitionReassignmentsResponse()
	response.Version = l.Request.Version
	if l.Request.Topics == nil {
		for _, topic := range c.Image().Topics.Sorted() {
			addReassignments(response, topic, topic.Partitions)
		}
	}
	for i := range l.Request.Topics {
		asked := &l.Request.Topics[i]
		topic := c.Image().Topics.ByName(asked.Topic)
		var partitions []*metadata.Partition
		for _, id := range asked.Partitions {
			if p := topic.Partition(id); p != nil {
				partitions = append(partitions, p)
			}
		}
		addReassignments(response, topic, partitions)
	}
	return Result{Response: response}, nil
}

// addReassignments adds those partitions of a topic that are being reassigned.
func addReassignments(response *kmsg.ListPartitionReassignmentsResponse, topic *metadata.Topic, partitions []*metadata.Partition) {
	answer := kmsg.NewListPartitionReassignmentsResponseTopic()
	for _, p := range partitions {
		if len(p.Adding) > 0 || len(p.Removing) > 0 {
			part := kmsg.NewListPartitionReassignmentsResponseTopicPartition()
			part.Partition, part.Replicas, part.AddingReplicas, part.RemovingReplicas = p.ID, p.Replicas, p.Adding, p.Removing
			answer.Partitions = append(answer.Partitions, part)
		}
	}
	if len(answer.Partitions) > 0 {
		answer.Topic = topic.Name
		response.Topics = append(response.Topics, answer)
	}
}
