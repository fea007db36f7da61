package commitlog

import (
	"errors"
	"path"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Settle writes what Close is to leave and syncs nothing, so that many logs can be made durable together by a
// vfs.Whole. Close, which has to follow, then takes that for done, unless Settle left it all to Close: a log whose
// files must come and go in order. What is written before the data is durable can all be made again from it. Writer,
// with no Flush running.
func (l *Log) Settle(now time.Time) error {
	if !l.Unsettled() || l.ordered() {
		return nil
	}
	if err := l.settle(now); err != nil {
		return l.writeError(err)
	}
	l.settled = true
	return nil
}

// Unsettled reports whether Close would write anything. Writer.
func (l *Log) Unsettled() bool {
	return l.touched && !l.settled && !l.closed && l.Made() && l.Err() == nil
}

// ordered reports whether files are still to be renamed, each durably before the next.
func (l *Log) ordered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.swaps) > 0 || slices.ContainsFunc(l.doomed, func(d doomed) bool { return !d.renamed })
}

func (l *Log) settle(now time.Time) error {
	l.mu.Lock()
	finished, epochs := l.sealed, l.saveEpochs
	l.mu.Unlock()
	if err := l.saveFinished(finished, false); err != nil {
		return err
	}
	if epochs {
		if err := l.writeEpochs(vfs.WriteFileUnsynced); err != nil {
			return err
		}
	}
	return l.saveEnd(now, false)
}

// finishSettled is finish for a log that was settled.
func (l *Log) finishSettled() error {
	if err := l.pruneSnapshots(); err != nil {
		return l.fence(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recoveryPoint = max(l.recoveryPoint, l.LogEndOffset())
	return nil
}

// createSnapshot writes a snapshot of the producers; one without bytes is none. The folder is not synced.
func (l *Log) createSnapshot(b []byte, end kafka.Offset, sync bool) error {
	if b == nil {
		return nil
	}
	file, err := l.dir.FS.Create(path.Join(l.dir.Path, segment.FileName(end, segment.SnapshotSuffix)))
	if err != nil {
		return err
	}
	_, err = file.WriteAt(b, 0)
	if err == nil && sync {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
