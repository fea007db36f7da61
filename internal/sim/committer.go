package sim

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/sim/check"
)

// committer commits offsets of a group of its own, ever greater ones, and asks for them, one request at a time.
type committer struct {
	view
	group string
	at    int32 // the partition of the group
	next  int64
	asked bool // for the offset, when all was calm
}

// committed to is always this partition; what matters is the group's own log.
var subject = kafka.TopicPartition{Topic: topicName}

func newCommitter(w *World, number int) *committer {
	c := &committer{view: newView(w, number, kafka.ConsumerOffsetsTopic, offsetsPartitions), group: fmt.Sprintf("group-%d", number)}
	c.at = coordinator.PartitionFor(c.group, offsetsPartitions)
	w.after(w.between(0, 500*time.Millisecond), "", c.turn)
	return c
}

func (c *committer) idle() bool { return c.asked }

// turn commits, or asks what is committed; the coordinator is the leader of the group's partition.
func (c *committer) turn() {
	leader, known := c.leader(c.at)
	switch {
	case !known:
		c.again()
	case c.w.over() || c.w.chance(0.3):
		c.fetch(leader.leader)
	default:
		c.commit(leader.leader)
	}
}

func (c *committer) again() {
	if !c.asked {
		c.w.after(c.w.between(5*time.Millisecond, 100*time.Millisecond), "", c.turn)
	}
}

// failed asks anew who leads.
func (c *committer) failed() {
	c.w.sometimes("commit or fetch of an offset failed")
	c.refresh()
	c.again()
}

func (c *committer) commit(to kafka.NodeID) {
	w := c.w
	c.next++
	req := kmsg.NewPtrOffsetCommitRequest()
	req.SetVersion(9)
	req.Group, req.Generation = c.group, -1
	t, p := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset = c.next
	t.Topic, t.Partitions = subject.Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	i := len(w.history.Commits)
	w.history.Commits = append(w.history.Commits, check.Commit{
		Group: c.group, Partition: subject, Generation: -1, Offset: kafka.Offset(c.next), Invoked: w.now,
	})
	w.call(c.me, int(to), req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
		}
		if err != nil {
			c.failed()
			return
		}
		done := &w.history.Commits[i]
		done.OK, done.Done = true, w.now
		w.tell("%s has committed %d", c.group, done.Offset)
		c.again()
	})
}

func (c *committer) fetch(from kafka.NodeID) {
	w := c.w
	req := kmsg.NewPtrOffsetFetchRequest()
	req.SetVersion(9)
	g, t := kmsg.NewOffsetFetchRequestGroup(), kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic, t.Partitions = subject.Topic, []int32{0}
	g.Group, g.Topics = c.group, append(g.Topics, t)
	req.Groups = append(req.Groups, g)
	f := check.Fetched{Group: c.group, Partition: subject, Invoked: w.now}
	calm := w.calm
	w.call(c.me, int(from), req, callPatience, func(resp kmsg.Response, err error) {
		var got kmsg.OffsetFetchResponseGroup
		if err == nil {
			got = resp.(*kmsg.OffsetFetchResponse).Groups[0]
			err = kerr.ErrorForCode(got.ErrorCode)
		}
		if err == nil {
			err = kerr.ErrorForCode(got.Topics[0].Partitions[0].ErrorCode)
		}
		if err != nil {
			c.failed()
			return
		}
		f.Offset, f.Done = kafka.Offset(got.Topics[0].Partitions[0].Offset), w.now
		w.history.Fetches = append(w.history.Fetches, f)
		w.tell("%s is told %d", c.group, f.Offset)
		c.asked = c.asked || calm
		c.again()
	})
}
