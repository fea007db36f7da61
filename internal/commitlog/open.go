package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Open opens the log in folder dir, making it if there is none, and recovers it after an unclean shutdown. It leaves no file open beyond the
// cache's. What was lost or damaged is in the Report and no error: errors are the file system's.
func Open(f vfs.FS, dir string, o Options) (*Log, Report, error) {
	config := o.Config // of its own, so that not all of o stays
	l := &Log{
		dir:       &segment.Dir{FS: f, Path: dir, Cache: o.Cache},
		partition: o.Partition, config: &config, recoveryPoint: o.RecoveryPoint, truncatedTo: kafka.NoOffset,
	}
	l.logStart.Store(int64(o.LogStartOffset))
	l.cleaned.Store(int64(o.Cleaned))
	op := opening{l: l, o: o}
	if err := op.run(); err != nil {
		return nil, op.report, fmt.Errorf("open log %s: %w", dir, err)
	}
	return l, op.report, nil
}

// opening is the work of Open.
type opening struct {
	l         *Log
	o         Options
	report    Report
	segments  []*segment.Segment
	damage    []Damage
	snapshots []kafka.Offset // rising
	ours      bool           // there are files of ours
	epochs    epochs
	from      kafka.Offset // where the scan begins
	unsealed  []*segment.Segment
}

func (op *opening) run() error {
	if err := op.list(); err != nil {
		return err
	}
	if err := op.trust(); err != nil {
		return err
	}
	if len(op.segments) == 0 {
		return op.create()
	}
	if err := op.loadFiles(); err != nil {
		return err
	}
	scanned, err := op.findEnd()
	if err != nil {
		return err
	}
	return op.finish(scanned)
}

// list finds the segments and snapshots, and removes what was on its way out.
func (op *opening) list() error {
	l := op.l
	names, err := l.dir.FS.List(l.dir.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return vfs.MkdirAll(l.dir.FS, l.dir.Path)
	}
	if err != nil {
		return err
	}
	swapped, err := op.completeSwap(names)
	if err != nil {
		return err
	}
	if swapped {
		if names, err = l.dir.FS.List(l.dir.Path); err != nil {
			return err
		}
	}
	var bases []kafka.Offset // rising: names have a fixed length
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, segment.DeletedSuffix), strings.HasSuffix(name, segment.CleanedSuffix), strings.HasSuffix(name, ".tmp"):
			if err := l.dir.FS.Remove(path.Join(l.dir.Path, name)); err != nil {
				return err
			}
		case name == damageFile, name == truncationFile:
			op.ours = true
		default:
			if base, ok := segment.ParseFileName(name, segment.LogSuffix); ok {
				bases = append(bases, base)
			} else if end, ok := segment.ParseFileName(name, segment.SnapshotSuffix); ok {
				op.snapshots = append(op.snapshots, end)
			}
		}
	}
	return op.describe(bases)
}

// describe makes the segments of the data files. What only has the name of one, such as a folder, is left alone.
func (op *opening) describe(bases []kafka.Offset) error {
	files := make([]vfs.Entry, 0, len(bases))
	for _, base := range bases {
		e, err := op.l.dir.FS.Stat(path.Join(op.l.dir.Path, segment.FileName(base, segment.LogSuffix)))
		if err != nil {
			return err
		}
		if e.Regular() {
			bases[len(files)] = base
			files = append(files, e)
		}
	}
	bases = bases[:len(files)]
	for i, base := range bases {
		next := kafka.NoOffset
		if i+1 < len(bases) {
			next = bases[i+1]
		}
		s, err := segment.Open(op.l.dir, base, files[i], next)
		if err != nil {
			return err
		}
		op.segments = append(op.segments, s)
	}
	return nil
}

// create makes the first segment of an empty log. One that was synced further than it starts has lost its files: it goes on behind what is
// missing, so that no offset is given out twice.
func (op *opening) create() error {
	l := op.l
	start := l.LogStartOffset()
	if lost := l.recoveryPoint; lost > start {
		op.report.Damage = append(op.report.Damage, Damage{From: start, End: lost, Segment: start})
		start = lost
		l.logStart.Store(int64(start))
	}
	s, err := segment.Create(l.dir, start, op.o.Now)
	if err != nil {
		return err
	}
	// Were the first segment's name lost in a crash that keeps the second's, the log would seem to start there.
	if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
		return err
	}
	op.report.Created = true
	l.touched = true
	l.recoveryPoint = start
	l.producers = &producer.State{}
	l.producers.Reset(start)
	l.epochs.Store(&epochs{})
	l.publish([]*segment.Segment{s}, nil)
	return nil
}

