package quorum

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

var (
	churnSeed  = flag.Uint64("churn-seed", 1, "first seed of TestChurn")
	churnSeeds = flag.Uint64("churn-seeds", 12, "number of seeds of TestChurn")
)

// flock is controllers whose loops the test steps itself, at a clock of its own, over disks that lose what was not synced and a network that
// loses, delays and reorders.
type flock struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	members []*member // by id, from 1 on
	packets []packet
	// wild has the network lose and delay.
	wild bool
	// joins has nodes that are started ask for a vote by themselves.
	joins bool

	leaders   map[kafka.LeaderEpoch]ReplicaKey
	committed map[kafka.Offset][]byte // batches, by the offset of their first record
	asked     []waiting
	acked     []kafka.NodeID // the controllers whose registration was answered
	changes   int            // that were made
	elections int
}

// member is a controller with its disk, which may be down or cut off.
type member struct {
	*Engine
	key     ReplicaKey
	disk    *vfs.Mem
	cut     bool
	address string       // its host; "" is localhost
	hidden  bool         // only those that know its address reach it
	checked kafka.Offset // what it committed was compared up to there
}

// waiting is a request to a node that is not answered yet.
type waiting struct {
	*request
	of   *Engine
	mark kafka.NodeID // that is registered by it
}

type packet struct {
	at       time.Time
	from     Voter
	to       ReplicaKey
	messages [][]byte
}

// startFlock starts so many controllers of which the first ones are voters.
func startFlock(t *testing.T, seed uint64, size, voting int) *flock {
	f := &flock{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), now: time.Unix(1000, 0),
		leaders: make(map[kafka.LeaderEpoch]ReplicaKey), committed: make(map[kafka.Offset][]byte),
	}
	var initial []Voter
	for id := kafka.NodeID(1); id <= kafka.NodeID(size); id++ {
		m := &member{key: ReplicaKey{ID: id, Directory: f.directory()}, disk: vfs.NewCrash()}
		f.members = append(f.members, m)
		if int(id) <= voting {
			initial = append(initial, m.asVoter())
		}
	}
	for i, m := range f.members {
		set := metalog.Voters{KRaft: 1}
		if i < voting {
			set.Set = initial
		}
		f.format(m, set)
		f.start(m)
	}
	return f
}

func (f *flock) directory() kafka.UUID {
	id := kafka.UUID{6: 0x40, 8: 0x80}
	id[14], id[15] = byte(f.rng.Uint32()), byte(f.rng.Uint32())
	return id
}

func (m *member) asVoter() Voter {
	return Voter{ID: m.key.ID, Directory: m.key.Directory, MaxKRaft: 1, Endpoints: []metadata.Endpoint{{Listener: "CONTROLLER", Host: cmp.Or(m.address, "localhost"), Port: uint16(m.key.ID)}}}
}

