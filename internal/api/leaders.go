package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// lookup finds a partition as a version of Produce or Fetch names it.
func (c *call) lookup(topic string, id kafka.TopicID, index int32) (*partition.Partition, error) {
	if wire.TopicsByID(c.hdr.Version) {
		return c.Partitions.GetByID(id, index)
	}
	return c.Partitions.Get(topic, index)
}

// leaderOf is the leader that a client should go to instead (KIP-951).
func (c *call) leaderOf(topic string, id kafka.TopicID, index int32) wire.LeaderEpoch {
	image := c.image()
	t := image.Topics.ByName(topic)
	if wire.TopicsByID(c.hdr.Version) {
		t = image.Topics.ByID(id)
	}
	p := t.Partition(index)
	if p == nil {
		return wire.NoLeader
	}
	return wire.LeaderEpoch{ID: p.Leader, Epoch: p.LeaderEpoch}
}

// leaders collects the nodes that an answer refers to.
type leaders []kafka.NodeID

func (l *leaders) add(e wire.LeaderEpoch) {
	if e.ID < 0 {
		return
	}
	for _, id := range *l {
		if id == e.ID {
			return
		}
	}
	*l = append(*l, e.ID)
}

func (l leaders) endpoints(c *call) []wire.NodeEndpoint {
	if len(l) == 0 {
		return nil
	}
	var nodes []wire.NodeEndpoint
	image := c.image()
	for _, id := range l {
		b := image.Cluster.Broker(id)
		if e, ok := b.Endpoint(c.listener); ok {
			n := wire.NodeEndpoint{ID: id, Host: e.Host, Port: int32(e.Port)}
			if b.Rack != nil {
				n.Rack = *b.Rack
			}
			nodes = append(nodes, n)
		}
	}
	return nodes
}
