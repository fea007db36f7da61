package commitlog

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Flush makes durable what was appended before the call, with the indexes and snapshots of finished segments, moves the
// recovery point and returns it. One at a time, on any goroutine; it does not hold up the writer. After an error, which
// wraps vfs.ErrSyncFailed if a sync failed, the log is fenced.
func (l *Log) Flush() (kafka.Offset, error) {
	if err := l.Err(); err != nil || !l.Made() {
		return l.RecoveryPoint(), err
	}
	l.mu.Lock()
	generation, point := l.truncations, l.recoveryPoint
	sealed, epochs, dir, isNew := l.sealed, l.saveEpochs, l.syncDir, l.syncParent
	l.sealed, l.saveEpochs, l.syncDir, l.syncParent = nil, false, false, false
	l.mu.Unlock()
	// The end comes after the list of finished segments and before the sync: what it covers is in those segments or in the active one.
	v := l.list.Load()
	end := v.next(len(v.segments) - 1)
	err := l.syncFolder(isNew)
	if err == nil {
		err = l.flush(v, sealed, epochs, dir || len(sealed) > 0, end > point)
	}
	if err != nil {
		l.postpone(sealed, epochs, dir, isNew)
		return point, l.writeError(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if generation == l.truncations && len(l.sealed) == 0 {
		l.recoveryPoint = max(l.recoveryPoint, end)
	}
	return l.recoveryPoint, nil
}

// postpone leaves to the next Flush what one did not do.
func (l *Log) postpone(finished []sealed, epochs, dir, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealed = append(finished, l.sealed...)
	l.saveEpochs, l.syncDir, l.syncParent = l.saveEpochs || epochs, l.syncDir || dir, l.syncParent || isNew
}

func (l *Log) flush(v *list, finished []sealed, epochs, dir, data bool) error {
	if err := l.saveFinished(finished, true); err != nil {
		return err
	}
	if data {
		err := v.active().SyncData()
		if err == nil {
			err = v.active().SaveIndex(false, false)
		}
		if err == nil {
			var created bool
			created, err = v.active().SaveAborts()
			dir = dir || created
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if epochs {
		if err := l.writeEpochs(vfs.WriteFile); err != nil {
			return err
		}
		dir = false // the folder was synced with it
	}
	if dir {
		return l.dir.FS.SyncDir(l.dir.Path)
	}
	return nil
}

// saveFinished writes what belongs to finished segments: their indexes, and the snapshots of where they end. Sync makes
// that durable, after the batches that it is derived from; the folder is not synced.
func (l *Log) saveFinished(finished []sealed, sync bool) error {
	for _, s := range finished {
		var err error
		if sync {
			err = s.segment.SyncData()
		}
		if err == nil {
			err = s.segment.SaveIndex(true, sync)
			s.segment.OfferIndex()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // retention was faster
			return err
		}
		if err := l.createSnapshot(s.snapshot, s.end, sync); err != nil {
			return err
		}
	}
	return nil
}

// writeEpochs replaces the checkpoint of the leader epochs by a write of package vfs.
func (l *Log) writeEpochs(write func(f vfs.FS, name string, content []byte) error) error {
	return write(l.dir.FS, path.Join(l.dir.Path, checkpoint.LeaderEpochs), checkpoint.FormatEpochs(*l.epochs.Load()))
}

// saveEnd writes what the next Open takes a clean end from: the index of the active segment, which it seals, and a
// snapshot of the producers. Sync makes that durable; the folder is not synced.
func (l *Log) saveEnd(now time.Time, sync bool) error {
	active := l.list.Load().active()
	if err := active.Seal(); err != nil {
		return err
	}
	if err := active.SaveIndex(true, sync); err != nil {
		return err
	}
	l.producers.Expire(now.UnixMilli(), l.config.ProducerIdle)
	return l.createSnapshot(l.producers.AppendSnapshot(nil), l.LogEndOffset(), sync)
}

// Close makes everything durable, so that the next Open can be told that the shutdown was clean, and closes the log.
// Writer, with no Flush running.
func (l *Log) Close(now time.Time) error {
	if l.closed {
		return nil
	}
	err := l.Err()
	switch {
	case err != nil || !l.touched || !l.Made():
	case l.settled:
		err = l.finishSettled()
	default:
		err = l.finish(now)
	}
	l.Abandon()
	return err
}

func (l *Log) finish(now time.Time) error {
	if _, err := l.Flush(); err != nil {
		return err
	}
	if err := l.rename(); err != nil {
		return l.fence(err)
	}
	if err := l.saveEnd(now, true); err != nil {
		return l.fence(err)
	}
	if err := l.pruneSnapshots(); err != nil {
		return l.fence(err)
	}
	if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
		return l.fence(err)
	}
	return nil
}

// pruneSnapshots removes the snapshots that are neither of the beginning of a segment nor one of the newest two.
func (l *Log) pruneSnapshots() error {
	snapshots, err := l.listSnapshots()
	if err != nil || len(snapshots) <= 2 {
		return err
	}
	old := snapshots[:len(snapshots)-2]
	v := l.list.Load()
	return l.removeSnapshots(func(at kafka.Offset) bool {
		return slices.Contains(old, at) && v.segments[v.find(at)].Base() != at
	})
}

// Abandon closes the log without writing anything: its folder has failed, or is to be removed. Writer, with no Flush running.
func (l *Log) Abandon() {
	l.closed = true
	if !l.Made() {
		return
	}
	for _, s := range l.list.Load().segments {
		s.Close()
	}
}
