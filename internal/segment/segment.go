package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// MaxSize is how large a data file can be, in bytes: positions in an index have 31 bits.
const MaxSize = math.MaxInt32

// ErrFenced says that a write failed and could not be undone, so that the segment takes no more.
var ErrFenced = errors.New("log takes no more writes after a failure")

// unknownTime marks a timestamp that has not been read from the disk.
const unknownTime = math.MinInt64

// Dir is the folder that the segments of one log share.
type Dir struct {
	FS    vfs.FS
	Path  string
	Cache *Cache
}

// Segment is one segment. Append, Seal, Truncate, Remove and Close belong to the one writer of the log, SyncData and SaveIndex to its
// one flusher, Recover and LoadEnd to whoever opens the log; all else is for any goroutine.
type Segment struct {
	dir  *Dir
	base kafka.Offset
	// end is what readers may see, as one word: the next offset counted from the base in the upper half, the size in the lower.
	end         atomic.Uint64
	maxTime     atomic.Int64 // greatest timestamp, ms; unknownTime until loaded
	maxTimeLast atomic.Int64 // last offset of the batch that has it, counted from the base
	handle      atomic.Pointer[Handle]
	index       atomic.Pointer[index]
	aborts      atomic.Pointer[aborts]
	gone        atomic.Bool
	modified    atomic.Int64 // ms
	hints       hints
	aside       atomic.Bool // its files are not in their place yet (aside.go)

	sealed atomic.Bool
	// Of the writer.
	failed     bool
	sinceIndex int64
	firstTime  int64 // timestamp of the first batch, ms; unknownTime until loaded
	created    int64 // ms
	reserved   int64 // position up to which blocks are reserved
}

// hints remembers where the latest appends begin: readers at the tail mostly ask for one of these.
type hints struct {
	slots [8]atomic.Uint64 // as Segment.end
	next  int              // of the writer
}

func pack(relative kafka.Offset, position int64) uint64 {
	return uint64(min(relative, math.MaxUint32))<<32 | uint64(position)
}

func unpack(w uint64) (relative, position int64) { return int64(w >> 32), int64(w & math.MaxUint32) }

func (h *hints) add(relative kafka.Offset, position int64) {
	h.slots[h.next%len(h.slots)].Store(pack(relative, position))
	h.next++
}

// best returns the hint nearest at or below the relative offset; 0, 0 without one.
func (h *hints) best(relative int64) (at, position int64) {
	for i := range h.slots {
		if r, p := unpack(h.slots[i].Load()); r <= relative && r > at {
			at, position = r, p
		}
	}
	return at, position
}

func newSegment(dir *Dir, base kafka.Offset) *Segment {
	s := &Segment{dir: dir, base: base, firstTime: unknownTime}
	s.maxTime.Store(unknownTime)
	return s
}

// Absent returns what an empty log that has no files shows its readers: a segment at offset 0 without a record. It has no writer.
func Absent() *Segment {
	s := newSegment(&Dir{}, 0)
	s.maxTime.Store(kafka.NoTimestamp)
	s.gone.Store(true)
	s.index.Store(newIndex(s))
	s.resetAborts(nil, 0)
	return s
}

// Create makes an empty segment, replacing files of its name. The folder is not synced.
func Create(dir *Dir, base kafka.Offset, now time.Time) (*Segment, error) {
	s := newSegment(dir, base)
	return s, s.create(now)
}

func (s *Segment) create(now time.Time) error {
	file, err := s.dir.FS.Create(s.name(LogSuffix))
	if err != nil {
		return err
	}
	s.created = now.UnixMilli()
	s.modified.Store(s.created)
	s.maxTime.Store(kafka.NoTimestamp)
	x := newIndex(s)
	x.savedOffsets.Store(-1) // the files are yet to be made
	x.savedTimes.Store(-1)
	s.index.Store(x)
	s.resetAborts(nil, s.base)
	s.publish(file)
	return nil
}

func (s *Segment) publish(file vfs.File) *Handle {
	h := &Handle{file: file, seg: s}
	h.refs.Store(1)
	h.used.Store(true)
	s.handle.Store(h)
	s.dir.Cache.files.add(h)
	return h
}

