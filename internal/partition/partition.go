package partition

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/vfs"
)

// Partition is one partition of which this node has a replica. All methods may be called concurrently.
type Partition struct {
	id      kafka.TopicPartition
	topicID kafka.TopicID
	self    kafka.NodeID
	home    atomic.Pointer[home]
	move    atomic.Pointer[move] // to another log directory; nil without one. Changed under upkeep

	config        atomic.Pointer[Config]
	leadership    atomic.Pointer[replica.Leadership]
	highWatermark atomic.Int64
	firstUnstable atomic.Int64 // kafka.NoOffset without a transaction
	epochStart    atomic.Int64
	state         atomic.Int32 // online, failed, gone or closed
	keptStart     atomic.Int64 // the log start offset that is checkpointed; at most 0 for none
	watchers      purgatory.Watchers

	mu       sync.Mutex // inside of upkeep, outside of the log's own locks; guards the core and the writer's side of the log
	core     *replica.State
	marked   bool   // partition.metadata is written
	unsynced int64  // bytes since the flusher was last told of this log
	syncs    *syncs // for flush.messages; nil before that is first set

	// unflushedSince is when the oldest append was that no flush has covered, in ms since 1970; 0 if there is none.
	unflushedSince atomic.Int64

	upkeep sync.Mutex // outside of mu; guards Flush, Reap, Checkpointed and FinishSwap of the log, which want one caller at a time and a folder that stays

	cleaning    atomic.Bool // a cleaner has it
	uncleanable atomic.Bool // a cleaner failed on what is in it
}

// States of a partition.
const (
	online int32 = iota
	failed       // its directory failed
	gone         // it was deleted, or moved to other nodes: its folder is another one's
	closed       // the node stops
)

// newPartition returns a partition over an open log; highWatermark is the checkpointed one.
func newPartition(dir *logDir, self kafka.NodeID, id kafka.TopicPartition, topic kafka.TopicID, log *commitlog.Log,
	highWatermark kafka.Offset, c *Config) *Partition {
	p := &Partition{id: id, topicID: topic, self: self}
	p.home.Store(&home{dir, log})
	p.follow(c)
	p.core = replica.New(self, log.LogEndOffset(), max(highWatermark, log.LogStartOffset()), dir.m.o.Cluster, p.rules(c))
	l := p.core.Leadership()
	p.leadership.Store(&l)
	p.publish()
	return p
}

// home is where a partition's log is.
type home struct {
	dir *logDir
	log *commitlog.Log // the partition's lock guards what only its writer may call
}

func (p *Partition) dir() *logDir        { return p.home.Load().dir }
func (p *Partition) log() *commitlog.Log { return p.home.Load().log }

// ID returns the partition's name.
func (p *Partition) ID() kafka.TopicPartition { return p.id }

// TopicID returns the id of the topic's life that this is of.
func (p *Partition) TopicID() kafka.TopicID { return p.topicID }

// Dir returns the id of the log directory that it lies in.
func (p *Partition) Dir() kafka.UUID { return p.dir().ID }

// Leadership returns what the metadata log says. Read only.
func (p *Partition) Leadership() *replica.Leadership { return p.leadership.Load() }

// Watchers are the waits for its bounds: LogEnd, HighWatermark and Committed (the last stable offset).
func (p *Partition) Watchers() *purgatory.Watchers { return &p.watchers }

// LogStartOffset returns the first offset that a client may read.
func (p *Partition) LogStartOffset() kafka.Offset { return p.log().LogStartOffset() }

// LogEndOffset returns the offset that the next record will get.
func (p *Partition) LogEndOffset() kafka.Offset { return p.log().LogEndOffset() }

// HighWatermark returns the exclusive bound of what every in-sync replica has.
func (p *Partition) HighWatermark() kafka.Offset { return kafka.Offset(p.highWatermark.Load()) }

// LastStableOffset returns the exclusive bound of what read_committed may see.
func (p *Partition) LastStableOffset() kafka.Offset {
	// The order matters: the high watermark only rises, but where a follower's log is cut, and no transaction begins below it.
	hw := p.HighWatermark()
	if first := kafka.Offset(p.firstUnstable.Load()); first != kafka.NoOffset {
		return min(first, hw)
	}
	return hw
}

// MaxMessageBytes returns the size of the largest batch that it takes, in bytes.
func (p *Partition) MaxMessageBytes() int { return p.config.Load().MaxMessageBytes }

// Size returns the bytes of its segments.
func (p *Partition) Size() int64 { return p.log().Size() }

// Damage lists the ranges that can't be read.
func (p *Partition) Damage() []commitlog.Damage { return p.log().Damage() }

// check decides whether a request may be served here: the partition is online, and believed is its leader epoch (or kafka.NoEpoch).
func (p *Partition) check(believed kafka.LeaderEpoch, needLeader bool) error {
	switch p.state.Load() {
	case failed:
		return kerr.KafkaStorageError
	case gone, closed:
		return kerr.NotLeaderForPartition
	}
	return p.leadership.Load().Check(p.self, believed, needLeader)
}

