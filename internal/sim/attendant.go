package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/sim/check"
)

// attendant is a member of a consumer group (KIP-848): it commits offsets of the partitions that it was given. Now and then it sends no heartbeats for a
// while, and goes on committing: another one has its partitions then, and its commits must be refused.
type attendant struct {
	grouped
	id     string
	epoch  int32 // 0 joins
	owned  []int32
	told   bool // the coordinator was told what is owned
	next   map[int32]kafka.Offset
	silent time.Duration // until then
	calmed bool          // a heartbeat was answered when all was calm
}

func newAttendant(w *World, number int) *attendant {
	a := &attendant{grouped: newGrouped(w, number, "team"), id: fmt.Sprintf("member-%d", number), next: map[int32]kafka.Offset{}}
	w.after(w.between(0, 500*time.Millisecond), "", a.beat)
	w.after(w.between(0, 500*time.Millisecond), "", a.work)
	return a
}

func (a *attendant) idle() bool { return a.calmed }

// beat keeps the membership, until all is calm and it was answered.
func (a *attendant) beat() {
	w := a.w
	if a.calmed {
		return
	}
	again := func() { w.after(w.between(50*time.Millisecond, 250*time.Millisecond), "", a.beat) }
	if !w.over() && a.epoch > 0 && w.chance(0.02) {
		w.sometimes("member silent")
		a.silent = w.now + w.between(time.Second, 5*time.Second)
	}
	leader, known := a.leader(a.at)
	if !known || w.now < a.silent && !w.calm {
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
		for _, p := range given {
			if !slices.Contains(a.owned, p) {
				delete(a.next, p) // where it goes on has to be asked
			}
		}
		a.owned, a.told = given, false
		a.w.tell("%s of epoch %d has %v", a.id, a.epoch, given)
	}
	return nil
}

// work commits an offset of something that is owned, or asks where to go on.
func (a *attendant) work() {
	w := a.w
	if w.over() {
		return
	}
	again := func() { w.after(w.between(5*time.Millisecond, 100*time.Millisecond), "", a.work) }
	leader, known := a.leader(a.at)
	if !known || len(a.owned) == 0 || a.epoch == 0 {
		again()
		return
	}
	p := a.owned[w.rng.IntN(len(a.owned))]
	name := kafka.TopicPartition{Topic: topicName, Partition: p}
	next, begun := a.next[p]
	if !begun {
		a.fetch(leader.leader, name, func(at kafka.Offset, err error) {
			if err == nil {
				a.next[p] = at + 1
			}
			again()
		})
		return
	}
	a.next[p] = next + 1
	a.commit(leader.leader, check.Commit{Partition: name, Member: a.id, Generation: a.epoch, Offset: next + 1}, func(err error) {
		if errors.Is(err, kerr.StaleMemberEpoch) || errors.Is(err, kerr.UnknownMemberID) {
			w.sometimes("commit of an old member refused")
		}
		again()
	})
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