// format leaves what a new disk begins with.
func (f *flock) format(m *member, set metalog.Voters) {
	dir := testConfig(nil, "/data").Dir
	if err := metalog.WriteBootstrap(m.disk, dir, set, controller.DefaultBootstrap(), 1); err != nil {
		f.t.Fatal(err)
	}
	whole, err := m.disk.Whole("/")
	if err == nil {
		err = whole.Sync()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *flock) start(m *member) {
	cfg := testConfig(m.disk, "/data")
	cfg.NodeID, cfg.Directory, cfg.Voters, cfg.Tick = m.key.ID, m.key.Directory, nil, 50*time.Millisecond
	cfg.SnapshotBytes, cfg.LogConfig.SegmentBytes = 6000, 3000
	cfg.Now, cfg.Go = func() time.Time { return f.now }, func(do func()) { do() }
	cfg.Send = func(to ReplicaKey, messages [][]byte) { f.send(m, to, messages) }
	cfg.FetchSnapshot = func(_ context.Context, from kafka.NodeID, id SnapshotID, w io.Writer) error {
		return f.fetch(m, from, id, w)
	}
	cfg.Introduce = func(context.Context, []Voter) (Voter, error) { return f.introduce(m) }
	if f.joins {
		cfg.Join = func(_ context.Context, leader Voter, c VoterChange) error { return f.join(m, leader.ID, c) }
	}
	var err error
	if m.Engine, err = Open(cfg); err != nil {
		f.t.Fatalf("node %v: %v", m.key, err)
	}
	m.checked = m.committed
}

// reach returns a node if a message gets there.
func (f *flock) reach(from *member, to kafka.NodeID) *member {
	m := f.members[to-1]
	if m.Engine == nil || m.cut || from.cut || f.wild && f.rng.IntN(100) < 5 {
		return nil
	}
	return m
}

func (f *flock) send(from *member, to ReplicaKey, messages [][]byte) {
	m := f.reach(from, to.ID)
	if m == nil {
		return
	}
	if peer, _ := from.Replica(to); m.hidden && peer.Endpoints[0].Host != m.address {
		return
	}
	at := f.now
	if f.wild {
		at = at.Add(time.Duration(f.rng.IntN(40)) * time.Millisecond)
	}
	f.packets = append(f.packets, packet{at, from.asVoter(), to, messages})
}

func (f *flock) fetch(m *member, from kafka.NodeID, id SnapshotID, w io.Writer) error {
	leader := f.reach(m, from)
	if leader == nil {
		return errors.New("nobody answers")
	}
	return copySnapshot(leader.Engine, id, w)
}

func (f *flock) introduce(m *member) (Voter, error) {
	for _, i := range f.rng.Perm(len(f.members)) {
		other := f.reach(m, kafka.NodeID(i+1))
		if other == nil || other == m {
			continue
		}
		if leader, here, err := other.Introduce(m.asVoter()); here || err != nil {
			return leader, err
		}
	}
	return Voter{}, errors.New("no leader")
}

// join hands a request for a vote to whom the node takes for the leader; nobody waits for the answer.
func (f *flock) join(m *member, leader kafka.NodeID, c VoterChange) error {
	to := f.reach(m, leader)
	if to == nil {
		return errors.New("nobody answers")
	}
	if c.Kind == AddVoter {
		c.Voter = m.asVoter()
	}
	f.ask(to, &request{change: &c}, 0)
	return nil
}

// deliver brings the messages whose time has come.
func (f *flock) deliver() {
	var later []packet
	for _, p := range f.packets {
		m := f.members[p.to.ID-1]
		if p.at.After(f.now) {
			later = append(later, p)
		} else if m.Engine != nil && !m.cut {
			if err := m.Deliver(p.from, p.to, p.messages); err != nil && !errors.Is(err, ErrNotVoter) && !errors.Is(err, ErrNoMessage) {
				f.t.Fatal(err)
			}
		}
	}
	f.packets = later
}

// step lets everybody work for a moment, and looks at what they did.
func (f *flock) step() {
	f.t.Helper()
	f.now = f.now.Add(10 * time.Millisecond)
	f.deliver()
	for _, m := range f.members {
		if m.Engine == nil {
			continue
		}
		if err := m.Engine.step(f.now); err != nil {
			f.t.Fatalf("node %v: %v", m.key, err)
		}
		f.check(m)
	}
	f.asked = slices.DeleteFunc(f.asked, func(a waiting) bool {
		if len(a.done) == 0 {
			return false
		}
		switch got := <-a.done; {
		case got.err != nil:
		case a.change != nil:
			f.changes++
		default:
			f.acked = append(f.acked, a.mark)
		}
		return true
	})
}

// check holds what must always be: one leader in an epoch, and nothing committed that is another thing elsewhere.
func (f *flock) check(m *member) {
	f.t.Helper()
	basic := m.raft.BasicStatus()
	if epoch := kafka.LeaderEpoch(basic.GetTerm()); basic.RaftState == raft.StateLeader {
		if other, led := f.leaders[epoch]; led && other != m.key {
			f.t.Fatalf("epoch %d has two leaders, %v and %v", epoch, other, m.key)
		} else if !led {
			f.elections++
		}
		f.leaders[epoch] = m.key
	}
	m.checked = max(m.checked, m.log.LogStartOffset())
	for m.checked < m.committed {
		batches, err := readBatches(m.log, m.checked, 1<<20)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, b := range batches {
			if b.NextOffset() > m.committed {
				return
			}
			at := b.BaseOffset()
			if known, ok := f.committed[at]; ok && !bytes.Equal(known, b) {
				f.t.Fatalf("at offset %d node %v has committed another batch than was: %v", at, m.key, b)
			}
			f.committed[at], m.checked = bytes.Clone(b), b.NextOffset()
		}
	}
}

// leader is the one that leads in the newest epoch, nil if none does.
func (f *flock) leader() *member {
	var leader *member
	for _, m := range f.members {
		if m.Engine != nil && !m.cut && m.active() && (leader == nil || leader.leader.epoch < m.leader.epoch) {
			leader = m
		}
	}
	return leader
}

func (f *flock) ask(m *member, r *request, mark kafka.NodeID) *request {
	r.done = make(chan reply, 1)
	m.requests <- r
	f.asked = append(f.asked, waiting{r, m.Engine, mark})
	return r
}

func (f *flock) kill(m *member, keep int) {
	f.asked = slices.DeleteFunc(f.asked, func(a waiting) bool { return a.of == m.Engine })
	m.disk, m.Engine = m.disk.CrashClone(f.rng, keep), nil
}

// wipe gives a node that is down an empty disk.
func (f *flock) wipe(m *member) {
	m.disk, m.key.Directory = vfs.NewCrash(), f.directory()
	f.format(m, metalog.Voters{KRaft: 1})
}

// living counts the voters that still have the disk that the log names.
func (f *flock) living(set []Voter) int {
	n := 0
	for _, v := range set {
		if f.members[v.ID-1].key.Directory == v.Directory {
			n++
		}
	}
	return n
}

// settled reports whether the leader's voters, those that have their disks, have all that the leader has.
func (f *flock) settled(leader *member) bool {
	if len(leader.members) > 1 || leader.committed < leader.log.LogEndOffset() {
		return false
	}
	for _, v := range leader.members.Last().Set {
		if m := f.members[v.ID-1]; m.key.Directory == v.Directory && (m.Engine == nil || m.log.LogEndOffset() < leader.committed) {
			return false
		}
	}
	return true
}

// hurt does something at random, now and then.
func (f *flock) hurt(n int) {
	m := f.members[f.rng.IntN(len(f.members))]
	leader := f.leader()
	switch f.rng.IntN(60) {
	case 0:
		if m.Engine != nil {
			f.kill(m, f.rng.IntN(101))
		}
	case 1, 2, 3:
		if m.Engine == nil {
			f.start(m)
		}
	case 4:
		m.cut = true
	case 5, 6, 7:
		m.cut = false
	case 8, 9, 10, 11, 12, 13:
		if m.Engine != nil {
			id := kafka.NodeID(1000 + n)
			f.ask(m, &request{cmd: controller.RegisterController{Request: controllerRequest(id)}}, id)
		}
	case 14, 15, 16, 17:
		if leader != nil {
			f.change(leader, m)
		}
	case 18:
		if leader != nil && f.rng.IntN(3) == 0 && f.settled(leader) {
			set := leader.members.Last()
			if set.Has(m.key) && 2*(f.living(set.Set)-1) <= len(set.Set) {
				return // too few would be left
			}
			if m.Engine != nil {
				f.kill(m, 100)
			}
			f.wipe(m)
		}
	}
}

// change asks for a change of the voters that leaves enough of them with a disk.
func (f *flock) change(leader, m *member) {
	set := leader.members.Last()
	known, voter := set.Find(m.key.ID)
	c := &VoterChange{Kind: AddVoter, Voter: m.asVoter()}
	if voter {
		c = &VoterChange{Kind: RemoveVoter, Voter: known}
		if f.rng.IntN(4) == 0 {
			c.Kind, c.Voter.Endpoints = UpdateVoter, []metadata.Endpoint{{Listener: "CONTROLLER", Host: "elsewhere", Port: uint16(f.rng.IntN(9999))}}
		}
	}
	left := slices.DeleteFunc(slices.Clone(set.Set), func(v Voter) bool { return c.Kind == RemoveVoter && v.ID == m.key.ID })
	if 2*f.living(left) > len(left) {
		f.ask(leader, &request{change: c}, 0)
	}
}

// until steps until something is so.
func (f *flock) until(what string, ok func() bool) {
	f.t.Helper()
	for range 20_000 {
		if ok() {
			return
		}
		f.step()
	}
	for _, m := range f.members {
		if m.Engine != nil {
			leader, epoch := m.Leader()
			f.t.Logf("node %v: leader %d of epoch %d, committed %d of %d, voters %v, learners %v, Raft %v", m.key, leader, epoch, m.committed, m.log.LogEndOffset(),
				m.members.Last().Keys(), m.learners, m.raft.Status().Config)
		}
	}
	f.t.Fatalf("never: %s", what)
}

// heal brings everybody back, and has voters whose disks are gone removed.
func (f *flock) heal() *member {
	f.t.Helper()
	f.wild = false
	for _, m := range f.members {
		m.cut = false
		if m.Engine == nil {
			f.start(m)
		}
	}
	f.until("the dead voters are removed", func() bool {
		leader := f.leader()
		if leader == nil || len(f.asked) > 0 {
			return false
		}
		for _, v := range leader.members.Last().Set {
			if f.members[v.ID-1].key.Directory != v.Directory {
				f.ask(leader, &request{change: &VoterChange{Kind: RemoveVoter, Voter: v}}, 0)
				return false
			}
		}
		return leader.voter()
	})
	f.until("all have the same", func() bool {
		leader := f.leader()
		return leader != nil && !slices.ContainsFunc(f.members, func(m *member) bool {
			return m.committed != leader.log.LogEndOffset() || len(m.members) > 1
		})
	})
	return f.leader()
}

func (f *flock) close() {
	for _, m := range f.members {
		if m.Engine != nil {
			if err := m.Close(); err != nil {
				f.t.Error(err)
			}
		}
	}
}

// TestChurn: whatever happens to voters that come and go, an epoch has one leader, what is committed stays, what was answered is committed, and in the end
// all agree on who votes.
func TestChurn(t *testing.T) {
	var changes, elections, acked int
	for seed := *churnSeed; seed < *churnSeed+*churnSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Logf("replay with -run '^TestChurn$' -churn-seed %d -churn-seeds 1", seed)
			f := startFlock(t, seed, 5, 3)
			f.wild, f.joins = true, seed%2 == 0
			for n := range 3000 {
				f.hurt(n)
				f.step()
			}
			leader := f.heal()
			for _, m := range f.members {
				if got, want := fmt.Sprint(m.members.Last().Voters), fmt.Sprint(leader.members.Last().Voters); got != want {
					t.Errorf("node %v counts with %v, the leader with %v", m.key, got, want)
				}
				for _, id := range f.acked {
					if m.Image().Cluster.Controller(id) == nil {
						t.Errorf("node %v lacks %d, which was acknowledged", m.key, id)
					}
				}
			}
			changes, elections, acked = changes+f.changes, elections+f.elections, acked+len(f.acked)
			f.close()
		})
	}
	t.Logf("%d changes of the voters, %d elections, %d commands acknowledged", changes, elections, acked)
	if least := int(*churnSeeds) * 5; changes < least || elections < least || acked < least {
		t.Errorf("too little happened")
	}
}