// become takes in what the metadata log says about the partition, and reports whether it got another leader or epoch.
func (p *Partition) become(l replica.Leadership) (moved bool) {
	p.mu.Lock()
	r := p.core.Become(p.dir().m.o.Now(), l)
	if r.NewEpoch && p.log().LatestEpoch() < l.LeaderEpoch {
		p.log().AssignEpoch(l.LeaderEpoch, r.EpochStart)
	} else if !p.core.Leads() {
		p.log().RetractEpochs() // what this node was to lead in and has no record of is not what its log is made of
	}
	if planted.Bug("cut-to-high-watermark") && r.Moved && !p.core.Leads() && p.syncs == nil {
		_ = p.log().TruncateTo(p.core.HighWatermark(), p.dir().m.o.Now())
		p.core.Truncated(p.log().LogEndOffset())
	}
	now := p.core.Leadership()
	p.leadership.Store(&now)
	p.epochStart.Store(int64(p.core.EpochStart()))
	p.publish()
	p.mu.Unlock()
	if r.Moved {
		p.watchers.Fail()
	}
	p.act(r, nil)
	return r.Moved
}

// setConfig makes c the configuration from the next append on.
func (p *Partition) setConfig(c *Config) {
	p.mu.Lock()
	p.log().SetConfig(&c.Log)
	p.follow(c)
	p.core.Follow(p.rules(c))
	p.publish()
	p.mu.Unlock()
	p.advanced(0, nil)
}

func (p *Partition) rules(c *Config) replica.Rules {
	return replica.Rules{MinISR: c.MinInSyncReplicas, MaxLag: p.dir().m.o.MaxLag}
}

func (p *Partition) follow(c *Config) {
	p.config.Store(c)
	if c.flushes() {
		p.dir().m.timed.Store(true)
	}
}

// publish makes the bounds of the core visible to readers. Hold the lock.
func (p *Partition) publish() {
	hw := p.core.HighWatermark()
	p.log().Producers().SetHighWatermark(hw)
	p.firstUnstable.Store(int64(p.log().Producers().FirstUnstableOffset(hw)))
	if p.highWatermark.Swap(int64(hw)) != int64(hw) {
		p.dir().stale()
	}
}

// advanced tells the waits that bounds moved, bytes further than before, and completes those that are met, or leaves that to woken. Hold
// no lock.
func (p *Partition) advanced(bytes int, woken *purgatory.Woken) {
	p.watchers.Advance(p.LogEndOffset(), p.HighWatermark(), p.LastStableOffset(), bytes, woken)
}

// takeOffline refuses all further requests, with the error of state, and completes the waits.
func (p *Partition) takeOffline(state int32) {
	if p.state.CompareAndSwap(online, state) {
		p.watchers.Fail()
	}
}

// abandon takes the partition offline for good and closes its log without writing.
func (p *Partition) abandon(state int32) {
	p.takeOffline(state)
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Store(state)
	p.log().Abandon()
}

// unsettled reports whether the end of the log has something to write.
func (p *Partition) unsettled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Load() == online && p.log().Unsettled()
}

// settle writes what close is to leave, without a sync. Nothing is appended from here on.
func (p *Partition) settle(now time.Time) error {
	p.takeOffline(closed)
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log().Settle(now)
}

// close flushes and closes the log.
func (p *Partition) close(now time.Time) error {
	p.takeOffline(closed)
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log().Close(now)
}

// storageFailure classifies an error of the log on a write: a full disk, or a want of descriptors, refuses this write alone, a partition that is gone is another
// node's, and all else fails the log directory. Hold no lock.
func (p *Partition) storageFailure(err error) error {
	state := p.state.Load()
	switch {
	case state == gone, state == closed, errors.Is(err, commitlog.ErrClosed):
		return kerr.NotLeaderForPartition // its files were taken away on purpose
	case !vfs.Passes(err) || errors.Is(err, commitlog.ErrFenced):
		p.dir().fail(err)
	default:
		p.dir().refuses(p.id, err)
	}
	return fmt.Errorf("%s: %w: %w", p.id, err, kerr.KafkaStorageError)
}

// WatchAcked has w wait until the high watermark is at end, which an Append in epoch gave. When w is over, Acked tells how.
func (p *Partition) WatchAcked(w *purgatory.Wait, end kafka.Offset, epoch kafka.LeaderEpoch) {
	w.Watch(&p.watchers, purgatory.HighWatermark, end-1)
	if p.check(epoch, true) != nil { // it was lost before it was watched, and what was lost is told once
		w.Void()
	}
}

// Acked decides the answer of a write with acks=all, appended up to end in epoch, when its wait is over: nil, kerr.NotLeaderForPartition,
// kerr.NotEnoughReplicasAfterAppend or, if the high watermark has not come, kerr.RequestTimedOut.
func (p *Partition) Acked(end kafka.Offset, epoch kafka.LeaderEpoch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state.Load() == failed:
		return kerr.KafkaStorageError
	case p.state.Load() != online || !p.core.Leads() || p.core.Leadership().LeaderEpoch != epoch:
		return kerr.NotLeaderForPartition
	case p.core.HighWatermark() < end:
		return kerr.RequestTimedOut
	}
	return p.core.CheckAcked()
}

