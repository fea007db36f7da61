package partition

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// group is three nodes with a replica each of one partition, and a controller that says yes to what it should.
type group struct {
	t        *testing.T
	nodes    []*world // node id - 1
	leader   int      // index of nodes
	epoch    int32
	isr      []int32
	changes  int32 // partition epoch
	proposed []Proposed
	fenced   kafka.NodeID // 0 for nobody
}

// registered are the brokers: all, with an epoch each.
type registered struct{ g *group }

func (r registered) InSyncEpoch(id kafka.NodeID) kafka.BrokerEpoch {
	if id == r.g.fenced {
		return kafka.NoBrokerEpoch
	}
	return 10 + kafka.BrokerEpoch(id)
}

func newGroup(t *testing.T) *group {
	g := &group{t: t, isr: []int32{1, 2, 3}}
	for id := kafka.NodeID(1); id <= 3; id++ {
		w := &world{t: t, fs: vfs.NewMem(), now: time.UnixMilli(1_700_000_000_000), image: metadata.Empty()}
		for i, path := range []string{"/a", "/b"} {
			if err := w.fs.Mkdir(path); err != nil {
				t.Fatal(err)
			}
			w.dirs = append(w.dirs, Dir{Path: path, ID: kafka.UUID{0: 0xd0, 14: byte(i), 15: byte(id)}})
		}
		if err := w.fs.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
		w.options = func(o *Options) {
			o.Self, o.Cluster, o.MaxLag = id, registered{g}, 10*time.Second
			o.Propose = func(p Proposed) { g.proposed = append(g.proposed, p) }
		}
		w.open(false)
		w.apply(&schema.FeatureLevelRecord{Name: "metadata.version", FeatureLevel: 33}, &schema.TopicRecord{Name: "t", TopicID: topicID("t")}, &schema.PartitionRecord{
			TopicID: topicID("t"), Replicas: []int32{1, 2, 3}, ISR: g.isr, Leader: 1, Directories: make([]kafka.UUID, 3),
		})
		g.nodes = append(g.nodes, w)
	}
	return g
}

func (g *group) at(i int) *Partition { return g.nodes[i].get("t", 0) }

// change commits an in-sync set and, with leader ≥ 0, an election.
func (g *group) change(isr []int32, leader int) {
	g.isr = isr
	r := &schema.PartitionChangeRecord{TopicID: topicID("t"), ISR: isr, Leader: -2, LeaderRecoveryState: -1}
	if leader >= 0 {
		g.leader, r.Leader = leader, int32(leader+1)
		g.epoch++
	}
	g.changes++
	for _, w := range g.nodes {
		w.apply(r)
	}
}

// decide answers the newest proposal as the controller does: one of an older state is refused.
func (g *group) decide() {
	if len(g.proposed) == 0 {
		return
	}
	p := g.proposed[len(g.proposed)-1]
	g.proposed = nil
	now := g.nodes[g.leader].now
	if p.Partition != g.at(g.leader) || int32(p.Proposal.PartitionEpoch) != g.changes || int32(p.Proposal.LeaderEpoch) != g.epoch {
		p.Partition.Altered(now, p.Proposal, replica.Leadership{}, kerr.InvalidUpdateVersion)
		return
	}
	if again := p.Partition.Altered(now, p.Proposal, replica.Leadership{}, kerr.NotController); !again {
		g.t.Error("a proposal is lost with an error that passes")
	}
	g.proposed = nil
	var isr []int32
	for _, m := range p.Proposal.ISR {
		isr = append(isr, int32(m.ID))
	}
	slices.Sort(isr)
	g.change(isr, -1)
	if again := p.Partition.Altered(now, p.Proposal, *g.at(g.leader).Leadership(), nil); again {
		g.t.Error("a proposal that was taken is made again")
	}
}

