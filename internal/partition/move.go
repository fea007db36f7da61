package partition

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// move is a replica on its way to another log directory (KIP-113). A future log grows there, behind the one that serves. When it has caught
// up, the controller is asked to note the new directory (KIP-858); when the metadata has it, the two change places.
//
// A crash at any moment leaves the partition's records whole in one directory: the folder of the future log gets the partition's name before
// the old folder loses it, so that for a moment both have it, and the longer one is the partition (see claim).
type move struct {
	p      *Partition
	to     *logDir
	folder string                        // its name in the directory
	log    atomic.Pointer[commitlog.Log] // the future log; nil until the mover has opened it. The mover is its writer
	limit  kafka.Offset                  // what a future log found at a start may have beyond this offset is not in the partition's log

	// Of the mover:
	asked   time.Time // when the controller was last asked; zero: never
	notYet  time.Time // not before this: the directory is full
	dropped bool
}

// Bounds of a move.
const (
	moveChunk  = 1 << 20          // bytes copied at a time
	askAgain   = time.Second      // how long an answer of the controller may take
	fullPause  = 30 * time.Second // how long a full directory is left alone
	maxWishes  = 10_000           // partitions that are not here and whose directory is chosen already
	idleLook   = time.Second      // how often a move that has caught up is looked at, if nothing wakes the mover
	stallLimit = time.Minute      // the longest wait for the rate
)

// mover is what RunMoves owns.
type mover struct {
	m     *Manager
	buf   []byte
	rate  int64     // the rate that ready is of, in bytes a second
	ready time.Time // the rate allows no copying before
}

// AlterDir has the replica of a partition moved to a log directory, or ends a move when that is where it is. For a partition that is not
// here yet the directory is remembered. Errors are kerr.InvalidTopicException (no folder could be named), kerr.LogDirNotFound,
// kerr.KafkaStorageError (a directory is offline), kerr.InvalidReplicaAssignment (it is cordoned), kerr.ReplicaNotAvailable and
// kerr.UnknownTopicOrPartition.
func (m *Manager) AlterDir(id kafka.TopicPartition, dir string) error {
	folder, ok := commitlog.FutureName(id, m.o.NewID())
	if !ok {
		return fmt.Errorf("the topic name is too long: %w", kerr.InvalidTopicException)
	}
	i := slices.IndexFunc(m.dirs, func(d *logDir) bool { return d.Path == dir })
	switch {
	case i < 0:
		return fmt.Errorf("log dir %s is not found in the config: %w", dir, kerr.LogDirNotFound)
	case m.dirs[i].failure() != nil:
		return fmt.Errorf("log directory %s is offline: %w", dir, kerr.KafkaStorageError)
	case m.o.Cordoned(dir):
		return fmt.Errorf("log directory %s is cordoned: %w", dir, kerr.InvalidReplicaAssignment)
	}
	p, err := m.Get(id.Topic, id.Partition)
	if errors.Is(err, kerr.KafkaStorageError) {
		return err
	}
	if err != nil {
		m.wish(id, m.dirs[i])
		if errors.Is(err, kerr.NotLeaderForPartition) {
			err = kerr.ReplicaNotAvailable
		}
		return err
	}
	return p.moveTo(m.dirs[i], folder)
}

// wish remembers the directory of a partition that may come to this node.
func (m *Manager) wish(id kafka.TopicPartition, d *logDir) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.wishes[id]; known || len(m.wishes) < maxWishes {
		m.wishes[id] = d
	}
}

// moveTo begins, changes or ends a move.
func (p *Partition) moveTo(to *logDir, folder string) error {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.state.Load() != online {
		return kerr.ReplicaNotAvailable
	}
	m := to.m
	if mv := p.move.Load(); mv != nil {
		if mv.to == to {
			return nil
		}
		p.move.Store(nil) // the mover cleans up
		m.misplace(p, p.dir().ID)
	}
	if p.dir() == to {
		return nil
	}
	for _, d := range m.dirs {
		if d.failure() != nil {
			return fmt.Errorf("no log for %s can be made because log directory %s is offline: %w", p.id, d.Path, kerr.KafkaStorageError)
		}
	}
	m.begin(&move{p: p, to: to, folder: folder, limit: math.MaxInt64})
	return nil
}

