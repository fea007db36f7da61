package main

import (
	"context"

	"github.com/ottla/ottla/test/compat/peer"
)

// ottlaBroker has brokers of ours join a cluster of Apache Kafka's, 1 and 2, whose controller is 1, and take all over, until 2 can go.
func ottlaBroker(ctx context.Context, c *cluster) (verdict, error) {
	for _, m := range []struct {
		kind       peer.Kind
		brokerOnly bool
	}{{peer.Kafka, false}, {peer.Kafka, true}, {peer.Ottla, true}, {peer.Ottla, true}} {
		if err := c.add(m.kind, m.brokerOnly); err != nil {
			return verdict{}, err
		}
	}
	c.Configure(2)
	if err := c.Start(ctx, 0, 1); err != nil {
		return verdict{}, err
	}
	return c.underLoad(ctx, []int32{1, 2}, []step{
		{"a broker of ours joins", func(ctx context.Context) error { return c.back(ctx, 3) }},
		{"replicas to it", c.moved(3, 1)},
		{"SIGKILL of our broker", c.away(c.kill, 3)},
		{"SIGTERM of our broker", c.away(c.stop, 3)},
		{"SIGSTOP of our broker", c.still(3)},
		{"another one joins", func(ctx context.Context) error { return c.back(ctx, 4) }},
		{"all replicas to ours", c.moved(3, 4)},
		{"the Kafka broker is retired", func(ctx context.Context) error { return c.retire(ctx, 2) }},
		{"SIGKILL of our other broker", c.away(c.kill, 4)},
		{"SIGTERM of the Kafka controller", c.away(c.stop, 1)},
		{"SIGKILL of the Kafka controller", c.away(c.kill, 1)},
	})
}
