package sim

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

const (
	clusterID   = "simulated-cluster-0000"
	dataDir     = "/data"
	metadataDir = dataDir + "/__cluster_metadata-0"
	tick        = 50 * time.Millisecond // of Raft
	session     = 2 * time.Second       // broker.session.timeout.ms
	heartbeat   = 200 * time.Millisecond
	maxLag      = 3 * time.Second // replica.lag.time.max.ms
)

// begin is what all clocks show at first, but for their skew.
var begin = time.UnixMilli(1_800_000_000_000).UTC()

// node is a machine: its disk and clock, and the process that runs on it, if one does.
type node struct {
	w       *World
	id      int
	disk    *vfs.Mem
	faulty  *vfs.Faulty
	full    bool // the disk is
	broken  bool // the disk fails the next sync or write, as soon as that must be harmless
	boots   int  // of the machine
	life    int  // of the process: each has its own
	paused  bool
	missed  []func()      // what came meanwhile
	skew    time.Duration // of the clock
	drift   float64
	leapt   time.Duration // by all its clocks
	stepped time.Duration // by the one that people read alone
	wake    time.Duration // when the process is stepped next; 0 for none planned
	p       *process      // nil while it is down
}

// process is what a node loses when it dies.
type process struct {
	n          *node
	directory  partition.Dir
	start      checkpoint.Start
	previous   kafka.BrokerEpoch // of the process before, if nothing is lost that it wrote; kafka.NoBrokerEpoch else
	quorum     *quorum.Engine
	steps      *quorum.Steps
	partitions *partition.Manager
	follows    *replication.Steps
	waits      *purgatory.Purgatory
	groups     *coordinator.Runtime
	sessions   *fetchsession.Cache
	image      *metadata.Image
	changes    []metadata.Change // published, and not applied yet
	applied    kafka.Offset
	applyAt    time.Duration // not before are they
	begun      bool
	member     member
	dutyAt     time.Time // of the partitions
	expireAt   time.Time // of followers that lag
	serves     bool      // brokers and clients
	failed     error
	stepping   bool
	again      bool
}

func newNode(w *World, id int) *node {
	n := &node{w: w, id: id, disk: vfs.NewCrash()}
	n.faulty = newFaulty(n)
	n.skew = w.between(-time.Hour, time.Hour)
	n.drift = w.plan.drift * (2*w.rng.Float64() - 1)
	n.must(n.disk.Mkdir(dataDir))
	n.must(n.disk.SyncDir("/"))
	if w.plan.voters {
		n.format()
	}
	return n
}

func (n *node) must(err error) {
	if err != nil {
		n.w.fail("node %d: %v", n.id, err)
	}
}

func (n *node) up() bool { return n.p != nil }

// fault is the hook of the disk.
func (n *node) fault(o vfs.Op) error {
	if n.full && (o.Kind == vfs.OpWrite || o.Kind == vfs.OpCreate || o.Kind == vfs.OpMkdir || o.Kind == vfs.OpPreallocate) {
		return vfs.ErrNoSpace
	}
	if n.broken && (o.Kind == vfs.OpWrite || o.Kind == vfs.OpSync) && (n.w.plan.flush || n.w.whole()) {
		n.broken = false
		n.w.tell("node %d: the disk fails: %v", n.id, o)
		n.w.sometimes("disk failed at " + string(o.Kind))
		return errors.New("the disk has failed")
	}
	return nil
}

// open starts a process on what the disk holds.
func (n *node) open() error {
	n.life++
	p := &process{n: n, image: metadata.Empty(), applied: kafka.NoOffset, directory: partition.Dir{Path: dataDir, ID: directoryOf(n.id)}}
	p.waits = purgatory.NewPurgatory(n.clock)
	p.sessions = fetchsession.NewCache(100, time.Minute, func() int32 { return n.w.rng.Int32() })
	p.member = member{incarnation: n.newID(), epoch: kafka.NoBrokerEpoch}
	if err := p.takeDirectory(); err != nil {
		return err
	}
	if err := p.openQuorum(); err != nil {
		return err
	}
	if err := p.openPartitions(); err != nil {
		return err
	}
	p.openGroups()
	if err := checkpoint.WriteStart(n.faulty, dataDir, p.start); err != nil { // the logs were checked
		return err
	}
	p.expireAt = n.clock().Add(maxLag / 2)
	n.p = p
	n.poke()
	return nil
}

// takeDirectory does what node.begin does: it takes the clean-shutdown marker away and leaves a note of this process.
func (p *process) takeDirectory() (err error) {
	fs := p.n.faulty
	if p.directory.Clean, p.previous, err = checkpoint.TakeClean(fs, dataDir); err != nil {
		return err
	}
	p.start = checkpoint.Start{Boot: string(rune('a'+p.n.boots%26)) + "-boot", Mount: "m", Incarnation: p.member.incarnation}
	last, known, err := checkpoint.ReadStart(fs, dataDir)
	if err != nil {
		return err
	}
	p.directory.Written = known && last.SameMachineLife(p.start)
	switch {
	case p.directory.Clean:
	case p.directory.Written:
		p.previous = last.Epoch
	default:
		p.previous = kafka.NoBrokerEpoch
	}
	p.start.Epoch = p.previous
	note := p.start
	if !p.directory.Clean && !p.directory.Written {
		note.Boot = ""
	}
	return checkpoint.WriteStart(fs, dataDir, note)
}

