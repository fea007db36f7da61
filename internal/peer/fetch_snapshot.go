package peer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// ErrPiece says that somebody sent another piece of a snapshot than was asked for.
var ErrPiece = errors.New("not the piece of the snapshot that was asked for")

// FetchSnapshot writes another node's snapshot of the metadata, named by its end and the epoch before that, to w, by Kafka's request of that name (KIP-630). Ask fills in who asks, in which epoch, and how much
// comes at a time.
func FetchSnapshot(ctx context.Context, end kafka.Offset, epoch kafka.LeaderEpoch, w io.Writer, ask func(context.Context, *kmsg.FetchSnapshotRequest) (kmsg.Response, error)) error {
	for at := int64(0); ; {
		p := kmsg.NewFetchSnapshotRequestTopicPartition()
		p.Position, p.SnapshotID.EndOffset, p.SnapshotID.Epoch = at, int64(end), int32(epoch)
		t := kmsg.NewFetchSnapshotRequestTopic()
		t.Topic, t.Partitions = kafka.ClusterMetadataTopic, append(t.Partitions, p)
		req := kmsg.NewPtrFetchSnapshotRequest()
		req.SetVersion(req.MaxVersion())
		req.Topics = append(req.Topics, t)
		got, err := ask(ctx, req)
		if err != nil {
			return err
		}
		piece, err := pieceOf(got)
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

func pieceOf(got kmsg.Response) (*kmsg.FetchSnapshotResponseTopicPartition, error) {
	resp, ok := got.(*kmsg.FetchSnapshotResponse)
	if !ok {
		return nil, ErrPiece
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, ErrPiece
	}
	piece := &resp.Topics[0].Partitions[0]
	return piece, kerr.ErrorForCode(piece.ErrorCode)
}
