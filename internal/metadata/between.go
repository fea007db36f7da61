package metadata

import (
	"iter"
	"maps"

	"github.com/ottla/ottla/internal/kafka"
)

// Between is the change from one image to a later one that no records lead to: a snapshot was loaded. A topic that is in both
// counts as changed with all its partitions.
func Between(from, to *Image) *Delta {
	d := NewDelta(from)
	d.features = &featuresDelta{next: maps.Clone(to.Features.levels)}
	d.producerIDs = &to.ProducerIDs
	d.nodesBetween(from.Cluster, to.Cluster)
	d.topicsBetween(from.Topics, to.Topics)
	d.configs = &configsDelta{changed: between(from.Configs.all.All(), to.Configs.all.All(), map[string]string(nil))}
	d.kept = &keptDelta{changed: between(maps.All(from.Kept.records), maps.All(to.Kept.records), Record{})}
	return d
}

// between gives all keys of two maps their later value, or gone.
func between[K comparable, V any](from, to iter.Seq2[K, V], gone V) map[K]V {
	changed := make(map[K]V)
	for k := range from {
		changed[k] = gone
	}
	for k, v := range to {
		changed[k] = v
	}
	return changed
}

func (d *Delta) nodesBetween(from, to *Cluster) {
	d.cluster = &clusterDelta{brokers: make(map[kafka.NodeID]*Broker), controllers: make(map[kafka.NodeID]*ControllerNode)}
	for _, b := range from.brokers {
		d.cluster.brokers[b.ID] = nil
	}
	for _, b := range to.brokers {
		d.cluster.brokers[b.ID] = b
	}
	for _, n := range from.controllers {
		d.cluster.controllers[n.ID] = nil
	}
	for _, n := range to.controllers {
		d.cluster.controllers[n.ID] = n
	}
}

func (d *Delta) topicsBetween(from, to *Topics) {
	d.topics = &topicsDelta{changed: make(map[kafka.TopicID]*TopicChange), byName: make(map[string]*Topic)}
	for t := range from.All() {
		d.topics.changed[t.ID] = &TopicChange{Before: t}
		d.topics.byName[t.Name] = nil
	}
	for t := range to.All() {
		d.topics.changed[t.ID] = &TopicChange{Before: from.ByID(t.ID), After: copied(t)}
		d.topics.byName[t.Name] = d.topics.changed[t.ID].After
	}
}

// copied is a topic whose partitions are no other's: what changed is told by their pointers.
func copied(t *Topic) *Topic {
	next := &Topic{Name: t.Name, ID: t.ID, Partitions: make([]*Partition, len(t.Partitions))}
	for i, p := range t.Partitions {
		next.Partitions[i] = new(*p)
	}
	return next
}
