package raftnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/raftnet"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// way is a net from voter 1 to voter 2, which is a fake.
type way struct {
	*raftnet.Net
	fake *testkit.Fake
	deaf atomic.Bool // nobody listens at voter 2
}

func open(t *testing.T, handle func(wire.Header, []byte) []byte) *way {
	t.Helper()
	engine, err := quorum.Open(quorum.Config{
		FS: vfs.NewMem(), Dir: "/__cluster_metadata-0", NodeID: 1, Voters: []quorum.Voter{{ID: 1}, {ID: 2}},
		LogConfig: commitlog.DefaultConfig(), Cache: segment.NewCache(1, 1),
		Controller: controller.Config{ClusterID: "c", Random: rand.New(rand.NewPCG(1, 2))},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &way{fake: &testkit.Fake{T: t, Versions: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 59, MaxVersion: 1}}, Handle: handle}}
	w.Net = raftnet.New(raftnet.Options{
		ClusterID: "c", Self: 1, Directory: kafka.UUID{1}, Quorum: func() *quorum.Engine { return engine },
		Dial: func(ctx context.Context, v quorum.Voter) (net.Conn, error) {
			if w.deaf.Load() {
				return nil, errors.New("refused")
			}
			return w.fake.Dial(ctx)
		},
		Timeout: 20 * time.Second, MaxSnapshotPiece: 10, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		w.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// TestMessagesArriveInOrder: what is sent while a request is on its way goes together with the next, and all of it in order.
func TestMessagesArriveInOrder(t *testing.T) {
	const n = 1000
	var mu sync.Mutex
	var got []string
	all := make(chan struct{})
	w := open(t, func(h wire.Header, body []byte) []byte {
		var req wire.RaftRequest
		if err := req.Read(h, body); err != nil {
			t.Error(err)
			return nil
		}
		if req.ClusterID != "c" || req.From.ID != 1 || req.From.Directory != (kafka.UUID{1}) || req.To != 2 {
			t.Errorf("%+v", req)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, m := range req.Messages {
			if got = append(got, string(m)); len(got) == n {
				close(all)
			}
		}
		return testkit.Answer(h, &wire.RaftResponse{})
	})
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint("message ", i))
		w.Send(quorum.ReplicaKey{ID: 2}, [][]byte{[]byte(want[i])})
	}
	<-all
	if !slices.Equal(got, want) {
		t.Errorf("%d messages, or in another order", len(got))
	}
	if n := w.fake.Dials.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestLossIsSurvived: messages to a voter that is not there are lost and hold nobody up; when it is there again, new ones arrive. A refusal
// loses them too.
func TestLossIsSurvived(t *testing.T) {
	arrived := make(chan string, 10_000)
	var refuse atomic.Bool
	w := open(t, func(h wire.Header, body []byte) []byte {
		var req wire.RaftRequest
		if err := req.Read(h, body); err != nil {
			t.Error(err)
			return nil
		}
		if refuse.Load() {
			return testkit.Answer(h, &wire.RaftResponse{ErrorCode: kerr.InconsistentVoterSet.Code})
		}
		for _, m := range req.Messages {
			arrived <- string(m)
		}
		return testkit.Answer(h, &wire.RaftResponse{})
	})
	await := func(want string) {
		t.Helper()
		testkit.Eventually(t, want, func() bool {
			w.Send(quorum.ReplicaKey{ID: 2}, [][]byte{[]byte(want)})
			select {
			case got := <-arrived:
				return got == want
			default:
				return false
			}
		})
	}
	w.deaf.Store(true)
	for range 20_000 { // more than fits
		w.Send(quorum.ReplicaKey{ID: 2}, [][]byte{[]byte("lost")})
	}
	w.deaf.Store(false)
	await("after nobody listened")
	refuse.Store(true)
	w.Send(quorum.ReplicaKey{ID: 2}, [][]byte{[]byte("refused")})
	w.Send(quorum.ReplicaKey{ID: 3}, [][]byte{[]byte("to nobody")})
	refuse.Store(false)
	await("after a refusal")
}

// TestFetchSnapshot: the pieces of a snapshot come to one file; a voter that sends other pieces, or refuses, is not believed.
func TestFetchSnapshot(t *testing.T) {
	content := []byte("a snapshot that is longer than a piece of it")
	for name, test := range map[string]struct {
		spoil func(*kmsg.FetchSnapshotResponse, *kmsg.FetchSnapshotResponseTopicPartition)
		want  error
	}{
		"whole": {func(*kmsg.FetchSnapshotResponse, *kmsg.FetchSnapshotResponseTopicPartition) {}, nil},
		"refused": {func(r *kmsg.FetchSnapshotResponse, _ *kmsg.FetchSnapshotResponseTopicPartition) {
			r.ErrorCode = kerr.InconsistentClusterID.Code
		}, kerr.InconsistentClusterID},
		"not there": {func(_ *kmsg.FetchSnapshotResponse, p *kmsg.FetchSnapshotResponseTopicPartition) {
			p.ErrorCode = kerr.SnapshotNotFound.Code
		}, kerr.SnapshotNotFound},
		"another piece": {func(_ *kmsg.FetchSnapshotResponse, p *kmsg.FetchSnapshotResponseTopicPartition) { p.Position++ }, peer.ErrPiece},
		"nothing":       {func(_ *kmsg.FetchSnapshotResponse, p *kmsg.FetchSnapshotResponseTopicPartition) { p.Bytes = nil }, peer.ErrPiece},
		"too much":      {func(_ *kmsg.FetchSnapshotResponse, p *kmsg.FetchSnapshotResponseTopicPartition) { p.Size = 3 }, peer.ErrPiece},
		"no partition":  {func(r *kmsg.FetchSnapshotResponse, _ *kmsg.FetchSnapshotResponseTopicPartition) { r.Topics = nil }, peer.ErrPiece},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(h wire.Header, body []byte) []byte {
				decoded, err := wire.Decode(h, body)
				if err != nil {
					t.Error(err)
					return nil
				}
				req := decoded.(*kmsg.FetchSnapshotRequest)
				asked := req.Topics[0].Partitions[0]
				if *req.ClusterID != "c" || req.ReplicaID != 1 || asked.SnapshotID.EndOffset != 7 || asked.SnapshotID.Epoch != 3 {
					t.Errorf("%+v", req)
				}
				p := kmsg.NewFetchSnapshotResponseTopicPartition()
				p.Position, p.Size = asked.Position, int64(len(content))
				p.Bytes = content[asked.Position:min(int64(len(content)), asked.Position+int64(req.MaxBytes))]
				topic := kmsg.NewFetchSnapshotResponseTopic()
				topic.Topic = req.Topics[0].Topic
				resp := kmsg.NewPtrFetchSnapshotResponse()
				resp.Topics = append(resp.Topics, topic)
				test.spoil(resp, &p)
				if len(resp.Topics) > 0 {
					resp.Topics[0].Partitions = append(resp.Topics[0].Partitions, p)
				}
				return testkit.Answer(h, resp)
			})
			var got bytes.Buffer
			err := w.FetchSnapshot(t.Context(), 2, quorum.SnapshotID{EndOffset: 7, Epoch: 3}, &got)
			if !errors.Is(err, test.want) || err == nil && !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%q, %v", got.Bytes(), err)
			}
		})
	}
}
