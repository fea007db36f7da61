package metalog

import (
	"cmp"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
)

// keepSnapshots is how many snapshots stay: somebody may be reading the older one.
const keepSnapshots = 2

// Pace is how often a snapshot is written: metadata.log.max.record.bytes.between.snapshots (0: 20 MiB) and
// metadata.log.max.snapshot.interval.ms (0: 1 h).
type Pace struct {
	Bytes    int64
	Interval time.Duration
}

// Snapshots are those that a folder keeps: when the next one is due, and what goes when it is there. It belongs to one loop, which writes them where it likes.
type Snapshots struct {
	fs  vfs.FS
	dir string
	log *slog.Logger

	pace    Pace
	ids     []SnapshotID // oldest first
	bytes   int64        // of the log since the newest
	covered int64        // of these by the one that is being written
	writing bool
	last    time.Time // when the newest was written, or since when one is wanted
	reap    time.Time // when removed files may go; zero for never
}

// Log is the log whose beginning snapshots make superfluous, as commitlog.Log is.
type Log interface {
	SetLogStartOffset(start kafka.Offset) error
	Retain(now time.Time, highWatermark kafka.Offset) (removed int, err error)
	Reap(now time.Time) (next time.Time, err error)
}

// OpenSnapshots lists the snapshots of a folder, and removes those that a crash left half written.
func OpenSnapshots(f vfs.FS, dir string, pace Pace, log *slog.Logger, now time.Time) (*Snapshots, error) {
	if err := removeParts(f, dir); err != nil {
		return nil, fmt.Errorf("remove half-written snapshots: %w", err)
	}
	ids, err := ListSnapshots(f, dir)
	if err != nil {
		return nil, err
	}
	pace = Pace{Bytes: cmp.Or(pace.Bytes, 20<<20), Interval: cmp.Or(pace.Interval, time.Hour)}
	ids = slices.DeleteFunc(ids, func(id SnapshotID) bool { return id == BootstrapID })
	return &Snapshots{fs: f, dir: dir, log: log, pace: pace, ids: ids, last: now}, nil
}

// Newest is the newest snapshot; zero, where a log begins that needs none, if there is none.
func (s *Snapshots) Newest() SnapshotID {
	if len(s.ids) == 0 {
		return SnapshotID{}
	}
	return s.ids[len(s.ids)-1]
}

// Load builds the image of the newest snapshot and the membership in it; an empty one if there is none. Errors wrap ErrDamaged.
func (s *Snapshots) Load() (*metadata.Image, Voters, error) {
	if len(s.ids) == 0 {
		return metadata.Empty(), Voters{}, nil
	}
	return LoadSnapshot(s.fs, s.dir, s.Newest())
}

// Remove removes the newest snapshot, which can't be read.
func (s *Snapshots) Remove() error {
	if err := s.fs.Remove(path.Join(s.dir, s.Newest().String())); err != nil {
		return err
	}
	s.ids = s.ids[:len(s.ids)-1]
	return nil
}

// Logged counts bytes of the log that the newest snapshot lacks.
func (s *Snapshots) Logged(bytes int) { s.bytes += int64(bytes) }

// Due returns when the next snapshot is to be written, which may have passed; false while there is none to write: one
// is being written, or nothing is committed, up to end, that the newest lacks.
func (s *Snapshots) Due(end kafka.Offset) (time.Time, bool) {
	switch {
	case s.writing || s.bytes == 0 || end <= s.Newest().EndOffset:
		return time.Time{}, false
	case s.bytes >= s.pace.Bytes:
		return s.last, true
	}
	return s.last.Add(s.pace.Interval), true
}

// Begin returns the snapshot that is to be written of an image now, if one is. Wrote is to follow.
func (s *Snapshots) Begin(image *metadata.Image, now time.Time) (SnapshotID, bool) {
	if at, ok := s.Due(image.End()); !ok || at.After(now) {
		return SnapshotID{}, false
	}
	s.writing, s.covered = true, s.bytes
	return SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}, true
}

// Writing reports whether one was begun.
func (s *Snapshots) Writing() bool { return s.writing }

// Wrote notes what came of the one that was begun, and reports whether it is the newest now. One that could not be written is tried again after the
// interval; the log keeps growing until then.
func (s *Snapshots) Wrote(id SnapshotID, err error, now time.Time) bool {
	s.writing, s.last = false, now
	if err != nil {
		s.log.Error("write a metadata snapshot", "err", err)
		s.bytes = min(s.bytes, s.pace.Bytes-1)
		return false
	}
	if id.EndOffset <= s.Newest().EndOffset {
		return false // the leader's came meanwhile, and goes further
	}
	s.bytes -= s.covered
	s.ids = append(s.ids, id)
	return true
}

// Took notes a snapshot that came from elsewhere and is the state now.
func (s *Snapshots) Took(id SnapshotID, now time.Time) {
	s.ids, s.bytes, s.last = append(s.ids, id), 0, now
}

// Drop removes old snapshots, and what of the log is in all that stay. Reap is to follow.
func (s *Snapshots) Drop(log Log, committed kafka.Offset, now time.Time) error {
	for len(s.ids) > keepSnapshots {
		if err := s.fs.Remove(path.Join(s.dir, s.ids[0].String())); err != nil {
			s.log.Warn("remove a metadata snapshot", "snapshot", s.ids[0], "err", err)
		}
		s.ids = s.ids[1:]
	}
	var err error
	if len(s.ids) > 0 {
		err = log.SetLogStartOffset(s.ids[0].EndOffset)
	}
	if err == nil {
		_, err = log.Retain(now, committed)
	}
	if err != nil {
		return fmt.Errorf("drop the snapshotted part of the metadata log: %w", err)
	}
	s.reap = now
	return nil
}

// ReapAt is when Reap has something to do; zero for never.
func (s *Snapshots) ReapAt() time.Time { return s.reap }

// Reap unlinks segments that were dropped a while ago.
func (s *Snapshots) Reap(log Log, now time.Time) error {
	if s.reap.IsZero() || s.reap.After(now) {
		return nil
	}
	var err error
	if s.reap, err = log.Reap(now); err != nil {
		return fmt.Errorf("remove segments of the metadata log: %w", err)
	}
	return nil
}
