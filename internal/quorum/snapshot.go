package quorum

import (
	"fmt"
	"path"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// snapshotResult is what came of writing a snapshot.
type snapshotResult struct {
	id  SnapshotID
	err error
}

// maybeSnapshot starts writing a snapshot when one is due.
func (e *Engine) maybeSnapshot(now time.Time) {
	if e.life.Err() != nil {
		return // who is about to stop begins nothing
	}
	image := e.Image()
	id, due := e.snapshots.Begin(image, now)
	if !due {
		return
	}
	members, ms := e.members.Committed().Voters, now.UnixMilli()
	e.cfg.Go(func() {
		err := metalog.WriteSnapshot(e.cfg.FS, e.cfg.Dir, id, image.Timestamp, ms, members, image.Records)
		e.written <- snapshotResult{id: id, err: err} // there is room: one runs at a time
	})
}

// snapshotWritten drops what the new snapshot makes superfluous.
func (e *Engine) snapshotWritten(now time.Time, done snapshotResult) error {
	if !e.snapshots.Wrote(done.id, done.err, now) {
		return nil
	}
	e.storage.snap = done.id
	if err := e.snapshots.Drop(e.log, e.committed, now); err != nil {
		return err
	}
	if err := e.noteSynced(); err != nil {
		return err
	}
	e.cfg.Log.Info("wrote a metadata snapshot", "snapshot", done.id)
	e.publishStatus()
	return e.snapshots.Reap(e.log, now)
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
