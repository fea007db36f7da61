package commitlog

import (
	"errors"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

// SetLogStartOffset raises the log start offset; a lower one changes nothing. Retain removes the segments that lie below it. The error wraps
// kerr.OffsetOutOfRange above the log end. Writer.
func (l *Log) SetLogStartOffset(start kafka.Offset) error {
	if start > l.LogEndOffset() {
		return l.outOfRange(start)
	}
	if start > l.LogStartOffset() {
		l.logStart.Store(int64(start))
		l.setEpochs(l.epochs.Load().truncateStart(start))
		l.touched = true
	}
	return nil
}

// Retain removes the oldest segments that are too old, too much, or below the log start offset, and raises the log start offset to the first one that is
// left. It removes none that reaches above the high watermark. If all would go, the active one is rolled first. It returns how many it removed. Writer.
func (l *Log) Retain(now time.Time, highWatermark kafka.Offset) (int, error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	v := l.list.Load()
	n, err := l.deletable(v, now, highWatermark)
	if err != nil || n == 0 {
		return 0, l.readError(err)
	}
	if n == len(v.segments) {
		if err := l.Roll(now); err != nil {
			return 0, err
		}
		v = l.list.Load()
	}
	if err := l.SetLogStartOffset(v.segments[n].Base()); err != nil {
		return 0, err
	}
	return n, l.removeFirst(v, n, now)
}

// deletable returns how many of the oldest segments can go.
func (l *Log) deletable(v *list, now time.Time, highWatermark kafka.Offset) (int, error) {
	n := 0
	for _, rule := range l.rules(v, now) {
		for n < len(v.segments) && v.next(n) <= highWatermark && !(n == len(v.segments)-1 && v.segments[n].Size() == 0) {
			ok, err := rule(n)
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
			n++
		}
	}
	return n, nil
}

// rules returns Kafka's three reasons to delete a segment, each to be asked about one segment after another.
func (l *Log) rules(v *list, now time.Time) []func(i int) (bool, error) {
	var rules []func(i int) (bool, error)
	if l.config.DeleteOld && l.config.RetentionAge >= 0 {
		rules = append(rules, func(i int) (bool, error) {
			newest, err := v.segments[i].MaxTimestamp()
			if newest < 0 {
				newest = v.segments[i].Modified()
			}
			return now.UnixMilli()-newest > l.config.RetentionAge.Milliseconds(), err
		})
	}
	if l.config.DeleteOld && l.config.RetentionBytes >= 0 {
		rules = append(rules, func(i int) (bool, error) {
			var after int64
			for _, s := range v.segments[i+1:] {
				after += s.Size()
			}
			return after >= l.config.RetentionBytes, nil
		})
	}
	return append(rules, func(i int) (bool, error) {
		return i+1 < len(v.segments) && v.next(i) <= l.LogStartOffset(), nil
	})
}

// removeFirst takes the first n segments away. Their files are Reap's to rename.
func (l *Log) removeFirst(v *list, n int, now time.Time) error {
	start := v.segments[n].Base()
	damage := slices.DeleteFunc(slices.Clone(v.damage), func(d Damage) bool { return d.End <= start })
	l.publish(v.segments[n:], damage)
	l.mu.Lock()
	for _, s := range v.segments[:n] {
		s.Close()
		l.doomed = append(l.doomed, doomed{segment: s, due: now.Add(l.config.DeleteDelay)})
	}
	l.mu.Unlock()
	if len(damage) != len(v.damage) {
		if err := writeDamage(l.dir.FS, l.dir.Path, damage); err != nil {
			return l.writeError(err)
		}
	}
	return nil
}

// Reap renames the files of segments that Retain removed, and unlinks files that were removed at least the delete delay ago. It returns when to
// call it again; zero if nothing is left. Any goroutine. After an error of a sync the log is fenced.
func (l *Log) Reap(now time.Time) (time.Time, error) {
	if err := l.rename(); err != nil {
		return now, l.writeError(err)
	}
	var due []doomed
	var next time.Time
	l.mu.Lock()
	l.doomed = slices.DeleteFunc(l.doomed, func(d doomed) bool {
		switch {
		case !d.renamed:
			next = now
		case d.due.After(now):
			if next.IsZero() || d.due.Before(next) {
				next = d.due
			}
		default:
			due = append(due, d)
			return true
		}
		return false
	})
	l.mu.Unlock()
	var errs []error
	for _, d := range due {
		errs = append(errs, d.segment.Unlink())
	}
	return next, errors.Join(errs...)
}

// rename moves the files of cleaned segments into their place, and gives those of removed segments their .deleted names, oldest first and each durably before the next, so that a crash leaves no gap.
func (l *Log) rename() error {
	l.renaming.Lock()
	defer l.renaming.Unlock()
	if err := l.moveSwaps(); err != nil {
		return err
	}
	renamed := false
	for {
		l.mu.Lock()
		i := slices.IndexFunc(l.doomed, func(d doomed) bool { return !d.renamed })
		var s *segment.Segment
		if i >= 0 {
			l.doomed[i].renamed = true
			s = l.doomed[i].segment
		}
		l.mu.Unlock()
		if s == nil {
			break
		}
		renamed = true
		if err := s.Remove(); err != nil {
			return err
		}
		if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
			return err
		}
	}
	if !renamed {
		return nil
	}
	return l.dropSnapshots(l.list.Load().segments[0].Base())
}

// dropSnapshots removes the snapshots at and below start, but for the newest two.
func (l *Log) dropSnapshots(start kafka.Offset) error {
	snapshots, err := l.listSnapshots()
	if err != nil || len(snapshots) <= 2 {
		return err
	}
	old := snapshots[:len(snapshots)-2]
	return l.removeSnapshots(func(at kafka.Offset) bool { return at <= start && slices.Contains(old, at) })
}