// TestForgottenVotes: a voter with an empty disk is none any more: with the old leader dead and the voter that is left behind it, nobody is elected until
// the old leader comes back, and then what was committed is there. It follows as an observer, and votes when its old disk is out of the quorum and it is added.
func TestForgottenVotes(t *testing.T) {
	f := startFlock(t, 1, 3, 3)
	f.until("a leader", func() bool { return f.leader() != nil && f.settled(f.leader()) })
	leader := f.leader()
	wiped, behind := f.members[leader.key.ID%3], f.members[(leader.key.ID+1)%3]
	behind.cut = true
	f.ask(leader, &request{cmd: controller.RegisterController{Request: controllerRequest(77)}}, 77)
	f.until("it is committed by two", func() bool { return slices.Contains(f.acked, 77) })
	f.kill(leader, 0)
	f.kill(wiped, 0)
	old := wiped.key
	f.wipe(wiped)
	f.start(wiped)
	behind.cut = false
	for range 3000 {
		f.step()
		if f.leader() != nil {
			t.Fatalf("node %v was elected on a vote that was forgotten", f.leader().key)
		}
	}
	f.start(leader)
	f.until("the two that are left have a leader", func() bool { return f.leader() != nil && f.settled(f.leader()) })
	leader = f.leader()
	if leader.Image().Cluster.Controller(77) == nil {
		t.Fatal("what was committed is gone")
	}
	f.until("it follows beside the voter that it was", func() bool {
		leader = f.leader()
		return leader != nil && leader.followsClosely(wiped.key, f.now)
	})
	add := f.ask(leader, &request{change: &VoterChange{Kind: AddVoter, Voter: wiped.asVoter()}}, 0)
	if f.step(); len(add.done) != 0 || f.changes != 0 {
		t.Error("two voters of one id")
	}
	f.ask(leader, &request{change: &VoterChange{Kind: RemoveVoter, Voter: Voter{ID: old.ID, Directory: old.Directory}}}, 0)
	f.until("its old disk is removed, and it follows", func() bool {
		leader = f.leader()
		return f.changes == 1 && leader != nil && leader.followsClosely(wiped.key, f.now)
	})
	if s := leader.Status(); len(s.Observers) != 1 || s.Observers[0].Directory != wiped.key.Directory || s.Observers[0].LogEndOffset != s.HighWatermark {
		t.Errorf("observers %+v", s.Observers)
	}
	f.ask(leader, &request{change: &VoterChange{Kind: AddVoter, Voter: wiped.asVoter()}}, 0)
	f.until("it is a voter again", func() bool { return f.changes == 2 && wiped.voter() })
	f.close()
}