// Open describes an existing segment whose data file is as in e; it does not touch the disk. Next is the base offset of the segment
// after it; without one (kafka.NoOffset) call LoadEnd or Recover before anything else.
func Open(dir *Dir, base kafka.Offset, e vfs.Entry, next kafka.Offset) (*Segment, error) {
	if e.Size > MaxSize {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrCorrupt, e.Name, e.Size)
	}
	s := newSegment(dir, base)
	s.created = e.ModTime.UnixMilli()
	s.modified.Store(s.created)
	s.end.Store(pack(max(0, next-base), e.Size))
	return s, nil
}

func (s *Segment) name(suffix string) string {
	if s.aside.Load() {
		suffix += CleanedSuffix
	}
	return s.place(suffix)
}

// Base returns the base offset.
func (s *Segment) Base() kafka.Offset { return s.base }

// End returns the offset after the last record, and the size in bytes up to there. Of a segment that has a successor the offset may be
// anything up to the successor's base.
func (s *Segment) End() (next kafka.Offset, size int64) {
	relative, size := unpack(s.end.Load())
	return s.base + kafka.Offset(relative), size
}

// Size returns the size in bytes.
func (s *Segment) Size() int64 {
	_, size := unpack(s.end.Load())
	return size
}

// Modified returns when the data file was last written, in ms.
func (s *Segment) Modified() int64 { return s.modified.Load() }

// Fits reports whether the index can express offset last and whether the file can take size more bytes.
func (s *Segment) Fits(last kafka.Offset, size int64) bool {
	return last-s.base <= maxRelative && s.Size()+size <= MaxSize
}

// IndexBytes returns the size of the larger of the two index files once saved, in bytes.
func (s *Segment) IndexBytes() int64 {
	x := s.index.Load()
	if x == nil {
		return 0
	}
	return max(x.offsets.n.Load()*IndexEntrySize, (x.times.n.Load()+1)*TimeIndexEntrySize)
}

// Acquire returns the data file, opening it if need be. Release it. The error wraps fs.ErrNotExist once the segment was removed.
func (s *Segment) Acquire() (*Handle, error) {
	for {
		if h := s.handle.Load(); h != nil {
			if h.acquire() {
				return h, nil
			}
			continue // its last reference is going, after it was taken off s
		}
		if s.gone.Load() {
			return nil, &fs.PathError{Op: "open", Path: s.name(LogSuffix), Err: fs.ErrNotExist}
		}
		file, err := s.openData()
		if err != nil {
			return nil, err
		}
		h := &Handle{file: file, seg: s}
		h.refs.Store(2) // the cache's and the caller's
		h.used.Store(true)
		if !s.handle.CompareAndSwap(nil, h) {
			_ = file.Close()
			continue
		}
		s.dir.Cache.files.add(h)
		if s.gone.Load() {
			h.evict() // it went meanwhile, and may have missed h
		}
		return h, nil
	}
}

// drop closes the file once its readers are done, and keeps it closed.
func (s *Segment) drop() {
	s.gone.Store(true)
	if h := s.handle.Swap(nil); h != nil {
		h.Release()
	}
}

// Append writes whole batches at the end, in one write, and publishes them. Offsets must be final, rising, and Fit. An error that wraps
// ErrFenced is final; after another one the file is as before. Interval is index.interval.bytes.
func (s *Segment) Append(b []byte, interval int, now time.Time) error {
	if s.failed {
		return ErrFenced
	}
	x, err := s.loadIndex()
	if err != nil {
		return err
	}
	if _, err := s.MaxTimestamp(); err != nil {
		return err
	}
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	_, size := s.End()
	s.reserve(h, size, int64(len(b)))
	if _, err := h.file.WriteAt(b, size); err != nil {
		return s.undo(h, size, err)
	}
	s.indexAppended(x, b, size, int64(interval))
	s.modified.Store(now.UnixMilli())
	return nil
}

// undo cuts off what a failed write left. A full disk is a passing trouble; after anything else nobody knows what is in the file.
func (s *Segment) undo(h *Handle, size int64, cause error) error {
	if err := h.file.Truncate(size); err != nil || !errors.Is(cause, vfs.ErrNoSpace) {
		s.failed = true
		return fmt.Errorf("%w: %w", ErrFenced, errors.Join(cause, err))
	}
	return cause
}

