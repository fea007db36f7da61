package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// attendant is a member of a consumer group (KIP-848).
type attendant struct {
	owner
	told bool // the coordinator was told what is owned
}

func newAttendant(w *World, number int) *attendant {
	a := &attendant{owner: newOwner(w, number, "team")}
	a.id = a.name
	w.after(w.between(0, 500*time.Millisecond), "", a.beat)
	w.after(w.between(0, 500*time.Millisecond), "", a.work)
	return a
}

// beat keeps the membership, until all is calm and it was answered.
func (a *attendant) beat() {
	w := a.w
	if a.calmed {
		return
	}
	again := func() { w.after(w.between(50*time.Millisecond, 250*time.Millisecond), "", a.beat) }
	leader, known := a.leader(a.at)
	if !known || a.quiet() {
		again()
		return
	}
	calm := w.calm
	w.call(a.me, int(leader.leader), a.heartbeat(), callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = a.take(resp.(*kmsg.ConsumerGroupHeartbeatResponse))
			a.calmed = a.calmed || calm && err == nil
		}
		if err != nil {
			a.failed(err)
		}
		again()
	})
}

func (a *attendant) heartbeat() *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.SetVersion(1)
	req.Group, req.MemberID, req.MemberEpoch, req.RebalanceTimeoutMillis = a.group, a.id, a.epoch, -1
	if a.epoch == 0 {
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames, req.Topics = 1000, []string{topicName}, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		return req
	}
	if !a.told {
		t := kmsg.NewConsumerGroupHeartbeatRequestTopic()
		t.TopicID, t.Partitions = a.w.topicID(), a.owned
		req.Topics = append([]kmsg.ConsumerGroupHeartbeatRequestTopic{}, t)
	}
	return req
}

// take takes in an answer. Who is fenced joins anew.
func (a *attendant) take(resp *kmsg.ConsumerGroupHeartbeatResponse) error {
	err := kerr.ErrorForCode(resp.ErrorCode)
	switch {
	case errors.Is(err, kerr.FencedMemberEpoch), errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.GroupIDNotFound): // all members were silent for long
		a.w.sometimes("member fenced")
		a.epoch, a.owned, a.told = 0, nil, true
		return err
	case err != nil:
		return err
	}
	a.epoch, a.told = resp.MemberEpoch, true
	if resp.Assignment == nil {
		return nil
	}
	var given []int32
	for _, t := range resp.Assignment.Topics {
		given = append(given, t.Partitions...)
	}
	if slices.Sort(given); !slices.Equal(given, a.owned) {
		a.given(given, true)
		a.told = false
	}
	return nil
}

// topicID is the id of the topic that groups read, as some node knows it.
func (w *World) topicID() (id kafka.TopicID) {
	for _, n := range w.nodes {
		if n.up() && n.p.image.Topics.ByName(topicName) != nil {
			id = n.p.image.Topics.ByName(topicName).ID
		}
	}
	return id
}
