package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// topics are those that are moved and watched.
var topics = []string{franzTopic, javaTopic, "__consumer_offsets"}

// step is something that is done to a cluster under load.
type step struct {
	name string
	do   func(context.Context) error
}

// kafkaBroker has a broker of Apache Kafka beside three nodes of ours.
func kafkaBroker(ctx context.Context, c *cluster) (verdict, error) {
	for range 3 {
		if err := c.add(peer.Ottla, broker|controller); err != nil {
			return verdict{}, err
		}
	}
	if err := c.add(peer.Kafka, broker); err != nil {
		return verdict{}, err
	}
	c.configure()
	if err := c.start(ctx, 1, 2, 3, 4); err != nil {
		return verdict{}, err
	}
	back := func(ctx context.Context, id int32) error {
		if err := c.start(ctx, id); err != nil {
			return err
		}
		if err := c.settle(ctx, topics, nil); err != nil {
			return err
		}
		return c.elect(ctx, topics)
	}
	away := func(end func(context.Context, int32) error, id int32) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := end(ctx, id); err != nil {
				return err
			}
			if err := pause(ctx, 2*time.Second); err != nil {
				return err
			}
			return back(ctx, id)
		}
	}
	still := func(ctx context.Context, id int32) error {
		if err := c.member(id).process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		err := pause(ctx, 2*time.Second)
		if e := c.member(id).process.Signal(syscall.SIGCONT); e != nil {
			return e
		}
		return err
	}
	move := func(at ...int32) func(context.Context) error {
		return func(ctx context.Context) error { return c.move(ctx, topics, at...) }
	}
	return c.underLoad(ctx, []int32{1, 2, 3}, []step{
		{"replicas to the Kafka broker", move(4, 1, 2)},
		{"SIGKILL of the Kafka broker", away(c.kill, 4)},
		{"SIGTERM of the Kafka broker", away(c.stop, 4)},
		{"SIGSTOP of the Kafka broker", func(ctx context.Context) error {
			if err := still(ctx, 4); err != nil {
				return err
			}
			if err := c.settle(ctx, topics, nil); err != nil {
				return err
			}
			return c.elect(ctx, topics)
		}},
		{"replicas away from the Kafka broker", move(1, 2, 3)},
		{"and back", move(3, 4, 2)},
		{"SIGKILL of our node 1", away(c.kill, 1)},
		{"SIGKILL of our node 2", away(c.kill, 2)},
		{"SIGKILL of our node 3", away(c.kill, 3)},
		{"SIGTERM of our node 2", away(c.stop, 2)},
		{"SIGTERM of our node 3", away(c.stop, 3)},
	})
}

// underLoad does one step after the other while clients work, and judges.
func (c *cluster) underLoad(ctx context.Context, at []int32, steps []step) (v verdict, err error) {
	if err := c.connect(); err != nil {
		return v, err
	}
	for _, topic := range topics[:2] {
		if err := c.create(ctx, topic, partitions, at...); err != nil {
			return v, err
		}
	}
	l, err := begin(ctx, c)
	if err != nil {
		return v, err
	}
	if err := c.offsetsTopic(ctx); err != nil {
		return v, err
	}
	for _, s := range steps {
		l.longest()
		if err := s.do(ctx); err != nil {
			return v, fmt.Errorf("%s: %w", s.name, err)
		}
		gap := l.longest()
		if gap > v.gap {
			v.gap, v.at = gap, s.name
		}
		v.steps++
		fmt.Printf("%s: longest wait %v\n", s.name, gap.Round(time.Millisecond))
	}
	acked, errors, err := l.end()
	if err != nil {
		return v, err
	}
	v.errors = errors
	if err := c.settle(ctx, topics, nil); err != nil {
		return v, err
	}
	return v, c.judge(ctx, &v, acked)
}

// offsetsTopic waits until the groups have one.
func (c *cluster) offsetsTopic(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	for {
		details, err := c.admin.ListTopics(ctx, topics[2])
		if err == nil && details[topics[2]].Err == nil {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("there is no __consumer_offsets: %w", err)
		}
	}
}
