package controller

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/metadata"
)

func (r CreatePartitions) handle(c *Controller, t turn) (Result, error) {
	req := r.Request
	response := kmsg.NewPtrCreatePartitionsResponse()
	response.Version = req.Version
	if timedOut(req.TimeoutMillis) {
		for i := range req.Topics {
			answerPartitions(response, req.Topics[i].Topic, refuseBare(kerr.RequestTimedOut))
		}
		return Result{Response: response}, nil
	}
	times := make(map[string]int, len(req.Topics))
	for i := range req.Topics {
		times[req.Topics[i].Topic]++
	}
	if c.additionalAsked(req, times) > maxPartitionsPerRequest {
		for i := range req.Topics {
			answerPartitions(response, req.Topics[i].Topic, refuse(kerr.PolicyViolation, "Excessively large number of additional partitions per request."))
		}
		return Result{Response: response}, nil
	}
	var out records
	for i := range req.Topics {
		topic := &req.Topics[i]
		var refused *refusal
		switch {
		case times[topic.Topic] == 0:
			continue
		case times[topic.Topic] > 1:
			times[topic.Topic] = 0 // said once
			refused = refuse(kerr.InvalidRequest, "Duplicate topic name.")
		case !allowed(r.MayAlter, topic.Topic):
			refused = refuseBare(kerr.TopicAuthorizationFailed)
		default:
			refused = c.createPartitions(&out, topic)
		}
		answerPartitions(response, topic.Topic, refused)
	}
	if req.ValidateOnly {
		out = nil
	}
	return Result{Records: out, Response: response}, nil
}

func answerPartitions(response *kmsg.CreatePartitionsResponse, name string, refused *refusal) {
	answer := kmsg.NewCreatePartitionsResponseTopic()
	answer.Topic = name
	answer.ErrorCode, answer.ErrorMessage = refused.split()
	response.Topics = append(response.Topics, answer)
}

func (c *Controller) additionalAsked(req *kmsg.CreatePartitionsRequest, times map[string]int) int64 {
	var sum int64
	for i := range req.Topics {
		t := &req.Topics[i]
		existing := c.Image().Topics.ByName(t.Topic)
		if times[t.Topic] == 1 && existing != nil {
			sum += max(0, int64(t.Count)-int64(len(existing.Partitions)))
		}
	}
	return sum
}

func (c *Controller) createPartitions(out *records, req *kmsg.CreatePartitionsRequestTopic) *refusal {
	topic := c.Image().Topics.ByName(req.Topic)
	if topic == nil {
		return refuseBare(kerr.UnknownTopicOrPartition)
	}
	have := int32(len(topic.Partitions))
	switch {
	case req.Count == have:
		return refuse(kerr.InvalidPartitions, "Topic already has %d partition(s).", have)
	case req.Count < have:
		return refuse(kerr.InvalidPartitions, "The topic %s currently has %d partition(s); %d would not be an increase.",
			req.Topic, have, req.Count)
	}
	additional := req.Count - have
	if req.Assignment != nil && len(req.Assignment) != int(additional) {
		return refuse(kerr.InvalidReplicaAssignment, "Attempted to add %d additional partition(s), but only %d assignment(s) were specified.",
			additional, len(req.Assignment))
	}
	partitions, refused := c.addedPartitions(topic, req, additional)
	if refused != nil {
		return refused
	}
	for _, p := range partitions {
		body, version := p.Record(topic.ID, c.level())
		out.add(body, version)
	}
	return nil
}

// addedPartitions places what comes after the partitions that a topic has, with as many replicas as its first.
func (c *Controller) addedPartitions(topic *metadata.Topic, req *kmsg.CreatePartitionsRequestTopic, additional int32) ([]*metadata.Partition, *refusal) {
	replicas := 1
	if len(topic.Partitions) > 0 {
		replicas = len(topic.Partitions[0].Replicas)
	}
	first := int32(len(topic.Partitions))
	if req.Assignment == nil {
		partitions, refused := c.placePartitions(first, additional, int16(replicas))
		if refused != nil && *refused.message == "All brokers are currently fenced or in controlled shutdown." {
			return nil, refuse(refused.code, "Unable to replicate the partition %d time(s): %s", replicas, *refused.message)
		}
		return partitions, refused
	}
	var partitions []*metadata.Partition
	for i, a := range req.Assignment {
		if refused := c.checkAssignment(a.Replicas, replicas); refused != nil {
			return nil, refused
		}
		id := first + int32(i)
		p := c.newPartition(id, a.Replicas)
		if p == nil {
			return nil, refuse(kerr.InvalidReplicaAssignment, "All brokers specified in the manual partition assignment for partition %d "+
				"are fenced or in controlled shutdown.", id)
		}
		partitions = append(partitions, p)
	}
	return partitions, nil
}
