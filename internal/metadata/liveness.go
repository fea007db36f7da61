package metadata

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// IsAlive reports whether clients of a listener can use a broker: it is registered, not fenced, and has that listener.
func (i *Image) IsAlive(listener string, id kafka.NodeID) bool {
	b := i.Cluster.Broker(id)
	if b == nil || b.Fenced {
		return false
	}
	_, ok := b.Endpoint(listener)
	return ok
}

// Alive returns the brokers of ids that clients of a listener can use, in their order.
func (i *Image) Alive(listener string, ids []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int32) bool { return !i.IsAlive(listener, kafka.NodeID(id)) })
}

// OfflineReplicas lists the replicas of a partition whose broker, or log directory there, clients of a listener can't reach. It is never nil.
func (i *Image) OfflineReplicas(listener string, p *Partition) []int32 {
	offline := []int32{}
	for _, id := range p.Replicas {
		dir, _ := p.Directory(kafka.NodeID(id))
		if !i.IsAlive(listener, kafka.NodeID(id)) || !i.Cluster.Broker(kafka.NodeID(id)).HasDirectory(dir) {
			offline = append(offline, id)
		}
	}
	return offline
}
