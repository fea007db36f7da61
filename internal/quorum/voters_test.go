package quorum

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// network connects engines in memory; it loses what goes to or comes from those that are cut off.
type network struct {
	mu    sync.Mutex // guards the fields below
	nodes map[kafka.NodeID]*node
	cut   map[kafka.NodeID]bool
}

func (w *network) send(from kafka.NodeID) func(ReplicaKey, [][]byte) {
	return func(key ReplicaKey, messages [][]byte) {
		to := key.ID
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := w.nodes[to]; n != nil && !w.cut[from] && !w.cut[to] {
			if err := n.Deliver(Voter{ID: from}, ReplicaKey{ID: to}, messages); err != nil {
				panic(err)
			}
		}
	}
}

// fetchSnapshot reads another voter's file.
func (w *network) fetchSnapshot(_ context.Context, from kafka.NodeID, id SnapshotID, to io.Writer) error {
	w.mu.Lock()
	n := w.nodes[from]
	w.mu.Unlock()
	return copySnapshot(n.Engine, id, to)
}

func copySnapshot(e *Engine, id SnapshotID, to io.Writer) error {
	snap, err := e.OpenSnapshot(id)
	if err != nil {
		return err
	}
	defer snap.Close()
	_, err = io.Copy(to, io.NewSectionReader(snap, 0, snap.Size()))
	return err
}

// begin starts one of three voters on a disk, with a network that is quick; change may be nil.
func (w *network) begin(t *testing.T, disk vfs.FS, id kafka.NodeID, change func(*Config)) *node {
	cfg := testConfig(disk, "/data")
	cfg.NodeID, cfg.Voters = id, []Voter{{ID: 1}, {ID: 2}, {ID: 3}}
	cfg.Tick = 5 * time.Millisecond
	cfg.Send, cfg.FetchSnapshot = w.send(id), w.fetchSnapshot
	if change != nil {
		change(&cfg)
	}
	n := run(t, cfg)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[id] = n
	return n
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
	begin := func(id kafka.NodeID) { w.begin(t, disks[id], id, nil) }
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
	cfg.Send = func(_ ReplicaKey, messages [][]byte) {
		for _, b := range messages {
			m := new(raftpb.Message)
			if err := proto.Unmarshal(b, m); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, m)
		}
	}
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
			s.messages <- inbound{reply, Voter{ID: 2}}
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

// TestLaggardInstallsSnapshot: a voter that was away for longer than the log of the others reaches fetches a snapshot, goes on behind it, and
// tells its subscribers what changed meanwhile.
func TestLaggardInstallsSnapshot(t *testing.T) {
	w := &network{nodes: make(map[kafka.NodeID]*node), cut: make(map[kafka.NodeID]bool)}
	disks := make(map[kafka.NodeID]*vfs.Mem)
	begin := func(id kafka.NodeID) *node {
		return w.begin(t, disks[id], id, func(cfg *Config) { cfg.SnapshotBytes, cfg.LogConfig.SegmentBytes = 2000, 1000 })
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		disks[id] = vfs.NewMem()
		begin(id)
	}
	away := 1 + w.submit(t, controller.RegisterController{Request: controllerRequest(1)})%3
	w.isolate(away, true)
	end := w.nodes[away].Image().Offset
	var last kafka.NodeID
	for i := range 400 {
		last = w.submit(t, controller.RegisterController{Request: controllerRequest(kafka.NodeID(100 + i%7))})
	}
	for w.nodes[last].Bounds().LogStartOffset <= end+1 {
		w.submit(t, controller.RegisterController{Request: controllerRequest(100)})
	}
	var seen int
	w.nodes[away].Subscribe(func(c metadata.Change) { seen += len(c.Delta.Brokers()) + 1 })
	w.isolate(away, false)
	last = w.submit(t, controller.RegisterController{Request: controllerRequest(999)})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.nodes[away].Wait(ctx, w.nodes[last].Image().Offset); err != nil {
		t.Fatalf("it is at %d, the leader at %d: %v", w.nodes[away].Image().Offset, w.nodes[last].Image().Offset, err)
	}
	if w.nodes[away].Image().Cluster.Controller(999) == nil || w.nodes[away].Bounds().LogStartOffset <= end+1 {
		t.Fatalf("it has %+v", w.nodes[away].Bounds())
	}
	w.mu.Lock()
	n := w.nodes[away]
	delete(w.nodes, away)
	w.mu.Unlock()
	n.close()
	if seen < 2 {
		t.Errorf("its subscriber heard of %d changes", seen)
	}
	if again := begin(away); again.Image().Cluster.Controller(100) == nil {
		t.Error("after a start it lacks what the snapshot held")
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.nodes[id].close()
	}
}