// loadFiles reads the epochs and the damage that is known.
func (op *opening) loadFiles() error {
	l := op.l
	b, err := vfs.ReadFile(l.dir.FS, path.Join(l.dir.Path, checkpoint.LeaderEpochs))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list, err := checkpoint.ParseEpochs(b)
	// An empty file is of one who died before its bytes were on the disk, or of Kafka, which begins with one.
	if err != nil || len(b) == 0 && op.segments[len(op.segments)-1].Size() > 0 {
		if list, err = op.rebuildEpochs(); err != nil {
			return err
		}
		l.saveEpochs = true
	}
	op.epochs = list
	if !op.ours {
		return nil
	}
	if op.damage, err = readDamage(l.dir.FS, l.dir.Path); err != nil {
		return err
	}
	return nil
}

// trust lowers the recovery point to where the log was cut since it was written down.
func (op *opening) trust() error {
	if !op.ours {
		return nil
	}
	l := op.l
	truncated, ok, err := readTruncation(l.dir.FS, l.dir.Path)
	if err != nil || !ok {
		return err
	}
	l.recoveryPoint = min(l.recoveryPoint, truncated)
	l.cleaned.Store(min(l.cleaned.Load(), int64(truncated)))
	l.truncatedTo = truncated
	return nil
}

// rebuildEpochs takes the epochs from the batches' headers, as far as they can be read and no scan will see them.
func (op *opening) rebuildEpochs() (epochs, error) {
	var e epochs
	for _, s := range op.segments {
		if !op.o.Clean && s.Base() >= op.l.recoveryPoint {
			break
		}
		err := s.Walk(func(h segment.Header) {
			if h.Epoch > e.latest() {
				e, _ = e.assign(h.Epoch, h.Base)
			}
		})
		if err != nil && !errors.Is(err, segment.ErrCorrupt) && !errors.Is(err, segment.ErrTorn) {
			return nil, err
		}
	}
	return e, nil
}

// findEnd finds the log end: by the last segment's indexes after a clean shutdown, else by a scan from the recovery point on.
func (op *opening) findEnd() (scanned bool, err error) {
	if op.o.Clean {
		last := op.segments[len(op.segments)-1]
		err := last.LoadEnd()
		if next, _ := last.End(); err == nil && next >= op.l.recoveryPoint {
			return false, nil // else files are missing that were there at the clean shutdown
		}
		if err != nil && !errors.Is(err, segment.ErrCorrupt) && !errors.Is(err, segment.ErrTorn) {
			return false, err
		}
	}
	return true, op.recover()
}

// finish puts together what was found.
func (op *opening) finish(scanned bool) error {
	l := op.l
	next, _ := op.segments[len(op.segments)-1].End()
	start := max(l.LogStartOffset(), op.segments[0].Base())
	if start > next {
		return op.startOver(start)
	}
	l.logStart.Store(int64(start))
	e, cut := op.epochs.truncateEnd(next)
	e, moved := e.truncateStart(start)
	l.saveEpochs = l.saveEpochs || cut || moved || scanned
	l.epochs.Store(&e)
	if !scanned {
		if err := op.loadProducers(next); err != nil {
			return err
		}
	}
	l.producers.SetEndOffset(next)
	l.recoveryPoint = min(l.recoveryPoint, next)
	if !scanned {
		l.recoveryPoint = next
	}
	l.touched = scanned
	l.syncDir = scanned
	for _, s := range op.unsealed {
		l.sealed = append(l.sealed, sealed{segment: s})
	}
	l.publish(op.segments, op.damage)
	op.report.Damage = op.damage
	return nil
}

// startOver is for a log that ends below its start offset: what is left of it is not to be read.
func (op *opening) startOver(start kafka.Offset) error {
	l := op.l
	for _, s := range op.segments {
		op.report.LostBytes += s.Size()
		if err := l.doom(s, op.o.Now); err != nil {
			return err
		}
	}
	if op.report.LostBytes > 0 {
		op.report.Cut = fmt.Errorf("%w: the log ends below its start offset %d", segment.ErrTorn, start)
	}
	created := op.report
	if err := op.create(); err != nil {
		return err
	}
	op.report = created
	l.saveEpochs = true
	return nil
}