// fetch has a follower fetch once and take in the answer; most is how many bytes it gets.
func (g *group) fetch(i, most int) error {
	g.t.Helper()
	f, ok := g.at(i).Fetching()
	if !ok {
		return nil
	}
	from := g.at(g.leader)
	res, err := from.Read(ReadRequest{
		Offset: f.Offset, MaxBytes: most, Isolation: kafka.LogEnd, AtLeastOne: true, CurrentLeaderEpoch: f.LeaderEpoch, LastFetchedEpoch: f.LastEpoch,
	})
	now := g.nodes[i].now
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return g.at(i).StartAt(f.LeaderEpoch, from.LogStartOffset(), from.LogEndOffset(), now)
	case err != nil:
		return err
	case res.Diverges:
		return g.at(i).Diverged(f.LeaderEpoch, res.Diverging, now)
	}
	defer res.Span.Release()
	b := make([]byte, res.Span.Len())
	if n, err := res.Span.ReadAt(b, 0); n != len(b) {
		g.t.Fatal(n, err)
	}
	err = from.Fetched(now, replica.Fetch{From: kafka.NodeID(i + 1), Epoch: 10 + kafka.BrokerEpoch(i+1), LeaderEpoch: kafka.NoEpoch, LogEnd: f.Offset}, nil)
	if err != nil {
		return err
	}
	return g.at(i).AppendAsFollower(FollowRequest{
		LeaderEpoch: f.LeaderEpoch, Offset: f.Offset, Records: b, HighWatermark: res.HighWatermark, LogStartOffset: res.LogStartOffset, Now: now,
	})
}

// settle has all followers fetch until they have all and the leader knows.
func (g *group) settle() {
	g.t.Helper()
	for range 60 {
		for i := range g.nodes {
			if err := g.fetch(i, 1<<20); err != nil {
				g.t.Fatalf("node %d: %v", i+1, err)
			}
		}
		g.decide()
	}
}

func (g *group) bytes(i int) []byte {
	g.t.Helper()
	b, _, err := read(g.t, g.at(i), ReadRequest{
		Offset: g.at(i).LogStartOffset(), Isolation: kafka.LogEnd, CurrentLeaderEpoch: kafka.NoEpoch, LastFetchedEpoch: kafka.NoEpoch, AtLeastOne: true, AnyReplica: true,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

// TestReplicasAgree: whatever the order of appends, fetches, changes of the in-sync set and elections out of it, with fetches cut off
// anywhere, all replicas come to the same bytes, high watermarks don't pass what others have, and what was once below the leader's is there for good.
func TestReplicasAgree(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 11))
		g := newGroup(t)
		kept := map[kafka.Offset]string{} // what was below a leader's high watermark
		sequence := 0
		for range 400 {
			switch n := random.IntN(100); {
			case n < 30:
				sequence++
				value := data(t, 1+random.IntN(3), func(o *record.Options) {
					o.ProducerID, o.ProducerEpoch, o.BaseSequence = kafka.ProducerID(sequence), 0, 0
				})
				if _, err := g.nodes[g.leader].append(g.at(g.leader), value); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			case n < 85:
				if err := g.fetch(random.IntN(3), 1+random.IntN(400)); err != nil && !errors.Is(err, kerr.NotLeaderForPartition) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			case n < 93:
				g.decide()
			case n < 95: // somebody is gone for a while
				if len(g.isr) > 1 {
					out := g.isr[random.IntN(len(g.isr))]
					isr := slices.DeleteFunc(slices.Clone(g.isr), func(id int32) bool { return id == out })
					leader := -1
					if int(out-1) == g.leader {
						leader = int(isr[random.IntN(len(isr))]) - 1
					}
					g.change(isr, leader)
				}
			default:
				g.change(g.isr, int(g.isr[random.IntN(len(g.isr))])-1)
			}
			g.check(seed, kept)
		}
		g.settle()
		g.check(seed, kept)
		for i := range g.nodes {
			if !bytes.Equal(g.bytes(i), g.bytes(g.leader)) {
				t.Fatalf("seed %d: node %d ends at %d, the leader at %d, or they differ", seed, i+1, g.at(i).LogEndOffset(), g.at(g.leader).LogEndOffset())
			}
		}
		if hw, end := g.at(g.leader).HighWatermark(), g.at(g.leader).LogEndOffset(); hw != end || len(g.isr) != 3 {
			t.Fatalf("seed %d: high watermark %d of %d, in sync %v", seed, hw, end, g.isr)
		}
	}
}

