package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/pause"
)

// topics are those that are moved and watched.
var topics = []string{franzTopic, javaTopic, "__consumer_offsets"}

// step is something that is done to a cluster under load.
type step struct {
	name string
	do   func(context.Context) error
}

// outage is how long a node is away.
const outage = 2 * time.Second

// away is a step in which a node ends, and comes back after a while, to lead again what it is the first replica of.
func (c *cluster) away(end func(context.Context, int32) error, id int32) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := end(ctx, id); err != nil {
			return err
		}
		if err := pause.For(ctx, outage); err != nil {
			return err
		}
		return c.back(ctx, id)
	}
}

// back starts a node, and waits until all is as it was.
func (c *cluster) back(ctx context.Context, id int32) error {
	if err := c.Start(ctx, int(id-1)); err != nil {
		return err
	}
	if err := c.settle(ctx, topics, nil); err != nil {
		return err
	}
	return c.elect(ctx, topics)
}

// still is a step in which a node stands still.
func (c *cluster) still(id int32) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := c.node(id).Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		waited := pause.For(ctx, outage)
		if err := c.node(id).Signal(syscall.SIGCONT); err != nil || waited != nil {
			return err
		}
		if err := c.settle(ctx, topics, nil); err != nil {
			return err
		}
		return c.elect(ctx, topics)
	}
}

// moved is a step that gives all partitions their replicas at these brokers.
func (c *cluster) moved(at ...int32) func(context.Context) error {
	return func(ctx context.Context) error { return c.move(ctx, topics, at...) }
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
		l.acks.Longest()
		if err := s.do(ctx); err != nil {
			return v, fmt.Errorf("%s: %w", s.name, err)
		}
		gap := l.acks.Longest()
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
	return pause.Until(ctx, settles, func(ctx context.Context) error {
		details, err := c.admin.ListTopics(ctx, topics[2])
		return errors.Join(err, details.Error())
	})
}
