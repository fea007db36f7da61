package sim

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/sim/check"
)

// consumer reads one partition from its beginning, by turns from its leader and from followers.
type consumer struct {
	view
	number int
	index  int32
	at     kafka.Offset
	end    kafka.Offset // the high watermark that it was told last
}

func newConsumer(w *World, number int, index int32) *consumer {
	c := &consumer{view: newView(w, number, topicName, w.plan.partitions), number: number, index: index}
	w.after(w.between(0, 500*time.Millisecond), "", c.poll)
	return c
}

func (c *consumer) idle() bool { return c.at >= c.end }

func (c *consumer) poll() {
	w := c.w
	leader, known := c.leader(c.index)
	if !known {
		w.after(50*time.Millisecond, "", c.poll)
		return
	}
	from, epoch := leader.leader, leader.epoch
	if w.chance(0.2) {
		from = kafka.NodeID(w.rng.IntN(w.plan.nodes))
	}
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(req.MaxVersion())
	req.ReplicaState.ID, req.SessionEpoch, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = -1, -1, 100, 1, 1<<20
	t, part := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.CurrentLeaderEpoch, part.LastFetchedEpoch, part.PartitionMaxBytes = c.index, int64(c.at), int32(epoch), -1, 1<<10
	t.TopicID, t.Partitions = c.topic, append(t.Partitions, part)
	req.Topics = append(req.Topics, t)
	w.call(c.me, int(from), req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			err = c.take(resp.(*kmsg.FetchResponse), from == leader.leader)
		}
		if err != nil {
			c.refresh()
		}
		w.after(w.between(time.Millisecond, 60*time.Millisecond), "", c.poll)
	})
}

// take takes in what was read.
func (c *consumer) take(resp *kmsg.FetchResponse, fromLeader bool) error {
	if resp.ErrorCode != 0 || len(resp.Topics) == 0 {
		return kerr.ErrorForCode(resp.ErrorCode)
	}
	a := resp.Topics[0].Partitions[0]
	err := kerr.ErrorForCode(a.ErrorCode)
	if errors.Is(err, kerr.OffsetOutOfRange) && fromLeader {
		c.w.fail("consumer %d: offset %d of partition %d, which it has come to, is out of range at the leader", c.number, c.at, c.index)
	}
	if err != nil {
		return err
	}
	if !fromLeader && len(a.RecordBatches) > 0 {
		c.w.sometimes("read from a follower")
	}
	c.end = kafka.Offset(a.HighWatermark)
	poll := check.Poll{Consumer: c.number, Partition: kafka.TopicPartition{Topic: topicName, Partition: c.index}, At: c.w.now, From: c.at}
	seen, wrong := readAll(a.RecordBatches)
	if wrong != nil {
		c.w.fail("consumer %d read damage in partition %d: %v", c.number, c.index, wrong)
		return nil
	}
	for _, s := range seen {
		if s.Offset >= c.at && s.Offset < c.end {
			poll.Records = append(poll.Records, s)
		}
	}
	if n := len(poll.Records); n > 0 {
		c.at = poll.Records[n-1].Offset + 1
		c.w.history.Polls = append(c.w.history.Polls, poll)
	}
	return nil
}

// readAll returns the records of whole batches. One that is cut short ends them.
func readAll(b []byte) (all []check.Seen, err error) {
	var walker record.Walker
	defer walker.Close()
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			break
		}
		if err == nil {
			err = batch.CheckCRC()
		}
		if err != nil {
			return all, err
		}
		if !batch.IsControl() {
			if all, err = records(&walker, batch, all); err != nil {
				return all, err
			}
		}
		b = rest
	}
	return all, nil
}
