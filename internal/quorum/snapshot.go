package quorum

import (
	"fmt"
	"path"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// keepSnapshots is how many snapshots stay: an observer may be reading the older one.
const keepSnapshots = 2

// snapshotter decides when to write a snapshot. Part of the loop.
type snapshotter struct {
	bytes   int64     // of the log since the newest snapshot
	last    time.Time // when it was written, or since when one is wanted
	running bool
	kept    []SnapshotID // oldest first
	reap    time.Time    // when removed files may go
}

type snapshotResult struct {
	id    SnapshotID
	bytes int64 // of the log that it covers
	err   error
}

// due returns when the next snapshot is to be written, which may have passed; false while there is none to write: one
// is being written, or nothing is committed that the newest lacks.
func (e *Engine) due() (time.Time, bool) {
	s := &e.snapshots
	switch {
	case s.running || s.bytes == 0 || e.Image().End() <= e.storage.snap.EndOffset:
		return time.Time{}, false
	case s.bytes >= e.cfg.SnapshotBytes:
		return s.last, true
	}
	return s.last.Add(e.cfg.SnapshotInterval), true
}

// maybeSnapshot starts writing a snapshot when enough was logged since the last one, or enough time has passed.
func (e *Engine) maybeSnapshot(now time.Time) {
	s := &e.snapshots
	if s.last.IsZero() {
		s.last = now
	}
	if at, ok := e.due(); !ok || at.After(now) || e.life.Err() != nil { // who is about to stop begins nothing
		return
	}
	s.running = true
	image := e.Image()
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	bytes, members, ms := s.bytes, e.members.Committed().Voters, now.UnixMilli()
	e.cfg.Go(func() {
		err := metalog.WriteSnapshot(e.cfg.FS, e.cfg.Dir, id, image.Timestamp, ms, members, image.Records)
		e.written <- snapshotResult{id: id, bytes: bytes, err: err} // there is room: one runs at a time
	})
}

// snapshotWritten drops what the new snapshot makes superfluous. A snapshot that could not be written is tried
// again after the interval; the log keeps growing until then.
func (e *Engine) snapshotWritten(now time.Time, done snapshotResult) error {
	s := &e.snapshots
	s.running, s.last = false, now
	if done.err != nil {
		e.cfg.Log.Error("write a metadata snapshot", "err", done.err)
		s.bytes = min(s.bytes, e.cfg.SnapshotBytes-1)
		return nil
	}
	if done.id.EndOffset <= e.storage.snap.EndOffset {
		return nil // the leader's came meanwhile, and goes further
	}
	s.bytes -= done.bytes
	s.kept = append(s.kept, done.id)
	for len(s.kept) > keepSnapshots {
		if err := e.cfg.FS.Remove(path.Join(e.cfg.Dir, s.kept[0].String())); err != nil {
			e.cfg.Log.Warn("remove a metadata snapshot", "snapshot", s.kept[0], "err", err)
		}
		s.kept = s.kept[1:]
	}
	e.storage.snap = done.id
	if err := e.log.SetLogStartOffset(s.kept[0].EndOffset); err != nil {
		return fmt.Errorf("drop the snapshotted part of the metadata log: %w", err)
	}
	if _, err := e.log.Retain(now, e.committed); err != nil {
		return fmt.Errorf("drop the snapshotted part of the metadata log: %w", err)
	}
	if err := e.noteSynced(); err != nil {
		return err
	}
	e.cfg.Log.Info("wrote a metadata snapshot", "snapshot", done.id)
	e.publishStatus()
	return e.reap(now)
}

// reap unlinks segments that were removed a while ago.
func (e *Engine) reap(now time.Time) error {
	var err error
	if e.snapshots.reap, err = e.log.Reap(now); err != nil {
		return fmt.Errorf("remove segments of the metadata log: %w", err)
	}
	return nil
}

// LatestSnapshot returns the newest snapshot, and false if there is none. The bootstrap file counts for nothing.
func (e *Engine) LatestSnapshot() (SnapshotID, bool) {
	id := e.Shown().snapshot
	return id, id != metalog.BootstrapID
}

// Snapshot is an open snapshot file. Close it.
type Snapshot struct {
	file vfs.File
	size int64
}

// OpenSnapshot opens a snapshot for FetchSnapshot. Errors wrap kerr.SnapshotNotFound.
func (e *Engine) OpenSnapshot(id SnapshotID) (*Snapshot, error) {
	file, err := e.cfg.FS.Open(path.Join(e.cfg.Dir, id.String()))
	if err != nil || id == metalog.BootstrapID {
		return nil, fmt.Errorf("%v: %w", id, kerr.SnapshotNotFound)
	}
	size, err := file.Size()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%v: %w: %w", id, kerr.SnapshotNotFound, err)
	}
	return &Snapshot{file: file, size: size}, nil
}

// Size is the snapshot's size in bytes.
func (s *Snapshot) Size() int64 { return s.size }

// ReadAt reads the snapshot's bytes; batches may be cut at the ends.
func (s *Snapshot) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// Close closes the file.
func (s *Snapshot) Close() error { return s.file.Close() }
