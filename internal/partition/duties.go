package partition

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// duties is when each background duty is due next.
type duties struct {
	retention, highWater, flush, checkpoint, starts, expiry time.Time

	points time.Time // recovery points of logs that were flushed in between; zero if there are none
}

// pointsDelay is how long the recovery point of a log that was flushed out of turn may wait for those of others.
const pointsDelay = time.Second

func firstDuties(o *Options, now time.Time) duties {
	first := func(interval time.Duration) time.Time { return now.Add(min(o.InitialDelay, interval)) }
	return duties{
		retention: first(o.RetentionInterval), highWater: now.Add(o.HighWaterInterval), flush: now,
		checkpoint: first(o.CheckpointInterval), starts: first(o.StartsInterval), expiry: now.Add(o.ExpiryInterval),
	}
}

// Run does the background duties until ctx is done: retention, rolls by age, flushes, checkpoints, expiry, removal of deleted folders.
func (m *Manager) Run(ctx context.Context) {
	var cleaners sync.WaitGroup
	cleaners.Go(func() { m.runCleaners(ctx) })
	defer cleaners.Wait()
	timer := time.NewTimer(m.step(m.o.Now()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-m.dirty:
			timer.Reset(m.flushOutOfTurn(p))
		case <-timer.C:
			timer.Reset(m.step(m.o.Now()))
		}
	}
}

// Step does what Run does, once and in the caller's goroutine, but for cleaning, and returns how long it may wait for the next call.
func (m *Manager) Step(now time.Time) time.Duration {
	for {
		select {
		case p := <-m.dirty:
			m.flushOutOfTurn(p)
		default:
			return m.step(now)
		}
	}
}

// step does what is due and returns how long it may wait for the next call.
func (m *Manager) step(now time.Time) time.Duration {
	due := &m.due
	if reached(&due.retention, now, m.o.RetentionInterval) {
		for _, p := range m.sorted() {
			if err := p.retain(now); err != nil {
				_ = p.storageFailure(err)
			}
		}
	}
	if reached(&due.highWater, now, m.o.HighWaterInterval) {
		m.writeHighWatermarks()
	}
	if !now.Before(due.flush) {
		due.flush = m.flushOld(now)
	}
	if reached(&due.checkpoint, now, m.o.CheckpointInterval) && m.grown.Swap(false) {
		m.flush(m.sorted())
		due.points = now
	}
	if !due.points.IsZero() && !now.Before(due.points) {
		m.writeRecoveryPoints()
		due.points = time.Time{}
	}
	if reached(&due.starts, now, m.o.StartsInterval) {
		m.eachDir(func(d *logDir, _ []*Partition) error { return d.saveLogStarts() })
	}
	if reached(&due.expiry, now, m.o.ExpiryInterval) {
		for _, p := range m.sorted() {
			p.expireProducers(now)
		}
	}
	next := m.emptyTrash(now)
	for _, t := range []time.Time{due.retention, due.highWater, due.flush, due.checkpoint, due.starts, due.expiry, due.points} {
		if next.IsZero() || !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return max(next.Sub(now), time.Millisecond)
}

// flushOutOfTurn flushes p and does what is due by then. It returns how long the next step may wait.
func (m *Manager) flushOutOfTurn(p *Partition) time.Duration {
	m.flush([]*Partition{p})
	now := m.o.Now()
	if m.due.points.IsZero() {
		m.due.points = now.Add(pointsDelay)
	}
	return m.step(now)
}

// reached reports whether a duty is due and sets its next time.
func reached(due *time.Time, now time.Time, interval time.Duration) bool {
	if now.Before(*due) {
		return false
	}
	*due = now.Add(interval)
	return true
}

// shortestLook bounds how often partitions are looked at for flush.ms.
const shortestLook = 10 * time.Millisecond

// flushOld flushes the partitions whose oldest unflushed append is older than flush.ms, and returns when to look again.
func (m *Manager) flushOld(now time.Time) time.Time {
	next := now.Add(m.o.HighWaterInterval) // configurations change
	if !m.timed.Load() {
		return next
	}
	var old []*Partition
	for _, p := range m.sorted() {
		switch due := p.flushDue(now); {
		case due.IsZero():
		case p.unflushedSince.Load() != 0 && !due.After(now):
			old = append(old, p)
		case due.Before(next):
			next = due
		}
	}
	m.flush(old)
	if m.o.FlushCheck > 0 && m.o.FlushCheck < math.MaxInt64 {
		return now.Add(m.o.FlushCheck)
	}
	if least := now.Add(shortestLook); next.Before(least) {
		return least
	}
	return next
}

// flush makes partitions durable. An empty log that has a folder gets its marker, so that Kafka does not take it for a stray.
func (m *Manager) flush(all []*Partition) {
	for _, p := range all {
		_, err := p.flush()
		if err := errors.Join(p.markIdle(), err); err != nil {
			_ = p.storageFailure(err)
			m.grown.Store(true)
		}
	}
}

func (p *Partition) markIdle() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Load() != online || !p.log().Made() {
		return nil
	}
	return p.mark()
}

