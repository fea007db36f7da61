package sim

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
)

const (
	fetchWait    = 300 * time.Millisecond
	callPatience = 800 * time.Millisecond
)

// reply answers a request, once; an error stands for an answer that says no more.
type reply func(kmsg.Response, error)

// listens reports whether the listener is open that a request comes by: brokers and clients are served from when the broker is unfenced on.
func (n *node) listens(req kmsg.Request) bool {
	switch req.(type) {
	case *kmsg.AlterPartitionRequest, *kmsg.BrokerRegistrationRequest, *kmsg.BrokerHeartbeatRequest, *kmsg.AddRaftVoterRequest, *kmsg.RemoveRaftVoterRequest:
		return true
	}
	return n.p.serves
}

// serve handles a request, as package api does.
func (n *node) serve(req kmsg.Request, reply reply) {
	p := n.p
	switch req := req.(type) {
	case *kmsg.ProduceRequest:
		p.produce(req, reply)
	case *kmsg.FetchRequest:
		p.fetch(req, reply)
	case *kmsg.ListOffsetsRequest:
		p.listOffsets(req, reply)
	case *kmsg.MetadataRequest:
		p.describe(req, reply)
	case *kmsg.OffsetCommitRequest:
		p.commitOffsets(req, reply)
	case *kmsg.ConsumerGroupHeartbeatRequest:
		p.attend(req, reply)
	case *kmsg.JoinGroupRequest:
		p.askGroup(req.Group, group.JoinGroup{Request: req}, reply)
	case *kmsg.SyncGroupRequest:
		p.askGroup(req.Group, group.SyncGroup{Request: req}, reply)
	case *kmsg.HeartbeatRequest:
		p.askGroup(req.Group, group.Heartbeat{Request: req}, reply)
	case *kmsg.LeaveGroupRequest:
		p.askGroup(req.Group, group.LeaveGroup{Request: req}, reply)
	case *kmsg.OffsetFetchRequest:
		p.fetchOffsets(req, reply)
	case *kmsg.AlterPartitionRequest:
		p.command(controller.AlterPartition{Request: req}, reply)
	case *kmsg.BrokerRegistrationRequest:
		p.command(controller.RegisterBroker{Request: req}, reply)
	case *kmsg.BrokerHeartbeatRequest:
		p.command(controller.Heartbeat{Request: req}, reply)
	case *kmsg.CreateTopicsRequest:
		p.command(controller.CreateTopics{Request: req}, reply)
	case *kmsg.AlterPartitionAssignmentsRequest:
		p.command(controller.AlterPartitionReassignments{Request: req}, reply)
	case *kmsg.AddRaftVoterRequest:
		p.addVoter(req, reply)
	case *kmsg.RemoveRaftVoterRequest:
		p.removeVoter(req, reply)
	default:
		n.w.fail("node %d is asked %T, which it does not know", n.id, req)
	}
}

func (p *process) command(cmd controller.Command, reply reply) {
	p.steps.Submit(cmd, func(resp any, err error) {
		if err != nil {
			reply(nil, err)
			return
		}
		reply(resp.(kmsg.Response), nil)
	})
}

// code is the number of an error.
func code(err error) int16 {
	var known *kerr.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &known):
		return known.Code
	}
	return kerr.UnknownServerError.Code
}

// produce handles a request with one partition.
func (p *process) produce(req *kmsg.ProduceRequest, reply reply) {
	topic := &req.Topics[0]
	asked := &topic.Partitions[0]
	answer := func(base kafka.Offset, err error) {
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		t, a := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
		a.Partition, a.ErrorCode, a.BaseOffset = asked.Partition, code(err), int64(base)
		t.TopicID, t.Partitions = topic.TopicID, append(t.Partitions, a)
		resp.Topics = append(resp.Topics, t)
		reply(resp, nil)
	}
	part, err := p.partitions.GetByID(topic.TopicID, asked.Partition)
	if err == nil {
		err = record.CheckRequest(asked.Records, req.Version)
	}
	if err != nil {
		answer(kafka.NoOffset, err)
		return
	}
	now := p.n.clock()
	res, err := part.Append(partition.AppendRequest{Records: asked.Records, RequiredAcks: req.Acks, Origin: kafka.FromClient, Now: now})
	if errors.Is(err, kerr.OutOfOrderSequenceNumber) {
		p.n.w.tell("node %d: %v", p.n.id, err)
	}
	if err != nil || res.Committed && res.Synced {
		answer(res.BaseOffset, err)
		return
	}
	if res.Duplicate {
		p.n.w.sometimes("retried batch found in the log")
	}
	settle := func(bool) {
		if err := part.Acked(res.End, res.LeaderEpoch); err != nil {
			answer(kafka.NoOffset, err)
			return
		}
		answer(res.BaseOffset, nil)
	}
	w := purgatory.New(purgatory.Each, 1, 0, now.Add(time.Duration(req.TimeoutMillis)*time.Millisecond), settle)
	part.WatchAcked(w, res.End, res.LeaderEpoch)
	p.waits.Start(w)
}

func (p *process) listOffsets(req *kmsg.ListOffsetsRequest, reply reply) {
	topic := &req.Topics[0]
	asked := &topic.Partitions[0]
	found := partition.FoundOffset{Offset: kafka.NoOffset}
	part, err := p.partitions.Get(topic.Topic, asked.Partition)
	if err == nil {
		found, err = part.OffsetFor(partition.OffsetRequest{
			Timestamp: asked.Timestamp, Isolation: kafka.LogEnd, CurrentLeaderEpoch: kafka.LeaderEpoch(asked.CurrentLeaderEpoch),
		})
	}
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	t, a := kmsg.NewListOffsetsResponseTopic(), kmsg.NewListOffsetsResponseTopicPartition()
	a.Partition, a.ErrorCode, a.Offset = asked.Partition, code(err), int64(found.Offset)
	t.Topic, t.Partitions = topic.Topic, append(t.Partitions, a)
	resp.Topics = append(resp.Topics, t)
	reply(resp, nil)
}

// describe tells a client who leads.
func (p *process) describe(req *kmsg.MetadataRequest, reply reply) {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	for t := range p.image.Topics.All() {
		out := kmsg.NewMetadataResponseTopic()
		out.Topic, out.TopicID = new(t.Name), t.ID
		for _, part := range t.Partitions {
			a := kmsg.NewMetadataResponseTopicPartition()
			a.Partition, a.Leader, a.LeaderEpoch = part.ID, int32(part.Leader), int32(part.LeaderEpoch)
			out.Partitions = append(out.Partitions, a)
		}
		resp.Topics = append(resp.Topics, out)
	}
	reply(resp, nil)
}
