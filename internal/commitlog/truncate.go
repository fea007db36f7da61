package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/segment"
)

// TruncateTo removes the records at and above end, with the whole batch that holds end. What remains, and that no more remains, is durable when it returns.
// It does nothing if the log ends at or below end, but for epochs that start there. Writer.
func (l *Log) TruncateTo(end kafka.Offset, now time.Time) error {
	if err := l.writable(); err != nil {
		return err
	}
	if end < 0 {
		return fmt.Errorf("truncate %s: %w: offset %d", l.partition, kerr.OffsetOutOfRange, end)
	}
	if end >= l.LogEndOffset() {
		l.setEpochs(l.epochs.Load().truncateEnd(end))
		l.touched = true
		return nil
	}
	v := l.list.Load()
	if end < v.segments[0].Base() {
		return l.TruncateFullyAndStartAt(end, now)
	}
	if err := l.truncate(v, end, now); err != nil {
		return l.writeError(err)
	}
	return nil
}

func (l *Log) truncate(v *list, end kafka.Offset, now time.Time) error {
	if err := l.beginTruncation(end); err != nil {
		return err
	}
	if err := l.rename(); err != nil {
		return err
	}
	at := v.find(end)
	if err := l.doomFrom(v.segments[at+1:], now); err != nil {
		return err
	}
	cut, err := v.segments[at].Truncate(end)
	if err != nil {
		return err
	}
	segments := append(slices.Clone(v.segments[:at]), cut)
	next, _ := cut.End()
	damage := slices.DeleteFunc(slices.Clone(v.damage), func(d Damage) bool { return d.From >= next })
	l.publish(segments, damage)
	if len(damage) != len(v.damage) {
		if err := writeDamage(l.dir.FS, l.dir.Path, damage); err != nil {
			return err
		}
	}
	l.logStart.Store(min(l.logStart.Load(), int64(next)))
	l.setEpochs(l.epochs.Load().truncateEnd(next))
	return l.reloadProducers(next, now)
}

// beginTruncation notes durably that the recovery point is not above end, and takes the files for the flusher back.
func (l *Log) beginTruncation(end kafka.Offset) error {
	l.touched = true
	l.mu.Lock()
	mark := end
	if l.truncatedTo != kafka.NoOffset {
		mark = min(mark, l.truncatedTo)
	}
	l.truncations++ // from here on a flush that has begun moves nothing
	l.mu.Unlock()
	if err := writeTruncation(l.dir.FS, l.dir.Path, mark); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.truncatedTo = mark
	l.recoveryPoint = min(l.recoveryPoint, end)
	l.cleaned.Store(min(l.cleaned.Load(), int64(end)))
	l.sealed = slices.DeleteFunc(l.sealed, func(s sealed) bool { return s.end > end })
	return nil
}

// doomFrom removes segments, last first, so that a crash never leaves a gap.
func (l *Log) doomFrom(segments []*segment.Segment, now time.Time) error {
	if len(segments) == 0 {
		return nil
	}
	for _, s := range slices.Backward(segments) {
		if err := l.doom(s, now); err != nil {
			return err
		}
	}
	return l.dir.FS.SyncDir(l.dir.Path)
}

// doom removes a segment; Reap unlinks it later.
func (l *Log) doom(s *segment.Segment, now time.Time) error {
	if err := s.Remove(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doomed = append(l.doomed, doomed{now.Add(l.config.DeleteDelay), s, true})
	return nil
}

// reloadProducers brings the producers' state back to the offset end.
func (l *Log) reloadProducers(end kafka.Offset, now time.Time) error {
	snapshots, err := l.listSnapshots()
	if err != nil {
		return err
	}
	op := opening{l: l, o: Options{Now: now}, segments: l.list.Load().segments, snapshots: snapshots}
	if err := op.loadProducers(end); err != nil {
		return err
	}
	l.producers.SetEndOffset(end)
	return nil
}

func (l *Log) listSnapshots() ([]kafka.Offset, error) {
	names, err := l.dir.FS.List(l.dir.Path)
	var offsets []kafka.Offset
	for _, name := range names {
		if at, ok := segment.ParseFileName(name, segment.SnapshotSuffix); ok {
			offsets = append(offsets, at)
		}
	}
	return offsets, err
}

// TruncateFullyAndStartAt removes everything; the log continues empty at start. Writer.
func (l *Log) TruncateFullyAndStartAt(start kafka.Offset, now time.Time) error {
	if err := l.writable(); err != nil {
		return err
	}
	if err := l.makeSynced(now); err != nil {
		return err
	}
	if err := l.startAt(start, now); err != nil {
		return l.writeError(err)
	}
	return nil
}

func (l *Log) startAt(start kafka.Offset, now time.Time) error {
	if err := l.beginTruncation(0); err != nil {
		return err
	}
	if err := l.rename(); err != nil {
		return err
	}
	v := l.list.Load()
	if err := l.doomFrom(v.segments, now); err != nil {
		return err
	}
	if err := l.removeSnapshots(func(kafka.Offset) bool { return true }); err != nil {
		return err
	}
	fresh, err := segment.Create(l.dir, start, now)
	if err != nil {
		return err
	}
	if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
		return err
	}
	l.logStart.Store(int64(start))
	l.publish([]*segment.Segment{fresh}, nil)
	l.setEpochs(epochs{}, true)
	l.producers = &producer.State{}
	l.producers.Reset(start)
	l.mu.Lock()
	l.recoveryPoint = start
	l.mu.Unlock()
	if len(v.damage) > 0 {
		return writeDamage(l.dir.FS, l.dir.Path, nil)
	}
	return nil
}

func (l *Log) removeSnapshots(which func(kafka.Offset) bool) error {
	snapshots, err := l.listSnapshots()
	if err != nil {
		return err
	}
	for _, at := range snapshots {
		if !which(at) {
			continue
		}
		err := l.dir.FS.Remove(path.Join(l.dir.Path, segment.FileName(at, segment.SnapshotSuffix)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Checkpointed says that the recovery point, as RecoveryPoint returned it, was durably written to its checkpoint.
func (l *Log) Checkpointed(point kafka.Offset) error {
	l.mu.Lock()
	due := l.truncatedTo != kafka.NoOffset && point <= l.recoveryPoint
	if due {
		l.truncatedTo = kafka.NoOffset
	}
	l.mu.Unlock()
	if !due {
		return nil
	}
	return removeDurably(l.dir.FS, l.dir.Path, truncationFile)
}
