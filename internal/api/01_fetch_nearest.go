package api

import (
	"cmp"

	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/replica"
)

// nearest returns the replica that a consumer is to read from instead of this leader: one of its own rack, if this node is of another one;
// kafka.NoNode for none (KIP-392, the choice of Kafka's RackAwareReplicaSelector).
func (f *reads) nearest(p *partition.Partition, want *fetchsession.Partition) kafka.NodeID {
	if f.rack == "" || f.replica >= 0 {
		return kafka.NoNode
	}
	cluster := f.image().Cluster
	if inRack(cluster, f.id(), f.rack) {
		return kafka.NoNode
	}
	best := replica.Holder{ID: kafka.NoNode}
	for _, h := range p.Holders(f.Now(), want.Offset) {
		if inRack(cluster, h.ID, f.rack) && (best.ID == kafka.NoNode || nearer(h, best) > 0) {
			best = h
		}
	}
	return best.ID
}

func inRack(cluster *metadata.Cluster, id kafka.NodeID, rack string) bool {
	b := cluster.Broker(id)
	return b.Active() && b.Rack != nil && *b.Rack == rack
}

// nearer compares two replicas of a rack: the one that has more, that had all later, or else has the higher id.
func nearer(a, b replica.Holder) int {
	return cmp.Or(cmp.Compare(a.LogEnd, b.LogEnd), cmp.Compare(b.Behind, a.Behind), cmp.Compare(a.ID, b.ID))
}