// DeleteRecords raises the log start offset to upTo, or to the high watermark for -1, and returns the low watermark: the least log start
// of the replicas. It is not durable before KeepLogStart. Errors wrap kerr.OffsetOutOfRange, kerr.PolicyViolation, kerr.NotLeaderForPartition
// or kerr.KafkaStorageError.
func (p *Partition) DeleteRecords(upTo kafka.Offset) (kafka.Offset, error) {
	if err := p.check(kafka.NoEpoch, true); err != nil {
		return kafka.NoOffset, err
	}
	if !p.config.Load().Deletable {
		return kafka.NoOffset, fmt.Errorf("records of partition %s can not be deleted due to the configured policy: %w", p.id, kerr.PolicyViolation)
	}
	if err := p.deleteLocked(upTo); err != nil {
		return kafka.NoOffset, err
	}
	return p.LogStartOffset(), nil
}

func (p *Partition) deleteLocked(upTo kafka.Offset) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.check(kafka.NoEpoch, true); err != nil {
		return err
	}
	hw := p.core.HighWatermark()
	if upTo == kafka.NoOffset {
		upTo = hw
	}
	if upTo < 0 || upTo > hw {
		return fmt.Errorf("the offset %d for partition %s is not valid: the high watermark is %d: %w", upTo, p.id, hw, kerr.OffsetOutOfRange)
	}
	if upTo <= p.log().LogStartOffset() {
		return nil
	}
	if err := p.log().SetLogStartOffset(upTo); err != nil {
		return err
	}
	p.publish()
	return nil
}

// KeepLogStart makes durable what DeleteRecords did. One write serves all partitions of the directory for which it was called, so that it is
// cheap to delete from many first. Errors wrap kerr.NotLeaderForPartition or kerr.KafkaStorageError.
func (p *Partition) KeepLogStart() error {
	if p.keptStart.Load() >= int64(p.LogStartOffset()) {
		return nil
	}
	if err := p.dir().keepLogStart(p); err != nil {
		return p.storageFailure(err)
	}
	return nil
}

// Producers lists the idempotent producers in the order of their ids. The error is kerr.NotLeaderForPartition or kerr.KafkaStorageError.
func (p *Partition) Producers() ([]producer.Active, error) {
	if err := p.check(kafka.NoEpoch, true); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log().Producers().Producers(nil), nil
}

// flush makes what is appended durable, unless the partition is not online, and returns how far the log is.
func (p *Partition) flush() (kafka.Offset, error) {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if point := p.log().RecoveryPoint(); p.state.Load() != online || point >= p.log().LogEndOffset() {
		return point, nil
	}
	p.unflushedSince.Store(0) // before: what is appended meanwhile may not be covered
	return p.log().Flush()
}

// flushDue returns when flush.ms asks for a flush: of what is appended, or of what is appended now. The zero time says never.
func (p *Partition) flushDue(now time.Time) time.Time {
	c := p.config.Load()
	if !c.flushes() {
		return time.Time{}
	}
	interval := c.FlushInterval
	if since := p.unflushedSince.Load(); since != 0 {
		return time.UnixMilli(since).Add(interval)
	}
	return now.Add(interval)
}

// retain does the duties by time on the log: roll, remove what retention no longer asks for, unlink what was removed long enough ago.
func (p *Partition) retain(now time.Time) error {
	if !p.log().Made() {
		return nil
	}
	if err := p.retainLocked(now); err != nil {
		return err
	}
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.state.Load() != online {
		return nil
	}
	_, err := p.log().Reap(now)
	return err
}

func (p *Partition) retainLocked(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Load() != online {
		return nil
	}
	if _, err := p.log().RollAged(now); err != nil {
		return err
	}
	if p.cleaning.Load() {
		return nil // as in Kafka: the cleaner's work would be in vain
	}
	_, err := p.log().Retain(now, p.core.HighWatermark())
	return err
}

// expireProducers forgets idle producers.
func (p *Partition) expireProducers(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state := p.log().Producers(); state.Len() > 0 && p.state.Load() == online {
		state.Expire(now.UnixMilli(), p.config.Load().Log.ProducerIdle)
	}
}

// ensureFolder makes what has to be on the disk before the first record. Hold the lock.
func (p *Partition) ensureFolder(now time.Time) error {
	if p.marked {
		return nil
	}
	if err := p.log().Make(now); err != nil {
		return err
	}
	return p.mark()
}

// mark writes partition.metadata, without which nothing may be in the log. Hold the lock.
func (p *Partition) mark() error {
	if p.marked {
		return nil
	}
	if err := checkpoint.WritePartition(p.dir().fs(), p.log().Dir(), p.topicID); err != nil {
		return err
	}
	p.marked = true
	return nil
}

// String describes the partition in one line.
func (p *Partition) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%s: %s, log %d-%d", p.id, p.core, p.log().LogStartOffset(), p.log().LogEndOffset())
}
