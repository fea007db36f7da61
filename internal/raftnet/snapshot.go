package raftnet

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// besidePiece is what an answer with a piece of a snapshot holds beside it at the most, in bytes.
const besidePiece = 1 << 20

// ErrPiece says that a voter sent another piece than was asked for.
var ErrPiece = errors.New("not the piece of the snapshot that was asked for")

// FetchSnapshot implements quorum.Config.FetchSnapshot by Kafka's request of that name (KIP-630).
func (n *Net) FetchSnapshot(ctx context.Context, from kafka.NodeID, id quorum.SnapshotID, w io.Writer) error {
	client := n.client(from, n.o.MaxSnapshotPiece+besidePiece)
	defer client.Close()
	for at := int64(0); ; {
		piece, err := n.fetchPiece(ctx, client, id, at)
		if err != nil {
			return err
		}
		if piece.Position != at || len(piece.Bytes) == 0 || at+int64(len(piece.Bytes)) > piece.Size {
			return fmt.Errorf("%w: %d bytes at %d of %d", ErrPiece, len(piece.Bytes), piece.Position, piece.Size)
		}
		if _, err := w.Write(piece.Bytes); err != nil {
			return err
		}
		if at += int64(len(piece.Bytes)); at == piece.Size {
			return nil
		}
	}
}

func (n *Net) fetchPiece(ctx context.Context, client *peer.Client, id quorum.SnapshotID, at int64) (*kmsg.FetchSnapshotResponseTopicPartition, error) {
	ctx, cancel := context.WithTimeout(ctx, n.o.Timeout)
	defer cancel()
	_, epoch := n.o.Quorum().Leader()
	req := kmsg.NewPtrFetchSnapshotRequest()
	req.SetVersion(req.MaxVersion())
	req.ClusterID, req.ReplicaID, req.MaxBytes = &n.o.ClusterID, int32(n.o.Self), int32(n.o.MaxSnapshotPiece)
	p := kmsg.NewFetchSnapshotRequestTopicPartition()
	p.CurrentLeaderEpoch, p.Position = int32(epoch), at
	p.SnapshotID.EndOffset, p.SnapshotID.Epoch = int64(id.EndOffset), int32(id.Epoch)
	t := kmsg.NewFetchSnapshotRequestTopic()
	t.Topic, t.Partitions = kafka.ClusterMetadataTopic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	got, err := client.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := got.(*kmsg.FetchSnapshotResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, ErrPiece
	}
	piece := &resp.Topics[0].Partitions[0]
	return piece, kerr.ErrorForCode(piece.ErrorCode)
}
