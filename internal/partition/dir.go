package partition

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// logDir is a log directory in use.
type logDir struct {
	Dir
	m     *Manager
	whole vfs.Whole // its file system; nil where that can't be synced as a whole

	mu  sync.Mutex // a leaf; guards err
	err error

	replicas  atomic.Int64  // partitions that are here
	hwStale   atomic.Bool   // the checkpointed high watermarks are not those of now
	syncTurns chan struct{} // one for each of maxSyncs that runs

	files   sync.Mutex        // guards the checkpoints; held across their synced writes, no lock is taken under it
	written map[string][]byte // checkpoints as they are on the disk, in order
}

func (d *logDir) fs() vfs.FS { return d.m.o.FS }

// failure returns why the directory is offline, or nil.
func (d *logDir) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// fail takes the directory and its partitions offline. Hold no lock.
func (d *logDir) fail(err error) {
	d.mu.Lock()
	first := d.err == nil
	if first {
		d.err = err
	}
	d.mu.Unlock()
	if !first {
		return
	}
	for _, p := range d.m.sorted() {
		if p.dir() == d {
			p.takeOffline(failed)
		}
	}
	last := true
	for _, other := range d.m.dirs {
		last = last && other.failure() != nil
	}
	d.m.o.Log.Error("log directory failed", "dir", d.Path, "last", last, "err", err)
	d.m.o.DirFailed(d.Dir, last, err)
}

// refuses logs that a partition here can't be used, as long as the cause lasts: once for the directory, as it is that of all its partitions.
func (d *logDir) refuses(id kafka.TopicPartition, err error) {
	if _, say := d.m.refused.Say(d.m.o.Now(), d.Path, errors.Is(err, vfs.ErrNoSpace)); say {
		d.m.o.Log.Warn("partitions of a log directory can't be written to or read for now", "dir", d.Path, "partition", id, "err", err)
	}
}

// stale says that a high watermark moved, or that a partition came or went.
func (d *logDir) stale() {
	if !d.hwStale.Load() { // one word that all appends share: it is mostly read
		d.hwStale.Store(true)
	}
}

// flushSoon has p flushed in the background.
func (d *logDir) flushSoon(p *Partition) {
	select {
	case d.m.dirty <- p:
	default: // the next checkpoint flushes it
	}
}

// checkpoint replaces an offset checkpoint if it changed. Hold files.
func (d *logDir) checkpoint(name string, entries []checkpoint.Entry) error {
	b := checkpoint.FormatOffsets(entries)
	if bytes.Equal(d.written[name], b) {
		return nil
	}
	if err := checkpoint.WriteOffsets(d.fs(), d.Path, name, entries); err != nil {
		return err
	}
	d.written[name] = b
	return nil
}

// forget takes a partition out of the checkpoints before a log of that name begins anew: what they say is of an earlier topic.
func (d *logDir) forget(id kafka.TopicPartition) error {
	for _, name := range []string{checkpoint.RecoveryPoint, checkpoint.LogStart, checkpoint.Replication, checkpoint.Cleaner} {
		if err := d.remember(name, id, kafka.NoOffset); err != nil {
			return err
		}
	}
	return nil
}

// remember makes offset what a checkpoint says of a partition, before the next regular one; kafka.NoOffset for nothing.
func (d *logDir) remember(name string, id kafka.TopicPartition, offset kafka.Offset) error {
	d.files.Lock()
	defer d.files.Unlock()
	if offset == kafka.NoOffset && !checkpoint.Mentions(d.written[name], id) {
		return nil
	}
	entries, err := checkpoint.ReadOffsets(d.fs(), d.Path, name)
	if err != nil && !errors.Is(err, checkpoint.ErrMalformed) {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e checkpoint.Entry) bool { return e.TopicPartition == id })
	if offset != kafka.NoOffset {
		entries = append(entries, checkpoint.Entry{TopicPartition: id, Offset: offset})
	}
	checkpoint.Sort(entries)
	return d.checkpoint(name, entries)
}

// offsets reads an offset checkpoint. One that can't be read says nothing: recovery then scans more.
func (d *logDir) offsets(name string) map[kafka.TopicPartition]kafka.Offset {
	entries, err := checkpoint.ReadOffsets(d.fs(), d.Path, name)
	if err != nil {
		d.m.o.Log.Warn("checkpoint is ignored", "dir", d.Path, "file", name, "err", err)
		return nil
	}
	if len(entries) > 0 { // a file that is missing is written though it says nothing
		checkpoint.Sort(entries)
		d.written[name] = checkpoint.FormatOffsets(entries)
	}
	byName := make(map[kafka.TopicPartition]kafka.Offset, len(entries))
	for _, e := range entries {
		byName[e.TopicPartition] = e.Offset
	}
	return byName
}