// TestOtherDisk: a voter with an empty disk follows at once beside the voter that it was. What it copies counts for nobody: neither for that voter,
// nor does what that voter had count for it when it gets the vote.
func TestOtherDisk(t *testing.T) {
	f := startFlock(t, 1, 3, 3)
	f.until("a leader", func() bool { return f.leader() != nil && f.settled(f.leader()) })
	leader := f.leader()
	wiped, other := f.members[leader.key.ID%3], f.members[(leader.key.ID+1)%3]
	old := wiped.key
	f.until("it has answered", func() bool { return leader.raft.Status().Progress[raftID(old.ID)].Match > 0 })
	f.kill(wiped, 0)
	f.wipe(wiped)
	f.start(wiped)
	f.until("it follows", func() bool { return leader.followsClosely(wiped.key, f.now) })
	s := leader.Status()
	if i := slices.IndexFunc(s.Voters, func(r ReplicaState) bool { return r.ID == old.ID }); s.Voters[i].Directory != old.Directory || s.Voters[i].LogEndOffset < 0 {
		t.Errorf("voters %+v", s.Voters)
	}
	if len(s.Observers) != 1 || s.Observers[0].Directory != wiped.key.Directory || s.Observers[0].LogEndOffset != s.HighWatermark {
		t.Errorf("observers %+v", s.Observers)
	}

	other.cut = true
	before := leader.committed
	f.ask(leader, &request{cmd: controller.RegisterController{Request: controllerRequest(78)}}, 78)
	f.until("it has a copy", func() bool { return wiped.log.LogEndOffset() > before })
	for range 10 {
		if f.step(); leader.committed != before || f.leader() != leader {
			t.Fatalf("a copy without a vote was counted: committed %d, was %d", leader.committed, before)
		}
	}
	other.cut = false
	f.until("a voter has it too", func() bool { return slices.Contains(f.acked, 78) && f.settled(leader) })

	f.kill(wiped, 0)
	f.wipe(wiped)
	f.start(wiped)
	f.until("it comes with another disk again", func() bool { return leader.learners[old.ID].Directory == wiped.key.Directory })
	wiped.cut = true
	f.ask(leader, &request{change: &VoterChange{Kind: RemoveVoter, Voter: Voter{ID: old.ID, Directory: old.Directory}}}, 0)
	f.until("the voter is removed", func() bool { return f.changes == 1 })
	if p := leader.raft.Status().Progress[raftID(old.ID)]; p.Match > uint64(wiped.log.LogEndOffset()) {
		t.Errorf("the leader believes that it has the log up to %d, as the voter had, and it ends at %d", p.Match, wiped.log.LogEndOffset())
	}
	wiped.cut = false
	f.until("it follows", func() bool { return leader.followsClosely(wiped.key, f.now) })
	f.ask(leader, &request{change: &VoterChange{Kind: AddVoter, Voter: wiped.asVoter()}}, 0)
	f.until("it votes", func() bool { return f.changes == 2 && wiped.voter() })
	f.close()
}

