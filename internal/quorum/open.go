package quorum

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func (cfg Config) withDefaults() Config {
	if cfg.Tick == 0 {
		cfg.Tick = 100 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Go == nil {
		cfg.Go = func(f func()) { go f() }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Send == nil {
		cfg.Send = func(ReplicaKey, [][]byte) {}
	}
	if cfg.Activated == nil {
		cfg.Activated = func() {}
	}
	if cfg.Introduce == nil {
		cfg.Introduce = func(context.Context, []Voter) (Voter, error) { return Voter{}, errors.ErrUnsupported }
	}
	if cfg.FetchSnapshot == nil {
		cfg.FetchSnapshot = func(context.Context, kafka.NodeID, SnapshotID, io.Writer) error { return errors.ErrUnsupported }
	}
	return cfg
}

// Open loads the newest snapshot and the log after it. It elects nobody: Run does. In a quorum of one all that is on
// the disk is committed, and so the image is up to date when Open returns.
func Open(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	e := &Engine{
		cfg:      cfg,
		requests: make(chan *request, maxQueued),
		messages: make(chan inbound, maxQueued),
		written:  newErrand[snapshotResult](),
		fetched:  newErrand[fetched](),
		resigns:  make(chan chan struct{}),
		arrivals: make(chan Voter, maxLearners),
		found:    newErrand[introduction](),
		joined:   newErrand[error](),
		met:      make(map[kafka.NodeID]Voter),
		learners: make(map[kafka.NodeID]Voter),
		seen:     make(map[ReplicaKey]ReplicaState),
		told:     make(map[ReplicaKey]told),
	}
	e.life, e.end = context.WithCancel(context.Background())
	if err := vfs.MkdirAll(cfg.FS, cfg.Dir); err != nil {
		return nil, fmt.Errorf("make %s: %w", cfg.Dir, err)
	}
	hard, leader, err := readQuorumState(cfg.FS, cfg.Dir)
	if err != nil {
		return nil, err
	}
	e.storage, e.votedLeader = &storage{hard: hard}, leader
	if err := e.loadFiles(); err != nil {
		return nil, err
	}
	if err := e.openLog(); err != nil {
		return nil, err
	}
	if err := e.start(); err != nil {
		e.log.Abandon()
		return nil, err
	}
	return e, nil
}

// loadFiles reads the bootstrap file and the newest snapshot.
func (e *Engine) loadFiles() error {
	records, members, err := metalog.ReadBootstrap(e.cfg.FS, e.cfg.Dir)
	if err != nil {
		return err
	}
	if records != nil {
		e.cfg.Controller.Bootstrap = records
	}
	e.bootstrap = members
	switch {
	case members.KRaft > 0:
	case len(e.cfg.Voters) > 0:
		members.Set = metalog.SortVoters(e.cfg.Voters)
	default: // it was formatted by a file that named voters, and the file that counts leaves them to the log
		members.KRaft = metalog.MaxKRaftVersion
	}
	e.members.Begin(metalog.Membership{Voters: members, At: kafka.NoOffset})
	pace := metalog.Pace{Bytes: e.cfg.SnapshotBytes, Interval: e.cfg.SnapshotInterval}
	if e.snapshots, err = metalog.OpenSnapshots(e.cfg.FS, e.cfg.Dir, pace, e.cfg.Log, e.cfg.Now()); err != nil {
		return err
	}
	image, inSnapshot, err := e.snapshots.Load()
	if err != nil {
		return err
	}
	if inSnapshot.KRaft > 0 && !planted.Bug("voters-of-format") {
		e.members.Begin(metalog.Membership{Voters: inSnapshot, At: kafka.NoOffset, InLog: true})
	}
	e.storage.snap = e.snapshots.Newest()
	e.loader = metadata.NewLoader(image)
	e.Board = NewBoard(image)
	return nil
}

func (e *Engine) openLog() (err error) {
	if e.synced, err = readSynced(e.cfg.FS, e.cfg.Dir); err != nil {
		return err
	}
	if len(e.cfg.Voters) > 1 || e.members.Last().KRaft > 0 {
		if err := e.markOurs(); err != nil {
			return err
		}
	}
	log, report, err := commitlog.Open(e.cfg.FS, e.cfg.Dir, commitlog.Options{
		Partition:      kafka.TopicPartition{Topic: kafka.ClusterMetadataTopic},
		Config:         e.cfg.LogConfig,
		Cache:          e.cfg.Cache,
		Clean:          e.cfg.Clean,
		RecoveryPoint:  e.synced,
		LogStartOffset: e.storage.snap.EndOffset,
		Now:            e.cfg.Now(),
	})
	if err != nil {
		return fmt.Errorf("open the metadata log: %w", err)
	}
	e.log, e.storage.log = log, log
	if report.LostBytes > 0 {
		e.cfg.Log.Warn("cut a torn tail off the metadata log", "bytes", report.LostBytes, "end", log.LogEndOffset(), "cause", report.Cut)
	}
	err = e.checkDamage(report)
	switch snap := e.storage.snap.EndOffset; {
	case err != nil:
	case log.LogEndOffset() < snap || e.diverges(log):
		// The log was lost or never there, or what it ends with was never committed: the snapshot holds what was.
		err = e.beginAt(snap, e.cfg.Now())
	case log.LogStartOffset() > snap:
		err = fmt.Errorf("%w: the log starts at offset %d and the newest snapshot ends at %d", ErrDamaged, log.LogStartOffset(), snap)
	}
	if err == nil && log.RecoveryPoint() < log.LogEndOffset() {
		_, err = log.Flush() // what is shown to anybody must not vanish
	}
	if err == nil {
		err = e.noteSynced()
	}
	if err != nil {
		log.Abandon()
	}
	return err
}

// diverges reports whether the log goes on behind the newest snapshot in an older epoch: the snapshot is a leader's, and came before this
// voter's own tail was cut.
func (e *Engine) diverges(log *commitlog.Log) bool {
	snap := e.storage.snap
	epoch := log.EpochAt(snap.EndOffset) // an unknown one is damage, which others find
	return snap.EndOffset < log.LogEndOffset() && epoch != kafka.NoEpoch && epoch < snap.Epoch
}

// start scans the log for memberships, replays what is known to be committed, and makes the Raft node.
func (e *Engine) start() error {
	committed := e.storage.snap.EndOffset
	if err := e.visitLog(committed, func(b record.Batch, d *metalog.Batch) error {
		e.members.Note(d)
		e.snapshots.Logged(len(b))
		return nil
	}); err != nil {
		return err
	}
	e.storage.conf = e.conf()
	if e.alone() {
		if err := e.visitLog(committed, func(_ record.Batch, d *metalog.Batch) error {
			change, err := e.loader.Replay(d.Batch)
			if err == nil {
				e.image.Store(change.Image)
			}
			return err
		}); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		committed = e.log.LogEndOffset()
		e.members.Commit(committed)
	}
	last, _ := e.storage.LastIndex()
	if last > 0 {
		// A term on disk that is below the log's would let this node vote in an epoch that has a leader.
		if term, err := e.storage.Term(last); err != nil {
			return err
		} else if term > e.storage.hard.GetTerm() {
			e.storage.hard.Term, e.storage.hard.Vote = new(term), new(uint64(0))
		}
	}
	e.storage.hard.Commit = new(uint64(committed))
	node, err := raft.NewRawNode(&raft.Config{
		ID:                        raftID(e.cfg.NodeID),
		ElectionTick:              electionTicks,
		HeartbeatTick:             heartbeatTicks,
		Storage:                   e.storage,
		Applied:                   uint64(committed),
		MaxSizePerMsg:             math.MaxUint64, // batches travel whole
		MaxCommittedSizePerReady:  4 << 20,
		MaxUncommittedEntriesSize: 1 << 30,
		MaxInflightMsgs:           64,
		CheckQuorum:               true,
		PreVote:                   true,
		Logger:                    raftLogger{e.cfg.Log},
		DisableProposalForwarding: true,
	})
	if err != nil {
		return fmt.Errorf("start raft: %w", err)
	}
	e.raft, e.committed, e.leads = node, committed, kafka.NoNode
	e.voted, e.heard = e.storage.hard, e.cfg.Now()
	if !e.voter() {
		e.heard = time.Time{} // it is sent nothing before it asks
	}
	e.lastTick = e.cfg.Now()
	if from := e.lastTick; !e.alone() {
		if last > 0 {
			from = from.Add(listenTicks * e.cfg.Tick)
		}
		e.standFrom(from, kafka.NoNode)
	}
	e.publishStatus()
	return nil
}

// visitLog decodes the log from an offset on.
func (e *Engine) visitLog(from kafka.Offset, visit func(record.Batch, *metalog.Batch) error) error {
	for from < e.log.LogEndOffset() {
		batches, err := readBatches(e.log, from, 4<<20)
		if err != nil {
			return err
		}
		for i, b := range batches {
			// Neither the offset nor the epoch of a batch is under its checksum.
			if b.BaseOffset() > from || b.LastOffset() < from || i > 0 && b.BaseOffset() != from || b.LeaderEpoch() != e.log.EpochAt(from) {
				return fmt.Errorf("%w: at offset %d there is %v, of epoch %d", ErrDamaged, from, b, e.log.EpochAt(from))
			}
			d, err := metalog.Decode(b)
			if err != nil {
				return err
			}
			if err := visit(b, d); err != nil {
				return err
			}
			from = b.NextOffset()
		}
	}
	return nil
}