// begin hands a move to the mover. Hold the partition's upkeep, or be the first to know it.
func (m *Manager) begin(mv *move) {
	mv.p.move.Store(mv)
	m.mu.Lock()
	m.moves = append(m.moves, mv)
	m.mu.Unlock()
	m.wakeMover()
}

func (m *Manager) wakeMover() {
	select {
	case m.moveNews <- struct{}{}:
	default:
	}
}

// SetMoveRate bounds how many bytes a second are copied between log directories, of all moves together.
func (m *Manager) SetMoveRate(bytes int64) {
	if m.moveRate.Swap(bytes) != bytes {
		m.wakeMover()
	}
}

// Moving returns the future log of a replica that is being moved: the directory, its bytes, and how many offsets it lacks; false if it is not.
func (p *Partition) Moving() (dir kafka.UUID, size, lag int64, ok bool) {
	mv := p.move.Load()
	if mv == nil {
		return kafka.UUID{}, 0, 0, false
	}
	end := p.LogEndOffset()
	if log := mv.log.Load(); log != nil {
		return mv.to.ID, log.Size(), max(int64(end-log.LogEndOffset()), 0), true
	}
	return mv.to.ID, 0, int64(end), true
}

// RunMoves copies replicas to other log directories until ctx is done.
func (m *Manager) RunMoves(ctx context.Context) {
	w := &mover{m: m}
	for {
		timer := time.NewTimer(w.step(m.o.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-m.moveNews:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// step brings each move a chunk further and returns how long it may wait for the next call.
func (w *mover) step(now time.Time) time.Duration {
	w.m.mu.Lock()
	moves := slices.Clone(w.m.moves)
	w.m.mu.Unlock()
	wait := time.Duration(math.MaxInt64)
	for _, mv := range moves {
		next, err := w.advance(mv, now)
		if err != nil {
			next = w.failed(mv, err, now)
		}
		wait = min(wait, next)
	}
	w.m.mu.Lock()
	w.m.moves = slices.DeleteFunc(w.m.moves, func(mv *move) bool { return mv.dropped })
	w.m.mu.Unlock()
	if len(moves) == 0 {
		w.buf = nil
	}
	return wait
}

// advance brings a move one step further and returns when to look at it again. Errors are of the new directory.
func (w *mover) advance(mv *move, now time.Time) (time.Duration, error) {
	p := mv.p
	if p.move.Load() != mv || p.state.Load() != online || mv.to.failure() != nil {
		return math.MaxInt64, w.drop(mv, now)
	}
	if now.Before(mv.notYet) {
		return mv.notYet.Sub(now), nil
	}
	if mv.log.Load() == nil {
		if err := w.open(mv, now); err != nil {
			return 0, err
		}
	}
	log := mv.log.Load()
	if end := shared(p.log(), log); end < log.LogEndOffset() {
		return 0, log.TruncateTo(end, now) // the log was cut since, by a leader that did not have its end
	}
	rate := w.m.moveRate.Load()
	if rate != w.rate { // what is owed at the old rate is forgiven: that may have been a mistake
		w.rate, w.ready = rate, time.Time{}
	}
	switch behind := p.LogEndOffset() > log.LogEndOffset(); {
	case behind && rate == 0:
		return stallLimit, nil
	case behind && now.Before(w.ready):
		return min(w.ready.Sub(now), stallLimit), nil
	case behind:
		n, err := w.copy(mv, int(min(moveChunk, max(rate/10, 1))), now)
		if rate < math.MaxInt64 {
			w.ready = now.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
		}
		return 0, err
	case w.m.notedIn(p) == mv.to.ID:
		return 0, w.swap(mv, now)
	}
	if mv.asked.IsZero() || !now.Before(mv.asked.Add(askAgain)) {
		mv.asked = now
		w.m.misplace(p, mv.to.ID)
	}
	return idleLook, nil
}

// shared is up to where a copy of a log holds what the log holds now, exclusive, by their leader epochs. What the log no longer reaches back to counts as the same: the copy begins anew for other reasons then.
func shared(log, copied *commitlog.Log) kafka.Offset {
	newest := copied.LatestEpoch()
	if newest == kafka.NoEpoch {
		return copied.LogEndOffset()
	}
	epoch, end := log.EpochEndOffset(newest)
	if end == kafka.NoOffset {
		return copied.LogEndOffset()
	}
	return agreed(copied, EpochEnd{Epoch: epoch, End: end})
}

// notedIn is where the metadata says that the replica is.
func (m *Manager) notedIn(p *Partition) kafka.UUID {
	image := m.image.Load()
	if image == nil || image.Topics.ByID(p.topicID) == nil {
		return kafka.UnassignedDirectory
	}
	part := image.Topics.ByID(p.topicID).Partition(p.id.Partition)
	if part == nil {
		return kafka.UnassignedDirectory
	}
	dir, _ := part.Directory(m.o.Self)
	return dir
}

// open makes the future log, or takes up one that an earlier process left.
func (w *mover) open(mv *move, now time.Time) error {
	m, p := w.m, mv.p
	opts := m.o.Template
	opts.Partition, opts.Config, opts.Now = p.id, p.config.Load().Log, now
	opts.Clean, opts.Written = mv.to.Clean, mv.to.Written
	log, report, err := commitlog.Open(m.o.FS, mv.path(), opts)
	if err != nil {
		return err
	}
	mv.log.Store(log)
	if report.Created {
		if err := checkpoint.WritePartition(m.o.FS, mv.path(), p.topicID); err != nil {
			return err
		}
	}
	m.o.Log.Info("moving a replica", "partition", p.id, "from", p.dir().Path, "to", mv.to.Path, "offset", log.LogEndOffset())
	return log.TruncateTo(min(mv.limit, p.LogEndOffset()), now)
}

func (mv *move) path() string { return mv.to.Path + "/" + mv.folder }

// errUnread comes with a failure to read the log that serves.
var errUnread = errors.New("the log can't be read")

// copy appends to the future log what follows in the partition's, at most maxBytes but at least a batch, and returns how much.
func (w *mover) copy(mv *move, maxBytes int, now time.Time) (int, error) {
	from, to := mv.p.log(), mv.log.Load()
	at := to.LogEndOffset()
	first := to.Size() == 0 || at < from.LogStartOffset()
	if first {
		at = from.LogStartOffset()
	}
	span, err := from.Read(at, maxBytes, from.LogEndOffset(), true)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer span.Release()
	if first {
		if span.Len() > 0 {
			at = span.BaseOffset() // the log may start within a batch
		}
		if err := to.TruncateFullyAndStartAt(at, now); err != nil {
			return 0, err
		}
	}
	w.buf = slices.Grow(w.buf[:0], span.Len())[:span.Len()]
	if n, err := span.ReadAt(w.buf, 0); n < len(w.buf) {
		return 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	whole := wholeBatches(w.buf)
	if len(whole) == 0 {
		return 0, nil
	}
	if _, err := to.Append(whole, now); err != nil {
		if errors.Is(err, commitlog.ErrOrder) { // the log was changed under the copy: begin again
			return 0, to.TruncateFullyAndStartAt(from.LogStartOffset(), now)
		}
		return 0, err
	}
	return len(whole), nil
}

// wholeBatches returns the whole batches that b begins with.
func wholeBatches(b []byte) []byte {
	rest := b
	for {
		_, next, err := record.Next(rest)
		if err != nil {
			return b[:len(b)-len(rest)]
		}
		rest = next
	}
}

// unread is a failure to read the log that serves. It is a failure of the directory that the log is in, or else the move waits.
func (w *mover) unread(mv *move, err error, now time.Time) time.Duration {
	err = mv.p.readFailure(mv.p.home.Load(), err)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return 0 // retention was faster
	}
	w.m.o.Log.Error("a replica can't be moved now", "partition", mv.p.id, "to", mv.to.Path, "err", err)
	mv.notYet = now.Add(fullPause)
	return fullPause
}

// swap makes the future log the partition's, if it has all of it.
func (w *mover) swap(mv *move, now time.Time) error {
	p, log := mv.p, mv.log.Load()
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	if p.move.Load() != mv || p.state.Load() != online {
		return nil
	}
	if _, err := log.Flush(); err != nil {
		return err
	}
	if mv.folder != p.id.String() {
		if err := log.Rename(p.id.String()); err != nil {
			return err
		}
		mv.folder = p.id.String()
	}
	old := p.home.Load()
	if done, err := w.publish(mv, old, now); err != nil || !done {
		return err
	}
	mv.dropped = true
	p.move.Store(nil)
	if mv.to.failure() != nil {
		p.takeOffline(failed)
		return nil
	}
	w.m.o.Log.Info("a replica was moved", "partition", p.id, "from", old.dir.Path, "to", mv.to.Path)
	w.m.misplace(p, mv.to.ID) // the metadata has it, but a move that was given up may have asked otherwise meanwhile
	if err := w.settle(mv, log); err != nil {
		return err
	}
	err := old.dir.forget(p.id)
	if err == nil && old.log.Made() {
		err = w.m.retire(old.dir, p.id.String(), p.id, now)
	}
	if err != nil {
		old.dir.fail(err)
	}
	return nil
}

// publish copies what is left and puts the future log in the place of the old one; false if there is still too much to copy under the lock.
func (w *mover) publish(mv *move, old *home, now time.Time) (bool, error) {
	p, log := mv.p, mv.log.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	if shared(old.log, log) < log.LogEndOffset() {
		return false, nil
	}
	if old.log.LogEndOffset() > log.LogEndOffset() {
		if _, err := w.copy(mv, moveChunk, now); err != nil && !errors.Is(err, errUnread) { // which is met again without the lock
			return false, err
		}
		if old.log.LogEndOffset() > log.LogEndOffset() {
			return false, nil
		}
	}
	if err := log.SetLogStartOffset(old.log.LogStartOffset()); err != nil {
		return false, err
	}
	log.SetConfig(&p.config.Load().Log)
	if epoch := old.log.LatestEpoch(); epoch > log.LatestEpoch() {
		_, end := old.log.EpochEndOffset(epoch)
		if epoch == p.core.Leadership().LeaderEpoch {
			end = p.core.EpochStart()
		}
		log.AssignEpoch(epoch, end)
	}
	p.home.Store(&home{mv.to, log})
	old.dir.replicas.Add(-1)
	mv.to.replicas.Add(1)
	old.dir.stale()
	mv.to.stale()
	p.marked = true
	p.publish()
	old.log.Abandon()
	return true, nil
}

// settle makes the log durable in its new directory and has the checkpoints there say where it starts, before the old folder goes.
func (w *mover) settle(mv *move, log *commitlog.Log) error {
	if _, err := log.Flush(); err != nil {
		return err
	}
	return errors.Join(
		mv.to.remember(checkpoint.RecoveryPoint, mv.p.id, log.RecoveryPoint()),
		mv.to.saveLogStarts(),
		mv.to.remember(checkpoint.Replication, mv.p.id, mv.p.HighWatermark()),
	)
}

// retire takes the folder of a log that nobody uses away, now by name and later altogether.
func (m *Manager) retire(d *logDir, folder string, id kafka.TopicPartition, now time.Time) error {
	to, err := commitlog.Retire(m.o.FS, d.Path, folder, id, m.o.NewID())
	if err != nil {
		return err
	}
	m.discard(to, d, now)
	return nil
}

// drop ends a move that is not wanted any more, or that can't go on.
func (w *mover) drop(mv *move, now time.Time) error {
	mv.dropped = true
	if p := mv.p; mv.to.failure() != nil && p.state.Load() == online && p.move.CompareAndSwap(mv, nil) {
		w.m.misplace(p, p.dir().ID) // the controller may think already that it is in the directory that failed
	}
	if log := mv.log.Load(); log != nil {
		log.Abandon()
	}
	if state := mv.p.state.Load(); mv.to.failure() != nil || state == failed || state == closed {
		return nil // the next start sees what to do with it
	}
	if mv.log.Load() == nil && mv.limit == math.MaxInt64 {
		return nil // there is nothing yet
	}
	return w.m.retire(mv.to, mv.folder, mv.p.id, now)
}

// failed decides on an error of the new directory: only a full disk passes.
func (w *mover) failed(mv *move, err error, now time.Time) time.Duration {
	if errors.Is(err, errUnread) {
		return w.unread(mv, err, now)
	}
	if vfs.Passes(err) && !errors.Is(err, commitlog.ErrFenced) {
		w.m.o.Log.Warn("a replica waits for space to be moved", "partition", mv.p.id, "to", mv.to.Path, "err", err)
		mv.notYet = now.Add(fullPause)
		return fullPause
	}
	mv.to.fail(err)
	return 0
}
