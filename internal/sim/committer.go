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

// grouped is a client that asks the coordinator of a group: the leader of the group's partition.
type grouped struct {
	view
	group string
	at    int32 // the partition of the group
}

func newGrouped(w *World, number int, group string) grouped {
	return grouped{
		view: newView(w, number, kafka.ConsumerOffsetsTopic, offsetsPartitions), group: group, at: coordinator.PartitionFor(group, offsetsPartitions),
	}
}

// commit commits an offset, and notes that in the history.
func (c *grouped) commit(to kafka.NodeID, x check.Commit, done func(error)) {
	w := c.w
	req := kmsg.NewPtrOffsetCommitRequest()
	req.SetVersion(9)
	req.Group, req.MemberID, req.Generation = c.group, x.Member, x.Generation
	t, p := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = x.Partition.Partition, int64(x.Offset)
	t.Topic, t.Partitions = x.Partition.Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	x.Group, x.Invoked = c.group, w.now
	i := len(w.history.Commits)
	w.history.Commits = append(w.history.Commits, x)
	w.call(c.me, int(to), req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
		}
		if err == nil {
			noted := &w.history.Commits[i]
			noted.OK, noted.Done = true, w.now
			w.tell("%s %s of %d has committed %d of %v", c.group, x.Member, x.Generation, x.Offset, x.Partition)
		} else {
			c.failed(err)
		}
		done(err)
	})
}

// fetch asks what is committed, and notes the answer in the history.
func (c *grouped) fetch(from kafka.NodeID, partition kafka.TopicPartition, done func(kafka.Offset, error)) {
	w := c.w
	req := kmsg.NewPtrOffsetFetchRequest()
	req.SetVersion(9)
	g, t := kmsg.NewOffsetFetchRequestGroup(), kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic, t.Partitions = partition.Topic, []int32{partition.Partition}
	g.Group, g.Topics = c.group, append(g.Topics, t)
	req.Groups = append(req.Groups, g)
	f := check.Fetched{Group: c.group, Partition: partition, Invoked: w.now}
	w.call(c.me, int(from), req, callPatience, func(resp kmsg.Response, err error) {
		var got kmsg.OffsetFetchResponseGroup
		if err == nil {
			got = resp.(*kmsg.OffsetFetchResponse).Groups[0]
			err = kerr.ErrorForCode(got.ErrorCode)
		}
		if err == nil {
			err = kerr.ErrorForCode(got.Topics[0].Partitions[0].ErrorCode)
		}
		if err == nil {
			f.Offset, f.Done = kafka.Offset(got.Topics[0].Partitions[0].Offset), w.now
			w.history.Fetches = append(w.history.Fetches, f)
			w.tell("%s is told %d of %v", c.group, f.Offset, partition)
		} else {
			c.failed(err)
		}
		done(f.Offset, err)
	})
}

// failed asks anew who leads.
func (c *grouped) failed(err error) {
	c.w.sometimes("commit or fetch of an offset failed")
	c.w.tell("%s is refused: %v", c.group, err)
	c.refresh()
}

// committer commits offsets of a group without members, ever greater ones, and asks for them, one request at a time.
type committer struct {
	grouped
	next  kafka.Offset
	asked bool // for the offset, when all was calm
}

func newCommitter(w *World, number int) *committer {
	c := &committer{grouped: newGrouped(w, number, fmt.Sprintf("group-%d", number))}
	w.after(w.between(0, 500*time.Millisecond), "", c.turn)
	return c
}

func (c *committer) idle() bool { return c.asked }

// turn commits, or asks what is committed.
func (c *committer) turn() {
	subject := kafka.TopicPartition{Topic: topicName}
	leader, known := c.leader(c.at)
	switch {
	case !known:
		c.again()
	case c.w.over() || c.w.chance(0.3):
		calm := c.w.calm
		c.fetch(leader.leader, subject, func(_ kafka.Offset, err error) {
			c.asked = c.asked || calm && err == nil
			c.again()
		})
	default:
		c.next++
		c.commit(leader.leader, check.Commit{Partition: subject, Generation: -1, Offset: c.next}, func(error) { c.again() })
	}
}

func (c *committer) again() {
	if !c.asked {
		c.w.after(c.w.between(5*time.Millisecond, 100*time.Millisecond), "", c.turn)
	}
}
