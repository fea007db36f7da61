package main

import (
	"context"

	"github.com/ottla/ottla/test/compat/peer"
)

// kafkaBroker has a broker of Apache Kafka beside three nodes of ours.
func kafkaBroker(ctx context.Context, c *cluster) (verdict, error) {
	for range 3 {
		if err := c.add(peer.Ottla, false); err != nil {
			return verdict{}, err
		}
	}
	if err := c.add(peer.Kafka, true); err != nil {
		return verdict{}, err
	}
	c.Configure(3)
	if err := c.Start(ctx); err != nil {
		return verdict{}, err
	}
	return c.underLoad(ctx, []int32{1, 2, 3}, []step{
		{"replicas to the Kafka broker", c.moved(4, 1, 2)},
		{"SIGKILL of the Kafka broker", c.away(c.kill, 4)},
		{"SIGTERM of the Kafka broker", c.away(c.stop, 4)},
		{"SIGSTOP of the Kafka broker", c.still(4)},
		{"replicas away from the Kafka broker", c.moved(1, 2, 3)},
		{"and back", c.moved(3, 4, 2)},
		{"SIGKILL of our node 1", c.away(c.kill, 1)},
		{"SIGKILL of our node 2", c.away(c.kill, 2)},
		{"SIGKILL of our node 3", c.away(c.kill, 3)},
		{"SIGTERM of our node 2", c.away(c.stop, 2)},
		{"SIGTERM of our node 3", c.away(c.stop, 3)},
	})
}