// check looks that each batch that was once committed is the same everywhere in sync.
func (g *group) check(seed uint64, kept map[kafka.Offset]string) {
	g.t.Helper()
	leader := g.at(g.leader)
	log := batches(g.t, g.bytes(g.leader))
	for at, b := range kept {
		if log[at] != b {
			g.t.Fatalf("seed %d: what was committed at offset %d is gone from the leader, node %d", seed, at, g.leader+1)
		}
	}
	for at, b := range log {
		if at < leader.HighWatermark() {
			kept[at] = b
		}
	}
	for _, id := range g.isr {
		if end := g.at(int(id) - 1).LogEndOffset(); end < leader.HighWatermark() {
			g.t.Fatalf("seed %d: node %d is in sync and ends at %d, the high watermark is %d", seed, id, end, leader.HighWatermark())
		}
	}
}

func batches(t *testing.T, b []byte) map[kafka.Offset]string {
	all := map[kafka.Offset]string{}
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		all[batch.BaseOffset()], b = string(batch), rest
	}
	return all
}

// TestWhatAFollowerRefuses: nothing damaged, out of order or of another epoch comes into a follower's log; what is whole before it does.
func TestWhatAFollowerRefuses(t *testing.T) {
	g := newGroup(t)
	for range 3 {
		g.nodes[0].mustAppend(g.at(0), 2)
	}
	good := g.bytes(0)
	third := len(good) / 3
	follow := func(b []byte, epoch kafka.LeaderEpoch) (kafka.Offset, error) {
		err := g.at(1).AppendAsFollower(FollowRequest{LeaderEpoch: epoch, Offset: g.at(1).LogEndOffset(), Records: b, HighWatermark: 100, Now: g.nodes[1].now})
		return g.at(1).LogEndOffset(), err
	}
	if end, err := follow(good, 1); end != 0 || !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Errorf("another epoch: %d, %v", end, err)
	}
	bad := slices.Clone(good)
	bad[2*third-1] ^= 1
	if end, err := follow(bad, 0); end != 2 || !errors.Is(err, kerr.CorruptMessage) {
		t.Errorf("damage in the second batch: %d, %v", end, err)
	}
	if end, err := follow(good[third:2*third+10], 0); end != 4 || err != nil {
		t.Errorf("one that is cut short: %d, %v", end, err)
	}
	later := slices.Clone(good[2*third:])
	record.Batch(later).SetLeaderEpoch(7)
	if end, err := follow(later, 0); end != 4 || !errors.Is(err, kerr.FencedLeaderEpoch) {
		t.Errorf("one of a later epoch: %d, %v", end, err)
	}
	if hw := g.at(1).HighWatermark(); hw != 4 {
		t.Errorf("high watermark %d, it has 4", hw)
	}
	if end, err := follow(good[:third], 0); end != 4 || !errors.Is(err, kerr.CorruptMessage) || len(g.nodes[1].failed) != 0 {
		t.Errorf("what it has already: %d, %v; its directory: %v", end, err, g.nodes[1].failed)
	}
	if _, ok := g.at(0).Fetching(); ok {
		t.Error("a leader wants to fetch")
	}
	if err := g.at(0).Diverged(0, EpochEnd{}, g.nodes[0].now); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Errorf("a leader is cut: %v", err)
	}
}

