package sim

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// moving reports whether a partition is being reassigned.
func moving(p *metadata.Partition) bool { return len(p.Adding)+len(p.Removing) > 0 }

// has reports whether a partition has a replica at this node, as it knows.
func (n *node) has(id kafka.TopicPartition) bool {
	p := n.p.image.Topics.ByName(id.Topic).Partition(id.Partition)
	return p != nil && slices.Contains(p.Replicas, int32(n.id))
}

// mover moves partitions to other replicas, also to more or fewer, and changes its mind now and then, until the run is over (KIP-455).
type mover struct {
	w    *World
	me   who
	goal map[kafka.TopicPartition]goal
}

// goal is a reassignment that was begun.
type goal struct {
	replicas []int32
	adds     bool // somebody who had no replica
	resizes  bool
}

func newMover(w *World, number int) *mover {
	m := &mover{w: w, me: who{firstClient + number, 0, func() bool { return true }}, goal: map[kafka.TopicPartition]goal{}}
	w.after(w.between(time.Second, 3*time.Second), "", m.turn)
	return m
}

func (m *mover) idle() bool { return true }

// turn picks a partition that some node knows, looks what came of it, and asks for something.
func (m *mover) turn() {
	w := m.w
	if w.over() {
		return
	}
	w.after(w.between(50*time.Millisecond, 1500*time.Millisecond), "", m.turn)
	n := w.victim()
	if n == nil {
		return
	}
	leader, _ := n.p.quorum.Leader()
	topics := n.p.image.Topics.Sorted()
	if leader == kafka.NoNode || len(topics) == 0 {
		return
	}
	t := topics[w.rng.IntN(len(topics))]
	p := t.Partitions[w.rng.IntN(len(t.Partitions))]
	name := kafka.TopicPartition{Topic: t.Name, Partition: p.ID}
	m.look(name, p)
	if moving(p) && w.chance(0.5) {
		m.ask(int(leader), name, nil)
		return
	}
	var target []int32
	for _, id := range w.rng.Perm(w.plan.nodes)[:voting-w.rng.IntN(2)] {
		target = append(target, int32(id))
	}
	adds := slices.ContainsFunc(target, func(id int32) bool { return !slices.Contains(p.Replicas, id) })
	m.goal[name] = goal{target, adds, len(target) != len(p.Replicas)}
	m.ask(int(leader), name, target)
}

// look counts what came of the reassignment of a partition.
func (m *mover) look(name kafka.TopicPartition, p *metadata.Partition) {
	g, begun := m.goal[name]
	if !begun || moving(p) || !slices.Equal(p.Replicas, g.replicas) {
		return
	}
	delete(m.goal, name)
	m.w.sometimes("reassignment completed")
	if g.adds {
		m.w.sometimes("replica added by a reassignment")
	}
	if g.resizes {
		m.w.sometimes("replication factor changed")
	}
}

// ask asks the active controller for other replicas, none to cancel.
func (m *mover) ask(leader int, name kafka.TopicPartition, target []int32) {
	w := m.w
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.SetVersion(req.MaxVersion())
	req.TimeoutMillis, req.AllowReplicationFactorChange = 1000, true
	t, p := kmsg.NewAlterPartitionAssignmentsRequestTopic(), kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	p.Partition, p.Replicas = name.Partition, target
	t.Topic, t.Partitions = name.Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	w.call(m.me, leader, req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.AlterPartitionAssignmentsResponse).Topics[0].Partitions[0].ErrorCode)
		}
		w.tell("%v is to be at %v: %v", name, target, err)
		switch {
		case err != nil:
			w.sometimes("reassignment refused")
		case target == nil:
			w.sometimes("reassignment cancelled")
		case w.chance(0.2): // at once
			w.after(w.between(0, 100*time.Millisecond), "", func() { m.ask(leader, name, nil) })
		}
	})
}