// TestMessagesToTheOldDisk: with the record that takes a voter's vote go messages that were meant for it. The disk that its node has now gets none of them: what
// the leader knows of the old one would have it end, as a voter that has forgotten what it promised.
func TestMessagesToTheOldDisk(t *testing.T) {
	for steps := range 5 { // a tick of Raft takes so many: one of them brings a heartbeat with the record
		f := startFlock(t, 1, 3, 3)
		f.until("a leader", func() bool { return f.leader() != nil && f.settled(f.leader()) })
		leader := f.leader()
		wiped := f.members[leader.key.ID%3]
		old := wiped.key
		f.until("it has answered", func() bool { return leader.raft.Status().Progress[raftID(old.ID)].Match > 0 })
		f.kill(wiped, 0)
		f.wipe(wiped)
		f.start(wiped)
		f.until("it comes with another disk", func() bool { return leader.learners[old.ID].Directory == wiped.key.Directory })
		wiped.cut = true
		for range steps {
			f.step()
		}
		f.packets, wiped.cut = nil, false
		f.ask(leader, &request{change: &VoterChange{Kind: RemoveVoter, Voter: Voter{ID: old.ID, Directory: old.Directory}}}, 0)
		f.until("the voter is removed, and it follows", func() bool { return f.changes == 1 && leader.followsClosely(wiped.key, f.now) })
		f.close()
	}
}