// loadProducers brings the producers' state to the offset end: the newest snapshot up to there that can be trusted, and a replay of what follows it.
// Later snapshots are of what may not be there any more.
func (op *opening) loadProducers(end kafka.Offset) error {
	l := op.l
	if planted.Bug("producers-forgotten") {
		l.producers = &producer.State{}
		return nil
	}
	for len(op.snapshots) > 0 {
		at := op.snapshots[len(op.snapshots)-1]
		name := path.Join(l.dir.Path, segment.FileName(at, segment.SnapshotSuffix))
		if at <= end {
			b, err := vfs.ReadFile(l.dir.FS, name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // a cleaner removes some
				return err
			}
			l.producers, err = producer.ParseSnapshot(b, at, op.o.Now.UnixMilli(), l.config.ProducerIdle)
			if err == nil {
				if err := op.recallProducers(at); err != nil {
					return err
				}
				return op.replayProducers(end)
			}
		}
		if err := l.dir.FS.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		op.snapshots = op.snapshots[:len(op.snapshots)-1]
	}
	l.producers = &producer.State{}
	l.producers.Reset(max(l.LogStartOffset(), op.segments[0].Base()))
	if op.o.Clean {
		return nil // a clean shutdown leaves no snapshot only if there was nothing to say
	}
	return op.replayProducers(end)
}

// How far back a start looks for batches that producers may send again: what they have on their way, up to five each, is at the end of a log.
const (
	recalledEntries = 64        // of the index: as many batches at least, and with an entry each 4 KiB a quarter of a MiB
	recalledBytes   = 256 << 10 // segments that are not enough together
)

// recallProducers takes in what a snapshot at an offset leaves out: the batches before the last of each producer, as far as they lie in the segment
// that ends there, or in those before where that is short.
func (op *opening) recallProducers(at kafka.Offset) error {
	i := len(op.segments) - 1
	for i >= 0 && op.segments[i].Base() >= at {
		i--
	}
	if op.l.producers.Len() == 0 || i < 0 {
		return nil
	}
	first := i
	for bytes := op.segments[i].Size(); first > 0 && bytes <= recalledBytes; bytes += op.segments[first].Size() {
		first--
	}
	for ; first < i; first++ {
		if err := op.recallFrom(first, op.segments[first+1].Base()); err != nil {
			return err
		}
	}
	return op.recallFrom(i, at)
}

// recallFrom does so with the batches of segment i that lie below end.
func (op *opening) recallFrom(i int, end kafka.Offset) error {
	s := op.segments[i]
	next, _ := s.End()
	indexed := op.o.Clean
	if i+1 < len(op.segments) {
		next, indexed = op.segments[i+1].Base(), indexed || op.segments[i+1].Base() <= op.l.recoveryPoint
	}
	visit := func(b []byte) {
		if b[16] == record.Magic {
			op.l.producers.Recall(record.Batch(b))
		}
	}
	var err error
	if indexed && next == end {
		err = s.Recent(recalledEntries, visit)
	} else {
		err = s.Batches(s.Base(), end, func(_ segment.Header, b []byte) { visit(b) })
	}
	if errors.Is(err, segment.ErrCorrupt) || errors.Is(err, segment.ErrTorn) {
		return nil // whoever reads it is told
	}
	return err
}

// replayProducers takes in the batches between the producers' end offset and end.
func (op *opening) replayProducers(end kafka.Offset) error {
	p := op.l.producers
	for i, s := range op.segments {
		if i+1 < len(op.segments) && op.segments[i+1].Base() <= p.EndOffset() {
			continue
		}
		if p.EndOffset() >= end {
			break
		}
		err := s.Batches(p.EndOffset(), end, func(h segment.Header, b []byte) {
			if b[16] == record.Magic {
				p.Replay(record.Batch(b))
			}
		})
		if err != nil && !errors.Is(err, segment.ErrCorrupt) && !errors.Is(err, segment.ErrTorn) {
			return err
		}
	}
	return nil
}
