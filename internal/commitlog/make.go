package commitlog

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// absent is what a log without a folder shows its readers.
var absent = &list{segments: []*segment.Segment{segment.Absent()}}

// New returns the log of a partition that has no folder in log directory dir. It is empty, begins at 0, and touches the disk no sooner than at
// Make or the first Append. The configuration must not change any more.
func New(f vfs.FS, dir string, cache *segment.Cache, p kafka.TopicPartition, c *Config) *Log {
	l := &Log{
		dir:       &segment.Dir{FS: f, Path: dir, Cache: cache},
		partition: p, config: c, truncatedTo: kafka.NoOffset, producers: &producer.State{},
	}
	l.epochs.Store(&noEpochs)
	l.list.Store(absent)
	return l
}

var noEpochs epochs

// Made reports whether the log has a folder. Any goroutine.
func (l *Log) Made() bool { return l.list.Load() != absent }

// Make makes the folder and the first segment of a log that has none. Neither is durable before the folder is synced, which the caller
// does before a second segment can come, and the log directory, which Flush does. Writer.
func (l *Log) Make(now time.Time) error {
	if l.Made() {
		return nil
	}
	if err := l.writable(); err != nil {
		return err
	}
	dir := &segment.Dir{FS: l.dir.FS, Path: l.Dir(), Cache: l.dir.Cache}
	if err := dir.FS.Mkdir(dir.Path); err != nil && !errors.Is(err, fs.ErrExist) { // of an attempt that failed half-way
		return l.writeError(err)
	}
	s, err := segment.Create(dir, 0, now)
	if err != nil {
		return l.writeError(err)
	}
	l.dir, l.touched = dir, true
	l.mu.Lock()
	l.syncDir, l.syncParent = true, true
	l.mu.Unlock()
	l.publish([]*segment.Segment{s}, nil)
	return nil
}

// makeSynced is Make for a writer that has nothing else to write into the folder.
func (l *Log) makeSynced(now time.Time) error {
	if l.Made() {
		return nil
	}
	if err := l.Make(now); err != nil {
		return err
	}
	if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
		return l.writeError(err)
	}
	return nil
}

// syncFolder makes the name of a new folder durable.
func (l *Log) syncFolder(isNew bool) error {
	if !isNew {
		return nil
	}
	return l.dir.FS.SyncDir(path.Dir(l.dir.Path))
}
