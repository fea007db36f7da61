package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ottla/ottla/test/pause"
)

// paired are the kinds that two nodes can have at a time.
var paired = []string{"deaf", "full", "isolate", "kill", "link", "mute", "pause", "slow", "split"}

// pair does two kinds of fault at a time, of two nodes: with that the cluster may take nothing for a while, and must lose nothing.
func pair(ctx context.Context, c *cluster, v victim) error {
	var can []string
	for _, name := range paired {
		if faults[name].missing(c) == nil {
			can = append(can, name)
		}
	}
	v.random.Shuffle(len(can), func(i, j int) { can[i], can[j] = can[j], can[i] })
	names, victims := can[:2], []victim{v, {node: v.other, other: v.node, random: v.random}}
	fmt.Printf("         %s of node %d and %s of node %d\n", names[0], v.node+1, names[1], v.other+1)
	for i, name := range names {
		if err := faults[name].begin(ctx, c, victims[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		moment(ctx, c, nil, v)
	}
	first := v.random.IntN(2)
	for _, i := range []int{first, 1 - first} {
		if err := faults[names[i]].end(ctx, c, victims[i]); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return nil
}

// last kills a node, and when the other two are in sync without it, both of them. The first one comes back, and one of the others without its data: neither may lead before the
// third one, which alone has all that was acknowledged.
func last(ctx context.Context, c *cluster, v victim) error {
	keeper := nodes - v.node - v.other
	steps := []func() error{
		c.Node(v.other).Kill,
		func() error { return c.inSync(ctx, v.node, keeper) },
		c.Node(v.node).Kill,
		c.Node(keeper).Kill,
		func() error { return c.wipe(ctx, v.node) },
		func() error { return c.Spawn(ctx, v.node) },
		func() error { return c.Spawn(ctx, v.other) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	moment(ctx, c, nil, v)
	return c.Start(ctx, keeper)
}

// errOut says that a node is not in sync.
var errOut = errors.New("not in sync")

// inSync waits until exactly so many nodes are in sync everywhere.
func (c *cluster) inSync(ctx context.Context, some ...int) error {
	return pause.Until(ctx, settles, func(ctx context.Context) error {
		topics, err := c.admin.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		for _, p := range topics[topic].Partitions {
			if len(p.ISR) != len(some) {
				return fmt.Errorf("%w: %v of partition %d are, and %v should be", errOut, p.ISR, p.Partition, some)
			}
		}
		return nil
	})
}
