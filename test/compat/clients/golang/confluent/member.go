package main

import (
	"errors"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

func join(bootstrap string, m contract.Member, s *contract.Says, leave <-chan struct{}) error {
	cfg := kafka.ConfigMap{"bootstrap.servers": bootstrap, "group.id": m.Group, "auto.offset.reset": "earliest",
		"enable.auto.commit": m.Commit == "auto", "auto.commit.interval.ms": 500, "fetch.wait.max.ms": 100,
		// Close reads on and throws away what it gets: only what was said may be committed.
		"enable.auto.offset.store": false,
		"reconnect.backoff.max.ms": 500, "topic.metadata.refresh.interval.ms": 1000}
	switch m.Mode {
	case "consumer":
		cfg["group.protocol"] = "consumer"
	case "cooperative":
		cfg["partition.assignment.strategy"] = "cooperative-sticky"
	default:
		cfg["partition.assignment.strategy"] = "range"
	}
	if m.Mode != "consumer" {
		cfg["session.timeout.ms"], cfg["heartbeat.interval.ms"] = m.SessionMs, 500
	}
	if m.Instance != "" {
		cfg["group.instance.id"] = m.Instance
	}
	c, err := kafka.NewConsumer(&cfg)
	if err != nil {
		return err
	}
	t := taker{c: c, m: m, s: s, later: make(chan func(), 1000)}
	go func() {
		for f := range t.later {
			f()
		}
	}()
	if err := c.Subscribe(m.Topic, t.rebalanced); err != nil {
		return err
	}
	for {
		select {
		case <-leave:
			return c.Close()
		default:
		}
		switch e := c.Poll(100).(type) {
		case *kafka.Message:
			t.take(e)
		case kafka.OffsetsCommitted:
			committed(s, e.Offsets, e.Error)
		case kafka.Error:
			if e.IsFatal() {
				return e
			}
		}
	}
}

// rebalanced leaves the assignment itself to the library. What is given up is committed before: a commit that came later
// could overtake those of the next owner.
func (t *taker) rebalanced(_ *kafka.Consumer, e kafka.Event) error {
	switch e := e.(type) {
	case kafka.AssignedPartitions:
		t.s.Assigned(ids(e.Partitions))
	case kafka.RevokedPartitions:
		done := make(chan struct{})
		t.later <- func() { close(done) }
		<-done
		t.s.Revoked(ids(e.Partitions))
	}
	return nil
}

func ids(ps []kafka.TopicPartition) []int32 {
	var out []int32
	for _, p := range ps {
		out = append(out, p.Partition)
	}
	return out
}

// taker says what was read, and commits now and then: each commit is a request of its own.
type taker struct {
	c *kafka.Consumer
	m contract.Member
	s *contract.Says
	// later commits beside the reading, in order: the library has no commit that does not wait.
	later chan func()
}

func (t *taker) take(e *kafka.Message) {
	at := e.TopicPartition
	if at.Error != nil {
		return
	}
	t.s.Read([]contract.Message{{Partition: at.Partition, Offset: int64(at.Offset), Value: string(e.Value)}})
	_, _ = t.c.StoreMessage(e) // it fails after a rebalance took the partition away
	switch {
	case at.Offset%20 != 0 || t.m.Commit == "auto":
	case t.m.Commit == "async":
		t.later <- func() { t.commit(e) }
	default:
		t.commit(e)
	}
}

func (t *taker) commit(e *kafka.Message) {
	offsets, err := t.c.CommitMessage(e)
	committed(t.s, offsets, err)
}

func committed(s *contract.Says, offsets []kafka.TopicPartition, err error) {
	next := map[int32]int64{}
	for _, p := range offsets {
		err = errors.Join(err, p.Error)
		if p.Offset >= 0 {
			next[p.Partition] = int64(p.Offset)
		}
	}
	if err == nil {
		s.Committed(next)
	}
}
