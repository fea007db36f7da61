package peer

import (
	"bytes"
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestFetchSnapshotInPieces: each piece is asked for where the one before it ends.
func TestFetchSnapshotInPieces(t *testing.T) {
	const whole = "a snapshot in pieces"
	var got bytes.Buffer
	err := FetchSnapshot(t.Context(), 7, 3, &got, func(_ context.Context, req *kmsg.FetchSnapshotRequest) (kmsg.Response, error) {
		asked := req.Topics[0].Partitions[0]
		if asked.SnapshotID.EndOffset != 7 || asked.SnapshotID.Epoch != 3 {
			t.Errorf("asked for %+v", asked.SnapshotID)
		}
		p := kmsg.NewFetchSnapshotResponseTopicPartition()
		p.Position, p.Size = asked.Position, int64(len(whole))
		p.Bytes = []byte(whole[asked.Position:min(asked.Position+6, p.Size)])
		return &kmsg.FetchSnapshotResponse{Topics: []kmsg.FetchSnapshotResponseTopic{{Partitions: []kmsg.FetchSnapshotResponseTopicPartition{p}}}}, nil
	})
	if err != nil || got.String() != whole {
		t.Errorf("got %q, %v", got.String(), err)
	}
}
