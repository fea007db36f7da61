package node

import (
	"context"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
)

// Image is the newest committed state of the cluster that this node knows.
func (n *Node) Image() *metadata.Image { return n.quorum.Image() }

// ActiveController is the node that leads the metadata quorum and its epoch, as far as this one knows; kafka.NoNode if none does.
func (n *Node) ActiveController() (kafka.NodeID, kafka.LeaderEpoch) { return n.quorum.Leader() }

// Applied returns when what this node serves has followed the metadata up to offset, or with ctx.
func (n *Node) Applied(ctx context.Context, offset kafka.Offset) error {
	return n.applier.wait(ctx, offset)
}

// Replica is a partition's replica at this node. Errors wrap a kerr value.
func (n *Node) Replica(topic string, index int32) (*partition.Partition, error) {
	return n.partitions.Get(topic, index)
}
