package raftnet

import (
	"context"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// besidePiece is what an answer with a piece of a snapshot holds beside it at the most, in bytes.
const besidePiece = 1 << 20

// FetchSnapshot implements quorum.Config.FetchSnapshot by Kafka's request of that name (KIP-630).
func (n *Net) FetchSnapshot(ctx context.Context, from kafka.NodeID, id quorum.SnapshotID, w io.Writer) error {
	client := n.client(n.o.MaxSnapshotPiece+besidePiece, func() (quorum.Voter, bool) { return n.o.Quorum().Peer(from) })
	defer client.Close()
	return quorum.FetchSnapshot(ctx, id, w, func(ctx context.Context, req *kmsg.FetchSnapshotRequest) (kmsg.Response, error) {
		ctx, cancel := context.WithTimeout(ctx, n.o.Timeout)
		defer cancel()
		_, epoch := n.o.Quorum().Leader()
		req.ClusterID, req.ReplicaID, req.MaxBytes = &n.o.ClusterID, int32(n.o.Self), int32(n.o.MaxSnapshotPiece)
		req.Topics[0].Partitions[0].CurrentLeaderEpoch = int32(epoch)
		return client.Do(ctx, req)
	})
}
