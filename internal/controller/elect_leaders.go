package controller

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// The election types of ElectLeaders (KIP-460).
const (
	preferredElection = 0
	uncleanElection   = 1
)

func (e ElectLeaders) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrElectLeadersResponse()
	response.Version = e.Request.Version
	kind := e.Request.ElectionType
	if kind != preferredElection && kind != uncleanElection {
		response.ErrorCode = kerr.InvalidRequest.Code
		return Result{Response: response}, nil
	}
	var out records
	if e.Request.Topics == nil {
		for _, topic := range c.Image().Topics.Sorted() {
			answer := kmsg.NewElectLeadersResponseTopic()
			answer.Topic = topic.Name
			for _, p := range topic.Partitions {
				// Asked for all, the ones that need nothing are left out.
				if refused := c.electLeader(&out, topic, topic.Name, p.ID, kind); refused == nil || refused.code != kerr.ElectionNotNeeded {
					answer.Partitions = append(answer.Partitions, electedAnswer(p.ID, refused))
				}
			}
			response.Topics = append(response.Topics, answer)
		}
		return Result{Records: out, Response: response}, nil
	}
	for i := range e.Request.Topics {
		asked := &e.Request.Topics[i]
		answer := kmsg.NewElectLeadersResponseTopic()
		answer.Topic = asked.Topic
		topic := c.Image().Topics.ByName(asked.Topic)
		for _, id := range asked.Partitions {
			answer.Partitions = append(answer.Partitions, electedAnswer(id, c.electLeader(&out, topic, asked.Topic, id, kind)))
		}
		response.Topics = append(response.Topics, answer)
	}
	return Result{Records: out, Response: response}, nil
}

func electedAnswer(id int32, refused *refusal) kmsg.ElectLeadersResponseTopicPartition {
	answer := kmsg.NewElectLeadersResponseTopicPartition()
	answer.Partition = id
	answer.ErrorCode, answer.ErrorMessage = refused.split()
	return answer
}

func (c *Controller) electLeader(out *records, topic *metadata.Topic, name string, id int32, kind int8) *refusal {
	p := topic.Partition(id)
	switch {
	case topic == nil:
		return refuse(kerr.UnknownTopicOrPartition, "No such topic as %s", name)
	case p == nil:
		return refuse(kerr.UnknownTopicOrPartition, "No such partition as %s-%d", name, id)
	case kind == preferredElection && len(p.Replicas) > 0 && p.Leader == kafka.NodeID(p.Replicas[0]),
		kind == uncleanElection && p.Leader != kafka.NoNode:
		return refuseGeneric(kerr.ElectionNotNeeded)
	}
	change := newPartitionChange(c, topic, p)
	change.elect = preferred
	if kind == uncleanElection {
		change.elect = unclean
	}
	r, ok := change.record()
	if !ok {
		if kind == preferredElection {
			return refuseGeneric(kerr.PreferredLeaderNotAvailable)
		}
		return refuseGeneric(kerr.EligibleLeadersNotAvailable)
	}
	*out = append(*out, r)
	return nil
}