// TestLeaderWithoutItsLog: a node that led, lost its log, and reads in old metadata that it leads, follows from the beginning once it knows better.
func TestLeaderWithoutItsLog(t *testing.T) {
	g := newGroup(t)
	g.nodes[0].mustAppend(g.at(0), 2)
	for i, w := range g.nodes {
		r := &schema.PartitionChangeRecord{TopicID: topicID("t"), Leader: 1, LeaderRecoveryState: -1}
		if i == 2 {
			r.Leader = 3
		}
		w.apply(r)
	}
	g.epoch++
	g.changes++
	g.nodes[0].mustAppend(g.at(0), 2) // of the epoch that the third node takes for its own
	g.change([]int32{1, 2}, 0)
	g.settle()
	if !bytes.Equal(g.bytes(2), g.bytes(0)) || len(g.isr) != 3 {
		t.Errorf("it ends at %d, the leader at %d, in sync are %v", g.at(2).LogEndOffset(), g.at(0).LogEndOffset(), g.isr)
	}
}

// TestFarBehind: a follower that ends before the leader's log begins starts anew there, one that ends behind an unclean leader's end is cut.
func TestFarBehind(t *testing.T) {
	g := newGroup(t)
	for range 5 {
		g.nodes[0].mustAppend(g.at(0), 2)
	}
	for i := 1; i < 3; i++ { // the third is not asked any more
		for range 3 {
			if err := g.fetch(1, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.change([]int32{1, 2}, -1)
	if _, err := g.at(0).DeleteRecords(6); err != nil {
		t.Fatal(err)
	}
	g.settle()
	if start, end := g.at(2).LogStartOffset(), g.at(2).LogEndOffset(); start != 6 || end != 10 {
		t.Fatalf("the third has %d to %d", start, end)
	}
	if start := g.at(1).LogStartOffset(); start != 6 {
		t.Errorf("the second did not take over the log start: %d", start)
	}
	if err := g.at(2).StartAt(0, 0, 8, g.nodes[2].now); err != nil || g.at(2).LogEndOffset() != 8 {
		t.Errorf("%d, %v", g.at(2).LogEndOffset(), err)
	}
}

// TestCutWaits: who waits for what a follower's log has lost is not told that it is there.
func TestCutWaits(t *testing.T) {
	g := newGroup(t)
	g.nodes[0].mustAppend(g.at(0), 4)
	if err := g.fetch(1, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := g.at(1).StartAt(0, 0, 0, g.nodes[1].now); err != nil {
		t.Fatal(err)
	}
	woken := false
	purg := purgatory.NewPurgatory(func() time.Time { return g.nodes[1].now })
	wait := purgatory.New(purgatory.Bytes, 1, 1, g.nodes[1].now.Add(time.Minute), func(bool) { woken = true })
	wait.Watch(g.at(1).Watchers(), purgatory.LogEnd, 2)
	purg.Start(wait)
	if woken {
		t.Error("woken by what is gone")
	}
	if err := g.fetch(1, 1<<20); err != nil {
		t.Fatal(err)
	}
	if !woken {
		t.Error("not woken by what came again")
	}
}

// TestWhoLagsIsLeftOut: the leader asks for it once, after the time that a follower may lag.
func TestWhoLagsIsLeftOut(t *testing.T) {
	g := newGroup(t)
	g.nodes[0].mustAppend(g.at(0), 1)
	for _, seconds := range []int{5, 4} {
		g.nodes[0].now = g.nodes[0].now.Add(time.Duration(seconds) * time.Second)
		g.nodes[1].now = g.nodes[0].now
		for range 2 {
			if err := g.fetch(1, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		g.nodes[0].m.ExpireFollowers(g.nodes[0].now)
		if len(g.proposed) != 0 {
			t.Fatalf("proposed too early: %+v", g.proposed[0].Proposal)
		}
	}
	g.nodes[0].now = g.nodes[0].now.Add(2 * time.Second)
	for range 3 {
		g.nodes[0].m.ExpireFollowers(g.nodes[0].now)
	}
	if len(g.proposed) != 1 {
		t.Fatalf("%d proposals", len(g.proposed))
	}
	ids := map[kafka.NodeID]bool{}
	for _, m := range g.proposed[0].Proposal.ISR {
		ids[m.ID] = true
	}
	if fmt.Sprint(slices.Sorted(maps.Keys(ids))) != "[1 2]" {
		t.Fatalf("proposed %v", ids)
	}
	g.decide()
	if hw := g.at(0).HighWatermark(); hw != 1 {
		t.Errorf("high watermark %d without the one that lagged", hw)
	}
}

// TestUnfencedComesIn: a follower that has all and whose broker is fenced comes into the in-sync set when the metadata says that it is not any more,
// without another fetch; also if the metadata said so just after the fetch was looked at.
func TestUnfencedComesIn(t *testing.T) {
	g := newGroup(t)
	leader := g.nodes[0]
	leader.mustAppend(g.at(0), 2)
	g.settle()
	registration := &schema.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 13, Fenced: true}
	leader.apply(registration)
	for _, late := range []bool{false, true} {
		g.fenced = 3
		leader.apply(&schema.BrokerRegistrationChangeRecord{BrokerID: 3, BrokerEpoch: 13, Fenced: 1})
		g.change([]int32{1, 2}, -1)
		for range 2 {
			if err := g.fetch(2, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		if late {
			g.at(0).dir().m.barred.take(3) // as if it was not noted yet
		}
		if len(g.proposed) > 0 {
			t.Fatalf("a fenced one is proposed: %+v", g.proposed[0].Proposal)
		}
		g.fenced = 0
		leader.apply(&schema.BrokerRegistrationChangeRecord{BrokerID: 3, BrokerEpoch: 13, Fenced: -1})
		if late {
			leader.m.bar(g.at(0), 3)
		}
		if len(g.proposed) != 1 || g.proposed[0].Proposal.Joining != 3 {
			t.Fatalf("late %v: %d proposals", late, len(g.proposed))
		}
		g.decide()
		if fmt.Sprint(g.isr) != "[1 2 3]" {
			t.Fatalf("late %v: in sync are %v", late, g.isr)
		}
	}
}

// TestCutWhileItMoves: what a copy in another log directory has of records that the log lost since is not taken for the log's.
func TestCutWhileItMoves(t *testing.T) {
	g := newGroup(t)
	w, p := g.nodes[0], g.at(0)
	w.mustAppend(p, 2)
	g.settle()
	w.mustAppend(p, 2) // which nobody fetches
	if err := w.m.AlterDir(p.ID(), "/b"); err != nil {
		t.Fatal(err)
	}
	move := &mover{m: w.m}
	for range 5 {
		move.step(w.now)
		w.now = w.now.Add(time.Second)
	}
	if _, _, lag, ok := p.Moving(); lag != 0 || !ok {
		t.Fatalf("%d behind, %v", lag, ok)
	}
	g.change([]int32{1, 2, 3}, 1)
	if _, err := g.nodes[1].append(g.at(1), data(t, 2, idempotent(0))); err != nil {
		t.Fatal(err)
	}
	for range 4 { // the first is told where to cut
		if err := g.fetch(0, 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(g.bytes(0), g.bytes(1)) {
		t.Fatal("the log that serves is not the leader's")
	}
	w.apply(&schema.PartitionChangeRecord{
		TopicID: topicID("t"), Leader: -2, LeaderRecoveryState: -1, Directories: []kafka.UUID{w.dirs[1].ID, {}, {}},
	})
	for range 100 {
		move.step(w.now)
		w.now = w.now.Add(time.Second)
	}
	if p.Dir() != w.dirs[1].ID {
		t.Fatalf("it was not moved: %s", p)
	}
	if !bytes.Equal(g.bytes(0), g.bytes(1)) {
		t.Fatal("after the move the log is not the leader's")
	}
}