// TestDeliver: only what voters send each other comes to Raft, from the voter that it says it is from, with the disk that the quorum knows.
func TestDeliver(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.Voters = []Voter{{ID: 1}, {ID: 2, Directory: kafka.UUID{2}}, {ID: 3}}
	s := openStepped(t, cfg)
	message := func(kind raftpb.MessageType, from, to kafka.NodeID) []byte {
		b, err := proto.Marshal(&raftpb.Message{Type: kind.Enum(), From: new(raftID(from)), To: new(raftID(to)), Term: new(uint64(1))})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	encoded := func(m *raftpb.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	termless := encoded(&raftpb.Message{Type: raftpb.MsgVote.Enum(), From: new(raftID(2)), To: new(raftID(1))})
	half := encoded(&raftpb.Message{
		Type: raftpb.MsgApp.Enum(), From: new(raftID(2)), To: new(raftID(1)), Term: new(uint64(1)),
		Entries: []*raftpb.Entry{{Index: new(uint64(1)), Term: new(uint64(1)), Data: []byte("half")}},
	})
	later := func(term uint64) []byte {
		return encoded(&raftpb.Message{Type: raftpb.MsgTimeoutNow.Enum(), From: new(raftID(2)), To: new(raftID(1)), Term: &term})
	}
	ahead := encoded(&raftpb.Message{Type: raftpb.MsgVote.Enum(), From: new(raftID(2)), To: new(raftID(1)), Term: new(uint64(1)), LogTerm: new(uint64(2))})
	good := message(raftpb.MsgHeartbeat, 2, 1)
	two, one := ReplicaKey{ID: 2, Directory: kafka.UUID{2}}, ReplicaKey{ID: 1, Directory: nodeDirectory}
	for _, test := range []struct {
		name     string
		from, to ReplicaKey
		message  []byte
		want     error
	}{
		{"good", two, one, good, nil},
		{"it does not know this one's disk", two, ReplicaKey{ID: 1}, good, nil},
		{"with another disk", ReplicaKey{ID: 2, Directory: kafka.UUID{9}}, one, good, ErrNotVoter},
		{"for another disk", two, ReplicaKey{ID: 1, Directory: kafka.UUID{9}}, good, ErrNotVoter},
		{"for another node", two, ReplicaKey{ID: 3}, good, ErrNotVoter},
		{"of another sender", ReplicaKey{ID: 3}, one, good, ErrNoMessage},
		{"to another receiver", two, one, message(raftpb.MsgHeartbeat, 2, 3), ErrNoMessage},
		{"a proposal", two, one, message(raftpb.MsgProp, 2, 1), ErrNoMessage},
		{"of Raft to itself", two, one, message(raftpb.MsgHup, 2, 1), ErrNoMessage},
		{"without a term", two, one, termless, ErrNoMessage},
		{"of itself", one, one, message(raftpb.MsgHeartbeat, 1, 1), ErrNotVoter},
		{"of a term that is no epoch", two, one, later(math.MaxUint64), ErrNoMessage},
		{"of a term in the far future", two, one, later(maxLead + 1), ErrNoMessage},
		{"of a later term", two, one, later(2), nil},
		{"of a log that is ahead of its term", two, one, ahead, ErrNoMessage},
		{"with half a batch", two, one, half, ErrNoMessage},
		{"of a stranger", ReplicaKey{ID: 9}, one, message(raftpb.MsgHeartbeat, 9, 1), ErrNotVoter},
		{"no message", two, one, []byte("no message"), ErrNoMessage},
	} {
		if err := s.Deliver(Voter{ID: test.from.ID, Directory: test.from.Directory}, test.to, [][]byte{test.message}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if err := s.stop(s.now, nil); err != nil {
		t.Fatal(err)
	}
}

// TestLostLog: a voter that has less than it told the leader to have, because its disk was wiped or put back, says so and ends; it must not
// vote as if nothing had happened.
func TestLostLog(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.Voters = []Voter{{ID: 1}, {ID: 2}, {ID: 3}}
	s := openStepped(t, cfg)
	s.messages <- inbound{Message: &raftpb.Message{
		Type: raftpb.MsgHeartbeat.Enum(), From: new(raftID(2)), To: new(raftID(1)), Term: new(uint64(5)), Commit: new(uint64(100)),
	}}
	err := s.Engine.step(s.now)
	if !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	if got := s.stop(s.now, err); !errors.Is(got, ErrDamaged) {
		t.Fatal(got)
	}
}

// TestResign: a leader that stops hands over to a voter that has all, without an election's time, and one that is alone has nobody to hand over to.
func TestResign(t *testing.T) {
	w := &network{nodes: make(map[kafka.NodeID]*node), cut: make(map[kafka.NodeID]bool)}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.begin(t, vfs.NewMem(), id, func(cfg *Config) { cfg.Tick = 20 * time.Millisecond })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for range 3 {
		first := w.submit(t, controller.RegisterController{Request: controllerRequest(1)})
		for id := kafka.NodeID(1); id <= 3; id++ {
			if id != first {
				w.nodes[id].Resign(ctx) // it has nothing to hand over
			}
		}
		w.nodes[first].Resign(ctx)
		if leader, _ := w.nodes[first].Leader(); leader == first {
			t.Fatal("it leads on")
		}
	}
	// What is asked of a leader that is handing over is for the next one.
	first := w.submit(t, controller.RegisterController{Request: controllerRequest(1)})
	w.isolate(first, true)
	w.nodes[first].resigns <- make(chan struct{})
	if _, err := w.nodes[first].Submit(ctx, controller.RegisterController{Request: controllerRequest(2)}); !errors.Is(err, ErrNotController) {
		t.Error(err)
	}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w.nodes[id].close()
	}
	alone := run(t, testConfig(vfs.NewMem(), "/data"))
	alone.submit(controller.RegisterController{Request: controllerRequest(1)})
	alone.Resign(ctx)
	alone.close()
	alone.Resign(ctx)
}