func (p *process) openQuorum() (err error) {
	n, log := p.n, commitlog.DefaultConfig()
	log.SegmentBytes = 4 << 10
	life := n.life
	n.w.pinned(func() {
		p.quorum, err = quorum.Open(quorum.Config{
			FS: n.faulty, Dir: metadataDir, NodeID: kafka.NodeID(n.id), Directory: p.directory.ID, Voters: n.w.staticVoters(), Tick: tick,
			Controller: controller.Config{
				ClusterID: clusterID, NodeID: kafka.NodeID(n.id), MinInSyncReplicas: 2, SessionTimeout: session, RebalanceInterval: 5 * time.Second,
				Configs: configs{}, Random: rand.New(rand.NewPCG(n.w.rng.Uint64(), 1)),
			},
			LogConfig: log, Cache: segment.NewCache(16, 1<<20), SnapshotBytes: n.w.plan.snapshot, SnapshotInterval: time.Hour,
			Clean: p.directory.Clean, Now: n.clock, Go: func(f func()) { f() }, Log: n.log(),
			Send:          func(to quorum.ReplicaKey, messages [][]byte) { n.sendVoter(to, life, messages) },
			FetchSnapshot: n.fetchSnapshot, Introduce: n.introduce,
		})
	})
	if err != nil {
		return err
	}
	p.steps, p.image = p.quorum.Steps(), p.quorum.Image()
	p.quorum.Subscribe(func(c metadata.Change) {
		switch {
		case p.begun:
			p.publish(c)
		case p.registeredIn(c.Image):
			p.begun = true
			p.publish(metadata.Change{Delta: metadata.DeltaFromEmpty(c.Image), Image: c.Image})
		}
		n.w.oracle.metadata(n.w, n.id, c.Image)
	})
	return nil
}

func (p *process) publish(c metadata.Change) {
	if len(p.changes) == 0 && p.n.w.chance(p.n.w.plan.lateApply) {
		p.applyAt = p.n.w.now + p.n.w.between(0, 200*time.Millisecond)
	}
	p.changes = append(p.changes, c)
}

func (p *process) openPartitions() (err error) {
	n := p.n
	p.follows = replication.NewSteps(replication.Options{
		Self: kafka.NodeID(n.id), Epoch: func() kafka.BrokerEpoch { return p.member.epoch }, Now: n.clock, Log: n.log(),
		Limits: replication.Limits{MaxWait: fetchWait, MinBytes: 1, MaxBytes: 1 << 20, MaxPartitionBytes: 4 << 10, Backoff: 500 * time.Millisecond, Timeout: time.Second},
	})
	p.partitions, err = partition.Open(partition.Options{
		Self: kafka.NodeID(n.id), FS: n.faulty, Dirs: []partition.Dir{p.directory}, Template: commitlog.Options{Cache: segment.NewCache(64, 1<<20)},
		TopicConfig: n.topicConfig, Now: n.clock, Go: n.soon, NewID: n.newID, Log: n.log(), RecoveryThreads: 1, Closers: 1,
		HighWaterInterval: time.Second, CheckpointInterval: 3 * time.Second, StartsInterval: 3 * time.Second, InitialDelay: time.Second,
		RetentionInterval: 2 * time.Second, DeleteDelay: time.Second,
		Cluster: p, MaxLag: maxLag, Propose: p.follows.Propose, Moved: p.follows.Moved,
		DirFailed: func(_ partition.Dir, _ bool, err error) { p.failed = err },
	})
	return err
}

// soon runs something of the process a little later: a sync takes its time.
func (n *node) soon(f func()) {
	life := n.life
	n.w.after(n.w.between(0, 5*time.Millisecond), "", func() {
		n.do(func() {
			if n.life == life {
				f()
			}
		})
	})
}

// InSyncEpoch implements replica.Cluster as package node does.
func (p *process) InSyncEpoch(id kafka.NodeID) kafka.BrokerEpoch {
	if r := p.image.Cluster.Broker(id); r != nil && r.Active() {
		return r.Epoch
	}
	return kafka.NoBrokerEpoch
}

func (n *node) topicConfig(_ string, own map[string]string) partition.Config {
	log := commitlog.DefaultConfig()
	log.SegmentBytes, log.IndexInterval = n.w.plan.segment, 64
	c := partition.Config{
		Log: log, MinInSyncReplicas: 2, MaxMessageBytes: 1 << 20, MaxDecompressed: 1 << 20, FlushInterval: -1,
		TimestampBefore: -1, TimestampAfter: 1<<63 - 1,
	}
	if own[cleanupPolicy] == "compact" {
		c.Compacted, c.Log.Compacted, c.Log.DeleteOld = true, true, false
	}
	if n.w.plan.flush {
		c.FlushMessages = 1
	}
	return c
}

func (n *node) newID() (id kafka.UUID) {
	for i := range id {
		id[i] = byte(n.w.rng.Uint32())
	}
	return id
}

// log is the log of the node: with a trace that somebody reads, part of it.
func (n *node) log() *slog.Logger {
	if n.w.out == nil {
		return slog.New(slog.DiscardHandler)
	}
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(n.w.out, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: drop})).With("node", n.id)
}
