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
		e.refuseAll(response, refuse(kerr.InvalidRequest, "Unknown election type %d", kind))
		return Result{Response: response}, nil
	}
	if timedOut(e.Request.TimeoutMillis) {
		e.refuseAll(response, refuseBare(kerr.RequestTimedOut))
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

// refuseAll gives the request and each partition that it names the same answer.
func (e ElectLeaders) refuseAll(response *kmsg.ElectLeadersResponse, why *refusal) {
	response.ErrorCode = why.code.Code
	for i := range e.Request.Topics {
		answer := kmsg.NewElectLeadersResponseTopic()
		answer.Topic = e.Request.Topics[i].Topic
		for _, id := range e.Request.Topics[i].Partitions {
			answer.Partitions = append(answer.Partitions, electedAnswer(id, why))
		}
		response.Topics = append(response.Topics, answer)
	}
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
		return refuse(kerr.ElectionNotNeeded, "Leader election not needed for topic partition.")
	}
	change := newPartitionChange(c, topic, p)
	change.elect = preferred
	if kind == uncleanElection {
		change.elect = unclean
	}
	r, ok := change.record()
	if !ok {
		if kind == preferredElection {
			return refuse(kerr.PreferredLeaderNotAvailable, "The preferred leader was not available.")
		}
		return refuse(kerr.EligibleLeadersNotAvailable, "Eligible topic partition leaders are not available.")
	}
	*out = append(*out, r)
	return nil
}
