package quorum

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// network connects engines in memory; it loses what goes to or comes from those that are cut off.
type network struct {
	mu    sync.Mutex // guards the fields below
	nodes map[kafka.NodeID]*node
	cut   map[kafka.NodeID]bool
}

func (w *network) send(from kafka.NodeID) func([]*raftpb.Message) {
	return func(messages []*raftpb.Message) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, m := range messages {
			to := nodeID(m.GetTo())
			if n := w.nodes[to]; n != nil && !w.cut[from] && !w.cut[to] {
				n.Step(m)
			}
		}
	}
}

func (w *network) isolate(id kafka.NodeID, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[id] = cut
}

// submit asks one node after the other until the active controller answers.
func (w *network) submit(t *testing.T, cmd controller.Command) kafka.NodeID {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		for id := kafka.NodeID(1); id <= 3; id++ {
			w.mu.Lock()
			n, cut := w.nodes[id], w.cut[id]
			w.mu.Unlock()
			if n == nil || cut {
				continue
			}
			_, err := n.Submit(ctx, cmd)
			if err == nil {
				return id
			}
			if !errors.Is(err, ErrNotController) {
				t.Fatalf("node %d: %v", id, err)
			}
		}
	}
}

// TestThreeVoters: the quorum elects a leader, survives its loss, and the logs of all voters are the same bytes.
func TestThreeVoters(t *testing.T) {
	w := &network{nodes: make(map[kafka.NodeID]*node), cut: make(map[kafka.NodeID]bool)}
	disks := make(map[kafka.NodeID]*vfs.Mem)
	begin := func(id kafka.NodeID) {
		cfg := testConfig(disks[id], "/data")
		cfg.NodeID, cfg.Voters = id, []Voter{{ID: 1}, {ID: 2}, {ID: 3}}
		cfg.Tick = 5 * time.Millisecond
		cfg.Send = w.send(id)
		n := run(t, cfg)
		w.mu.Lock()
		w.nodes[id] = n
		w.mu.Unlock()
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		disks[id] = vfs.NewMem()
		begin(id)
	}
	register := func(id kafka.NodeID) controller.Command {
		return controller.RegisterController{Request: controllerRequest(id)}
	}
	first := w.submit(t, register(1))
	for i := range 20 {
		w.submit(t, register(kafka.NodeID(i)))
	}
	w.isolate(first, true)
	second := w.submit(t, register(100))
	if second == first {
		t.Fatal("the leader that was cut off still answers")
	}
	w.isolate(first, false)
	w.submit(t, register(101))

	// All catch up, and agree.
	end := w.nodes[second].Image().Offset
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for id := kafka.NodeID(1); id <= 3; id++ {
		if err := w.nodes[id].Wait(ctx, end); err != nil {
			t.Fatalf("node %d at %d of %d: %v", id, w.nodes[id].Image().Offset, end, err)
		}
		if w.nodes[id].Image().Cluster.Controller(101) == nil {
			t.Fatalf("node %d does not know what was committed", id)
		}
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.nodes[id].close()
	}
	want := logBytes(t, disks[1])
	committed := 0
	for rest := want; len(rest) > 0; {
		b, next, err := record.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		if b.LastOffset() <= end {
			committed += len(b)
		}
		rest = next
	}
	for id := kafka.NodeID(2); id <= 3; id++ {
		got := logBytes(t, disks[id])
		n := min(len(got), len(want)) // what was committed is in all; one may have been told of less than another
		if n < committed || string(got[:n]) != string(want[:n]) {
			t.Fatalf("the logs of 1 and %d differ, or lack something: %d and %d bytes, %d are committed", id, len(want), len(got), committed)
		}
	}

	// The folders are enough to go on.
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.mu.Lock()
		delete(w.nodes, id)
		w.mu.Unlock()
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		begin(id)
	}
	third := w.submit(t, register(102))
	if w.nodes[third].Image().Cluster.Controller(101) == nil {
		t.Fatal("the restart lost what was committed")
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.nodes[id].close()
	}
}

func logBytes(t *testing.T, fs vfs.FS) []byte {
	t.Helper()
	b, err := vfs.ReadFile(fs, fmt.Sprintf("/data/__cluster_metadata-0/%020d.log", 0))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStallDeposesNobody: a leader that stood still for as long as an election takes finds the answers of the others in its queue, and
// goes on to lead.
func TestStallDeposesNobody(t *testing.T) {
	var sent []*raftpb.Message
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.Voters = []Voter{{ID: 1}, {ID: 2}, {ID: 3}}
	cfg.Send = func(m []*raftpb.Message) { sent = append(sent, m...) }
	s := openStepped(t, cfg)
	answer := func() {
		messages := sent
		sent = nil
		for _, m := range messages {
			if nodeID(m.GetTo()) != 2 {
				continue
			}
			reply := &raftpb.Message{From: m.To, To: m.From, Term: m.Term}
			switch m.GetType() {
			case raftpb.MsgPreVote:
				reply.Type = raftpb.MsgPreVoteResp.Enum()
			case raftpb.MsgVote:
				reply.Type = raftpb.MsgVoteResp.Enum()
			case raftpb.MsgApp:
				reply.Type, reply.Index = raftpb.MsgAppResp.Enum(), new(m.GetIndex()+uint64(len(m.Entries)))
			case raftpb.MsgHeartbeat:
				reply.Type = raftpb.MsgHeartbeatResp.Enum()
			default:
				continue
			}
			s.Step(reply)
		}
	}
	for range 200 {
		if s.active() {
			break
		}
		s.now = s.now.Add(s.cfg.Tick)
		s.step()
		answer()
	}
	if !s.active() {
		t.Fatal("nobody was elected by two of three")
	}
	_, epoch := s.Leader()
	for range 5 {
		s.now = s.now.Add(s.cfg.Tick)
		s.step()
		answer() // lies in the queue while the node stands still
		s.now = s.now.Add(time.Minute)
		s.step()
		answer()
	}
	if _, now := s.Leader(); now != epoch || !s.active() {
		t.Fatalf("epoch %d after %d, leads: %t", now, epoch, s.active())
	}
	if err := s.stop(s.now, nil); err != nil {
		t.Fatal(err)
	}
}
