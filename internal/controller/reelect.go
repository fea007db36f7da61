package controller

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
)

// reason says which broker makes partitions change: at most one of the three is a node.
type reason struct {
	remove kafka.NodeID // leaves all in-sync sets
	add    kafka.NodeID // may lead, though the state still has it fenced
	lost   kafka.NodeID // may have lost records that it acknowledged
}

func leaves(id kafka.NodeID) reason { return reason{remove: id, add: kafka.NoNode, lost: kafka.NoNode} }
func joins(id kafka.NodeID) reason  { return reason{remove: kafka.NoNode, add: id, lost: kafka.NoNode} }
func lost(id kafka.NodeID) reason   { return reason{remove: kafka.NoNode, add: kafka.NoNode, lost: id} }

// inISR selects the partitions that have a broker in sync.
func inISR(id kafka.NodeID) func(*metadata.Partition) bool {
	return func(p *metadata.Partition) bool { return slices.Contains(p.ISR, int32(id)) }
}

// leaderless selects the partitions without a leader.
func leaderless(p *metadata.Partition) bool { return p.Leader == kafka.NoNode }

// selected is a partition with its topic.
type selected struct {
	topic     *metadata.Topic
	partition *metadata.Partition
}

// partitions returns those that want chooses, sorted by topic and id.
func (c *Controller) partitions(want func(*metadata.Partition) bool) []selected {
	var found []selected
	for t := range c.Image().Topics.All() {
		for _, p := range t.Partitions {
			if want(p) {
				found = append(found, selected{t, p})
			}
		}
	}
	slices.SortFunc(found, func(a, b selected) int {
		return cmp.Or(cmp.Compare(a.topic.Name, b.topic.Name), cmp.Compare(a.partition.ID, b.partition.ID))
	})
	return found
}

// reelect adds the changes that partitions need because of why.
func (c *Controller) reelect(out *records, why reason, want func(*metadata.Partition) bool) {
	for _, s := range c.partitions(want) {
		change := newPartitionChange(c, s.topic, s.partition)
		change.mayBe = func(node int32) bool {
			id := kafka.NodeID(node)
			return id != why.remove && id != why.lost && (id == why.add && c.inReach(s.partition, node) || c.mayLead(s.partition, node))
		}
		change.isr = without(s.partition.ISR, []int32{int32(why.remove), int32(why.lost)})
		if why.lost != kafka.NoNode {
			change.lost = []int32{int32(why.lost)}
		}
		if r, ok := change.record(); ok {
			*out = append(*out, r)
		}
	}
}

// partsShutdown adds what a new incarnation of a broker means for its partitions: the old one is down. After an
// unclean shutdown it is not eligible either, until it has caught up (KIP-966).
func (c *Controller) partsShutdown(out *records, id kafka.NodeID, clean bool) {
	if clean || !c.Image().Features.ELR() || planted.Bug("unclean-taken-for-clean") {
		c.reelect(out, leaves(id), inISR(id))
		return
	}
	c.reelect(out, lost(id), func(p *metadata.Partition) bool {
		return slices.Contains(p.ISR, int32(id)) || slices.Contains(p.ELR, int32(id))
	})
}

// mayLead reports whether a broker is active and the directory of its replica is online.
func (c *Controller) mayLead(p *metadata.Partition, node int32) bool {
	return c.Image().Cluster.Broker(kafka.NodeID(node)).Active() && c.inReach(p, node)
}

// inReach reports whether the directory of a broker's replica is online.
func (c *Controller) inReach(p *metadata.Partition, node int32) bool {
	b := c.Image().Cluster.Broker(kafka.NodeID(node))
	dir, ok := p.Directory(kafka.NodeID(node))
	return ok && b != nil && b.HasDirectory(dir)
}

// stored is what the state holds that bears on a topic's configuration.
func (c *Controller) stored(topic map[string]string) Stored {
	configs := c.Image().Configs
	return Stored{
		Cluster: configs.Of(metadata.ConfigResource{Type: metadata.BrokerResource}),
		Node:    configs.Of(metadata.ConfigResource{Type: metadata.BrokerResource, Name: strconv.Itoa(int(c.cfg.NodeID))}),
		Topic:   topic,
	}
}

// resolved remembers what was found last, until configurations change: whole clusters are gone through topic by topic.
type resolved struct {
	configs   *metadata.Configs
	plain     TopicConfig // of topics that set nothing themselves
	topic     string      // the last one that does, and
	ownConfig TopicConfig // what holds for it
}

func (c *Controller) topicConfig(topic string) TopicConfig {
	r, configs := &c.resolved, c.Image().Configs
	if r.configs != configs {
		*r = resolved{configs: configs, plain: c.cfg.Configs.Topic(c.stored(nil))}
	}
	own := configs.Topic(topic)
	if len(own) == 0 {
		return r.plain
	}
	if r.topic != topic {
		r.topic, r.ownConfig = topic, c.cfg.Configs.Topic(c.stored(own))
	}
	return r.ownConfig
}