// writeHighWatermarks checkpoints the high watermarks of each directory where one moved.
func (m *Manager) writeHighWatermarks() {
	if !slices.ContainsFunc(m.dirs, func(d *logDir) bool { return d.hwStale.Load() }) {
		return
	}
	m.eachDir(func(d *logDir, all []*Partition) error {
		if !d.hwStale.Swap(false) {
			return nil
		}
		err := d.save(checkpoint.Replication, all, func(i int) kafka.Offset { return all[i].HighWatermark() })
		if err != nil {
			d.stale()
		}
		return err
	})
}

// writeRecoveryPoints checkpoints how far logs are synced and where they start.
func (m *Manager) writeRecoveryPoints() {
	m.eachDir(func(d *logDir, all []*Partition) error {
		points, logs := make([]kafka.Offset, len(all)), make([]*commitlog.Log, len(all))
		for i, p := range all {
			logs[i] = p.log()
			points[i] = logs[i].RecoveryPoint()
		}
		if err := d.save(checkpoint.RecoveryPoint, all, func(i int) kafka.Offset { return points[i] }); err != nil {
			return err
		}
		if err := d.saveLogStarts(); err != nil {
			return err
		}
		if err := d.saveCleaned(); err != nil { // before a truncation's note goes
			return err
		}
		for i, p := range all {
			if err := p.checkpointed(logs[i], points[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkpointed tells a log of the partition that its recovery point is written down.
func (p *Partition) checkpointed(log *commitlog.Log, point kafka.Offset) error {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if state := p.state.Load(); state == failed || state == gone || p.log() != log {
		return nil
	}
	return log.Checkpointed(point)
}

// eachDir calls write for each directory that is online, with its partitions in order.
func (m *Manager) eachDir(write func(*logDir, []*Partition) error) {
	byDir := make(map[*logDir][]*Partition)
	for _, p := range m.sorted() {
		byDir[p.dir()] = append(byDir[p.dir()], p)
	}
	for _, d := range m.dirs {
		if d.failure() != nil {
			continue
		}
		if err := write(d, byDir[d]); err != nil {
			if vfs.Passes(err) {
				m.o.Log.Warn("checkpoint was not written", "dir", d.Path, "err", err)
				continue
			}
			d.fail(err)
		}
	}
}

// save checkpoints an offset of each partition that has one (not kafka.NoOffset), has a folder, and has not been deleted meanwhile.
func (d *logDir) save(name string, all []*Partition, offset func(i int) kafka.Offset) error {
	d.files.Lock()
	defer d.files.Unlock()
	return d.saveHeld(name, all, offset)
}

// saveHeld is save for who holds files.
func (d *logDir) saveHeld(name string, all []*Partition, offset func(i int) kafka.Offset) error {
	entries := make([]checkpoint.Entry, 0, len(all))
	for i, p := range all {
		if o := offset(i); o != kafka.NoOffset && p.state.Load() != gone && p.log().Made() {
			entries = append(entries, checkpoint.Entry{TopicPartition: p.id, Offset: o})
		}
	}
	return d.checkpoint(name, entries)
}

// saveLogStarts checkpoints where the logs of the directory start: of those that are in it by now, since one may have moved here.
func (d *logDir) saveLogStarts() error {
	d.files.Lock()
	defer d.files.Unlock()
	return d.saveLogStartsHeld(d.partitions())
}

func (d *logDir) partitions() []*Partition {
	return slices.DeleteFunc(slices.Clone(d.m.sorted()), func(p *Partition) bool { return p.dir() != d })
}

// saveLogStartsHeld is saveLogStarts for who holds files. As in Kafka, a log that starts at 0 needs no line.
func (d *logDir) saveLogStartsHeld(all []*Partition) error {
	starts := make([]kafka.Offset, len(all))
	for i, p := range all {
		if starts[i] = p.LogStartOffset(); starts[i] == 0 {
			starts[i] = kafka.NoOffset
		}
	}
	if err := d.saveHeld(checkpoint.LogStart, all, func(i int) kafka.Offset { return starts[i] }); err != nil {
		return err
	}
	for i, p := range all {
		p.keptStart.Store(int64(starts[i]))
	}
	return nil
}

// keepLogStart checkpoints where p starts, and all others of the directory with it: who waited here meanwhile has nothing left to write.
func (d *logDir) keepLogStart(p *Partition) error {
	d.files.Lock()
	defer d.files.Unlock()
	if p.keptStart.Load() >= int64(p.LogStartOffset()) {
		return nil
	}
	return d.saveLogStartsHeld(d.partitions())
}

// emptyTrash removes deleted folders whose time has come, and returns when the next one is due; zero if there is none.
func (m *Manager) emptyTrash(now time.Time) (next time.Time) {
	m.mu.Lock()
	var ripe []trash
	m.trash = slices.DeleteFunc(m.trash, func(t trash) bool {
		if !t.at.After(now) {
			ripe = append(ripe, t)
			return true
		}
		if next.IsZero() || t.at.Before(next) {
			next = t.at
		}
		return false
	})
	m.mu.Unlock()
	for _, t := range ripe {
		if t.dir.failure() != nil {
			continue
		}
		if err := vfs.RemoveAll(m.o.FS, t.path); err != nil {
			t.dir.fail(err)
		}
	}
	return next
}

// defaultClosers is how many logs are closed at once. They wait for the disk, not for a processor, and a file system that journals
// takes many syncs for little more than one.
const defaultClosers = 32

// atOnce does something that waits for the disk with partitions, and returns the first error of each of its workers.
func (m *Manager) atOnce(all []*Partition, do func(*Partition) error) error {
	var workers sync.WaitGroup
	queue := make(chan *Partition)
	errs := make([]error, m.o.Closers)
	for i := range errs {
		workers.Go(func() {
			for p := range queue {
				if errs[i] == nil {
					errs[i] = do(p)
				}
			}
		})
	}
	for _, p := range all {
		queue <- p
	}
	close(queue)
	workers.Wait()
	return errors.Join(errs...)
}

// manyLogs is how many logs are synced together rather than one by one: all that others write to the file system is synced with them.
const manyLogs = 64

// settle has what the logs of a directory leave at their end made durable together, if there are many that have something to leave.
func (m *Manager) settle(now time.Time) {
	m.eachDir(func(d *logDir, all []*Partition) error {
		all = slices.DeleteFunc(all, func(p *Partition) bool { return !p.unsettled() })
		if len(all) < manyLogs || d.whole == nil {
			return nil
		}
		err := m.atOnce(all, func(p *Partition) error { return errors.Join(p.markIdle(), p.settle(now)) })
		return errors.Join(err, d.whole.Sync()) // whatever was settled is taken for durable from here on
	})
}

// Close flushes and closes all logs and writes the checkpoints. It returns the directories that may be marked as cleanly shut down
// (checkpoint.WriteClean), and the errors of the others. Run must have ended.
func (m *Manager) Close() (clean []Dir, err error) {
	now := m.o.Now()
	m.writeHighWatermarks()
	m.settle(now)
	_ = m.atOnce(m.sorted(), func(p *Partition) error { // which each directory keeps for itself
		if p.dir().failure() != nil {
			p.abandon(failed)
		} else if err := errors.Join(p.markIdle(), p.close(now)); err != nil {
			p.dir().fail(err)
		}
		return nil
	})
	m.closeMoves(now)
	m.writeRecoveryPoints()
	var errs []error
	for _, d := range m.dirs {
		if d.whole != nil {
			errs = append(errs, d.whole.Close())
		}
		if failure := d.failure(); failure != nil {
			errs = append(errs, failure)
			continue
		}
		clean = append(clean, d.Dir)
	}
	return clean, errors.Join(errs...)
}