// TestJoin: nodes that ask for a vote by themselves get one when they have caught up, and one that comes back with an empty disk takes the place of the
// voter that it was; while too few have their votes nobody is elected, and nobody joins.
func TestJoin(t *testing.T) {
	f := startFlock(t, 1, 3, 1)
	f.joins = true
	for _, m := range f.members {
		f.kill(m, 100)
		f.start(m)
	}
	all := func() bool {
		leader := f.leader()
		return leader != nil && len(leader.members.Last().Set) == 3 && f.living(leader.members.Last().Set) == 3 && f.settled(leader)
	}
	f.until("all three vote", all)
	for range 3 {
		leader := f.leader()
		wiped, other := f.members[leader.key.ID%3], f.members[(leader.key.ID+1)%3]
		f.kill(wiped, 0)
		f.wipe(wiped)
		other.cut = true
		f.start(wiped)
		for range 500 {
			if f.step(); f.leader() != nil && !slices.Equal(f.leader().members.Committed().IDs(), []kafka.NodeID{1, 2, 3}) {
				t.Fatalf("the voters are %v, on the word of one of three", f.leader().members.Committed().Keys())
			}
		}
		other.cut = false
		f.until("all three vote with the disks that they have", all)
	}
	f.close()
}

// TestVoterMoves: a voter that is started at another address than the log says, where the leader does not reach it, tells the leader, and the log says so.
func TestVoterMoves(t *testing.T) {
	f := startFlock(t, 1, 3, 3)
	f.until("a leader", func() bool { return f.leader() != nil && f.settled(f.leader()) })
	leader := f.leader()
	moved := f.members[leader.key.ID%3]
	f.kill(moved, 100)
	moved.address, moved.hidden = "elsewhere", true
	f.start(moved)
	f.until("all know where it is", func() bool {
		return !slices.ContainsFunc(f.members, func(m *member) bool {
			v, ok := m.members.Committed().Find(moved.key.ID)
			return !ok || v.Endpoints[0].Host != "elsewhere"
		})
	})
	f.close()
}
