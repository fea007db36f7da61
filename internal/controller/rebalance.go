package controller

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// maxElections is how many leaders are moved back in one batch; the next one is due at once. Kafka's bound is the same.
const maxElections = 1000

// notPreferred selects the partitions that another replica leads than their first.
func notPreferred(p *metadata.Partition) bool {
	return p.Leader != kafka.NoNode && len(p.Replicas) > 0 && p.Leader != kafka.NodeID(p.Replicas[0])
}

// rebalance gives leadership back to the first replicas that can take it, when it is time to (auto.leader.rebalance.enable).
func (c *Controller) rebalance(out *records, now time.Time) {
	if c.rebalanceAt.IsZero() || now.Before(c.rebalanceAt) {
		return
	}
	for _, s := range c.partitions(notPreferred) {
		if len(*out) == maxElections {
			return
		}
		c.electLeader(out, s.topic, s.topic.Name, s.partition.ID, preferredElection)
	}
	c.rebalanceAt = now.Add(c.cfg.RebalanceInterval)
}