// indexAppended takes in the batches b that were written at position, and publishes the new end.
func (s *Segment) indexAppended(x *index, b []byte, position, interval int64) {
	start, first := position, record.Batch(b).BaseOffset()-s.base
	next := kafka.Offset(0)
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			panic("segment: Append of bytes that are not whole batches: " + err.Error())
		}
		if position == 0 {
			s.firstTime = batch.MaxTimestamp()
		}
		last := batch.LastOffset()
		s.noteTimestamp(batch.MaxTimestamp(), last)
		if s.sinceIndex > interval {
			x.note(int64(last-s.base), position, s.maxTime.Load(), s.maxTimeLast.Load())
			s.sinceIndex = 0
		}
		s.sinceIndex += int64(len(batch))
		position += int64(len(batch))
		next = last + 1
		b = rest
	}
	s.hints.add(first, start)
	s.end.Store(pack(next-s.base, position))
}

func (s *Segment) noteTimestamp(ms int64, last kafka.Offset) {
	if ms > s.maxTime.Load() {
		s.maxTimeLast.Store(int64(last - s.base)) // before the time: readers take the newer offset with the older time, never the reverse
		s.maxTime.Store(ms)
	}
}

// AgedAt reports whether a batch of timestamp at now makes the segment older than age: by the timestamp of its first batch, or, where
// that has none, by the clock.
func (s *Segment) AgedAt(timestamp int64, now time.Time, age time.Duration) (bool, error) {
	if s.Size() == 0 {
		return false, nil
	}
	if s.firstTime == unknownTime {
		first, err := s.FirstTimestamp()
		if err != nil {
			return false, err
		}
		s.firstTime = first
	}
	if s.firstTime >= 0 {
		return timestamp-s.firstTime > age.Milliseconds(), nil
	}
	return now.UnixMilli()-s.created > age.Milliseconds(), nil
}

// Seal ends the segment: the time index gets its last entry, the greatest timestamp.
func (s *Segment) Seal() error {
	x, err := s.loadIndex()
	if err != nil {
		return err
	}
	if s.Size() > 0 {
		ms, err := s.MaxTimestamp()
		if err != nil {
			return err
		}
		x.noteTime(ms, s.maxTimeLast.Load())
	}
	s.sealed.Store(true)
	return nil
}

// Truncate removes the batches from the one that holds offset to on, and syncs. The segment must not be used any more; the one that
// is returned takes its place.
func (s *Segment) Truncate(to kafka.Offset) (*Segment, error) {
	from, found, err := s.Locate(to, s.Size())
	if err != nil {
		return nil, err
	}
	if !found {
		return s, nil
	}
	x, err := s.loadIndex()
	if err != nil {
		return nil, err
	}
	h, err := s.Acquire()
	if err != nil {
		return nil, err
	}
	defer h.Release()
	if err := h.file.Truncate(from.Position); err != nil {
		return nil, err
	}
	if err := h.file.Sync(); err != nil {
		return nil, err
	}
	cut := newSegment(s.dir, s.base)
	cut.created = s.created
	cut.modified.Store(s.modified.Load())
	cut.index.Store(rebound(x.clipped(int64(from.Base-s.base)), cut))
	old, err := s.loadAborts()
	if old == nil { // an odd one stays odd
		return nil, err
	}
	cut.resetAborts(old, from.Base)
	s.drop()
	cut.end.Store(pack(0, from.Position))
	return cut, cut.LoadEnd()
}

func rebound(x *index, s *Segment) *index {
	x.seg = s
	return x
}

// fileSuffixes are the files of a segment, the data file first: without it the others are nothing.
var fileSuffixes = []string{LogSuffix, IndexSuffix, TimeIndexSuffix, TxnIndexSuffix}

// Remove takes the segment away: its files are renamed to .deleted, for Unlink. The folder is not synced. Readers that have a
// Handle go on reading.
func (s *Segment) Remove() error {
	s.drop()
	for _, suffix := range fileSuffixes {
		name := s.name(suffix)
		if err := s.dir.FS.Rename(name, name+DeletedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Unlink removes the files that Remove renamed.
func (s *Segment) Unlink() error {
	for _, suffix := range fileSuffixes {
		if err := s.dir.FS.Remove(s.name(suffix) + DeletedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close forgets the file and the index, once their users are done. It writes nothing.
func (s *Segment) Close() {
	s.drop()
	s.index.Store(nil)
}

// SyncData makes what was appended so far durable.
func (s *Segment) SyncData() error {
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	if err := s.trim(h); err != nil {
		return err
	}
	return h.file.Sync()
}
