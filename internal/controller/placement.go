package controller

import (
	"math/rand/v2"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/placement"
)

// placer places replicas on brokers.
type placer struct{ *placement.Placer }

// newPlacer considers the brokers that are not about to go.
func newPlacer(random *rand.Rand, usable []*metadata.Broker) placer {
	var brokers []placement.Broker
	for _, b := range usable {
		brokers = append(brokers, placement.Broker{ID: int32(b.ID), Rack: b.Rack, Fenced: b.Fenced})
	}
	return placer{placement.Over(random, brokers)}
}

// check refuses a replication factor that the brokers can't give.
func (p placer) check(replicas int16) *refusal {
	switch {
	case replicas <= 0:
		return refuse(kerr.InvalidReplicationFactor, "Invalid replication factor %d: the replication factor must be positive.", replicas)
	case p.Alive == 0:
		return refuse(kerr.InvalidReplicationFactor, "All brokers are currently fenced.")
	case int(replicas) > p.Total:
		return refuse(kerr.InvalidReplicationFactor, "The target replication factor of %d cannot be reached because only %d broker(s) are registered "+
			"or some brokers have all their log directories cordoned.",
			replicas, p.Total)
	}
	return nil
}

// next places one partition; check must have passed.
func (p placer) next(replicas int16) []int32 { return p.Next(int(replicas)) }

// placer starts a placement over the brokers of the moment.
func (c *Controller) placer() placer {
	var usable []*metadata.Broker
	for _, b := range c.Image().Cluster.Brokers() {
		s := c.sessions[b.ID]
		leaving := s != nil && s.shutdownAt != kafka.NoOffset
		if !leaving && !cordoned(b) {
			usable = append(usable, b)
		}
	}
	return newPlacer(c.cfg.Random, usable)
}

// openDirectories are those that take new replicas (KIP-1066).
func openDirectories(b *metadata.Broker) []kafka.UUID {
	return slices.DeleteFunc(slices.Clone(b.Directories), func(dir kafka.UUID) bool { return slices.Contains(b.Cordoned, dir) })
}

// cordoned reports whether a broker takes no new replicas at all.
func cordoned(b *metadata.Broker) bool { return len(b.Directories) > 0 && len(openDirectories(b)) == 0 }

// directory is where a broker keeps a new replica: its only directory, or one of its own choice (KIP-858).
func (c *Controller) directory(node int32) kafka.UUID {
	b := c.Image().Cluster.Broker(kafka.NodeID(node))
	if b == nil {
		return kafka.UnassignedDirectory
	}
	if len(b.Directories) == 0 {
		return kafka.MigratingDirectory
	}
	if dirs := openDirectories(b); len(dirs) == 1 {
		return dirs[0]
	}
	return kafka.UnassignedDirectory
}

// newPartition is a partition whose leader is its first active replica, or nil if there is none.
func (c *Controller) newPartition(id int32, replicas []int32) *metadata.Partition {
	p := &metadata.Partition{ID: id, Replicas: replicas}
	for _, node := range replicas {
		p.Directories = append(p.Directories, c.directory(node))
		if c.Image().Cluster.Broker(kafka.NodeID(node)).Active() {
			p.ISR = append(p.ISR, node)
		}
	}
	if len(p.ISR) == 0 {
		return nil
	}
	p.Leader = kafka.NodeID(p.ISR[0])
	return p
}

// checkAssignment refuses a manual assignment that names a broker twice or one that is not there. want is the
// number of replicas that other partitions have, 0 for the first.
func (c *Controller) checkAssignment(replicas []int32, want int) *refusal {
	if len(replicas) == 0 {
		return refuse(kerr.InvalidReplicaAssignment, "The manual partition assignment includes an empty replica list.")
	}
	sorted := slices.Sorted(slices.Values(replicas))
	for i, node := range sorted {
		switch b := c.Image().Cluster.Broker(kafka.NodeID(node)); {
		case b == nil:
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes broker %d, but no such broker is registered.", node)
		case cordoned(b):
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes broker %d, but all its log directories are cordoned.", node)
		}
		if i > 0 && node == sorted[i-1] {
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes the broker %d more than once.", node)
		}
	}
	if want > 0 && len(replicas) != want {
		return refuse(kerr.InvalidReplicaAssignment, "The manual partition assignment includes a partition with %d replica(s), "+
			"but this is not consistent with previous partitions, which have %d replica(s).", len(replicas), want)
	}
	return nil
}
