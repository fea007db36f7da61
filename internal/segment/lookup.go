package segment

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Locate finds the first batch below position limit that ends at or above the target, and false if there is none. The error wraps ErrCorrupt if
// the way there is not made of batches.
func (s *Segment) Locate(target kafka.Offset, limit int64) (Header, bool, error) {
	h, err := s.Acquire()
	if err != nil {
		return Header{}, false, err
	}
	defer h.Release()
	return h.Locate(target, limit)
}

// Locate is the segment's, with the file at hand.
func (h *Handle) Locate(target kafka.Offset, limit int64) (Header, bool, error) {
	s := h.seg
	relative := int64(target - s.base)
	position, known, err := s.floor(relative, limit)
	if err != nil {
		return Header{}, false, err
	}
	misled := false // the index says that the batch at position ends with, or before, what is known of it
	b, found, err := h.find(position, limit, func(b Header) bool {
		misled = misled || known >= 0 && b.Position == position && b.Last > s.base+kafka.Offset(known)
		return b.Last >= target
	})
	if known < 0 || !misled && !errors.Is(err, ErrCorrupt) {
		return b, found, err
	}
	x, rebuildErr := s.rebuildIndex()
	if rebuildErr != nil {
		return b, found, errors.Join(err, rebuildErr)
	}
	s.index.Store(x)
	return h.find(x.lookup(relative), limit, func(b Header) bool { return b.Last >= target })
}

// EndBefore returns the offset after the batches that begin below position, which is above 0 and not above the size. It trusts the index for
// where a batch begins, and the batch for its offsets. The error wraps ErrCorrupt if the index leads to no batch.
func (h *Handle) EndBefore(position int64) (kafka.Offset, error) {
	x, err := h.seg.loadIndex()
	if err != nil {
		return 0, err
	}
	b, found, err := h.find(x.before(position-1), h.seg.Size(), func(b Header) bool { return b.Position+b.Size >= position })
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("%w: no batch at position %d", ErrCorrupt, position)
	}
	return b.Last + 1, nil
}

// find returns the first batch from position on that is wanted.
func (h *Handle) find(position, limit int64, wanted func(Header) bool) (Header, bool, error) {
	w := newWalker(h.file, limit)
	defer w.close()
	for position < limit {
		b, err := w.header(position)
		if err != nil {
			if errors.Is(err, ErrTorn) { // below the published end there is nothing torn
				err = fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			return Header{}, false, err
		}
		if wanted(b) {
			return b, true, nil
		}
		position += b.Size
	}
	return Header{}, false, nil
}

// floor returns a position at or before that of the batch that holds the relative offset, and the offset that an index entry has there; -1 if
// it does not come from the index.
func (s *Segment) floor(relative, limit int64) (position, known int64, err error) {
	if relative <= 0 {
		return 0, -1, nil
	}
	at, position := s.hints.best(relative)
	if at == relative || limit-position <= window {
		return position, -1, nil
	}
	x, err := s.loadIndex()
	if err != nil {
		return 0, -1, err
	}
	if e := x.entry(relative); int64(e.Position) > position {
		return int64(e.Position), int64(e.Relative), nil
	}
	return position, -1, nil
}

// LocateTime finds the first batch that ends at or above from and has a timestamp of at least ms, and false if there is none.
func (s *Segment) LocateTime(ms int64, from kafka.Offset) (Header, bool, error) {
	x, err := s.loadIndex()
	if err != nil {
		return Header{}, false, err
	}
	relative := max(x.lookupTime(ms), int64(from-s.base))
	h, err := s.Acquire()
	if err != nil {
		return Header{}, false, err
	}
	defer h.Release()
	return h.find(x.lookup(relative), s.Size(), func(b Header) bool { return b.MaxTimestamp >= ms && b.Last >= from })
}

// MaxTimestamp returns the greatest timestamp in ms, or kafka.NoTimestamp.
func (s *Segment) MaxTimestamp() (int64, error) {
	if ms := s.maxTime.Load(); ms != unknownTime {
		return ms, nil
	}
	last, err := s.lastTime()
	if err != nil {
		return 0, err
	}
	s.maxTimeLast.Store(int64(last.Relative))
	s.maxTime.Store(last.Timestamp)
	return last.Timestamp, nil
}

// MaxTimestampBatch returns the last offset of the first batch that has the greatest timestamp; MaxTimestamp must have been called.
func (s *Segment) MaxTimestampBatch() kafka.Offset {
	return s.base + kafka.Offset(s.maxTimeLast.Load())
}

// lastTime returns the last entry of the time index, which in a sealed segment is the greatest timestamp.
func (s *Segment) lastTime() (TimeEntry, error) {
	none := TimeEntry{Timestamp: kafka.NoTimestamp}
	if s.Size() == 0 {
		return none, nil
	}
	if s.index.Load() == nil {
		if b, err := s.tailEntries(TimeIndexSuffix, TimeIndexEntrySize, 1); err == nil {
			if entries, err := ParseTimeIndex(b); err == nil && len(entries) == 1 {
				return entries[0], nil
			}
		}
	}
	x, err := s.loadIndex()
	if err != nil {
		return none, err
	}
	if last, ok := x.times.last(); ok {
		return last, nil
	}
	return none, nil
}

// tailEntries reads the last n entries of an index file, or as many as there are.
func (s *Segment) tailEntries(suffix string, entry, n int64) ([]byte, error) {
	file, err := s.dir.FS.Open(s.name(suffix))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil || size < entry {
		return nil, err
	}
	count := size / entry
	n = min(n, count)
	b := make([]byte, n*entry)
	_, err = readFull(file, b, (count-n)*entry)
	return b, err
}

// recent returns the position of the last but n entry of the offset index, the segment's beginning if there are fewer.
func (s *Segment) recent(n int64) (int64, error) {
	if s.index.Load() == nil {
		if b, err := s.tailEntries(IndexSuffix, IndexEntrySize, n); err == nil {
			if entries, err := ParseIndex(b, s.Size()); err == nil {
				if int64(len(entries)) < n {
					return 0, nil
				}
				return int64(entries[0].Position), nil
			}
		}
	}
	x, err := s.loadIndex()
	if err != nil {
		return 0, err
	}
	entries := x.offsets.view()
	if int64(len(entries)) < n {
		return 0, nil
	}
	return int64(entries[int64(len(entries))-n].Position), nil
}

// LoadEnd finds the end of the last segment of a log that was closed cleanly: by the last entry of the index and the batches after it.
// The error wraps ErrTorn or ErrCorrupt if they do not end with the file: then the segment needs Recover.
func (s *Segment) LoadEnd() error {
	_, size := s.End()
	if size == 0 {
		s.maxTime.Store(kafka.NoTimestamp)
		s.end.Store(0)
		return nil
	}
	last, err := s.lastIndexed(size)
	if err != nil {
		return err
	}
	top := TimeEntry{Timestamp: kafka.NoTimestamp}
	if last.Position > 0 { // else all batches are looked at, and tell
		if top, err = s.lastTime(); err != nil {
			return err
		}
	}
	file, err := s.dir.FS.Open(s.name(LogSuffix))
	if err != nil {
		return err
	}
	defer file.Close()
	s.maxTimeLast.Store(int64(top.Relative))
	s.maxTime.Store(top.Timestamp)
	w := newWalker(file, size)
	defer w.close()
	next := s.base
	for position := int64(last.Position); position < size; {
		h, err := w.header(position)
		if err != nil {
			return err
		}
		if h.Base < next || h.Last-s.base > maxRelative {
			return corruptOrder(h, next)
		}
		s.noteTimestamp(h.MaxTimestamp, h.Last)
		next = h.Last + 1
		position += h.Size
	}
	s.sinceIndex = size - int64(last.Position)
	s.end.Store(pack(next-s.base, size))
	return nil
}

// lastIndexed returns the last entry of the offset index.
func (s *Segment) lastIndexed(size int64) (IndexEntry, error) {
	if s.index.Load() == nil && size > window {
		b, err := s.tailEntries(IndexSuffix, IndexEntrySize, 1)
		if err == nil {
			if entries, err := ParseIndex(b, size); err == nil && len(entries) == 1 {
				return entries[0], nil
			}
		}
	}
	if s.index.Load() == nil && size <= window {
		return IndexEntry{}, nil // one read shows it all
	}
	x, err := s.loadIndex()
	if err != nil {
		return IndexEntry{}, err
	}
	last, _ := x.offsets.last()
	return last, nil
}

// loadIndex returns the index, reading it from its files, or from the batches if they are missing or wrong.
func (s *Segment) loadIndex() (*index, error) {
	if x := s.index.Load(); x != nil {
		if !x.used.Load() {
			x.used.Store(true)
		}
		return x, nil
	}
	x, err := s.readIndex()
	if errors.Is(err, ErrIndex) || errors.Is(err, fs.ErrNotExist) {
		x, err = s.rebuildIndex()
	}
	if err != nil {
		return nil, err
	}
	if s.index.CompareAndSwap(nil, x) {
		x.offer()
	} else if other := s.index.Load(); other != nil {
		x = other
	}
	return x, nil
}

// readIndex reads the index files.
func (s *Segment) readIndex() (*index, error) {
	x := newIndex(s)
	b, err := vfs.ReadFile(s.dir.FS, s.name(IndexSuffix))
	if err != nil {
		return nil, err
	}
	offsets, err := ParseIndex(b, s.Size())
	if err != nil {
		return nil, err
	}
	x.offsets.set(offsets)
	x.savedOffsets.Store(savedCount(len(offsets)*IndexEntrySize, len(b), len(offsets)))
	b, err = vfs.ReadFile(s.dir.FS, s.name(TimeIndexSuffix))
	if err != nil {
		return nil, err
	}
	times, err := ParseTimeIndex(b)
	if err != nil {
		return nil, err
	}
	x.times.set(times)
	x.savedTimes.Store(savedCount(len(times)*TimeIndexEntrySize, len(b), len(times)))
	return x, nil
}

// savedCount is the number of entries, if the file has nothing else.
func savedCount(used, size, entries int) int64 {
	if used != size {
		return -1
	}
	return int64(entries)
}

// rebuildInterval is the index interval of an index that is made anew for a lookup, in bytes: Kafka's default.
const rebuildInterval = 4096

// rebuildIndex makes the index from the batches' headers.
func (s *Segment) rebuildIndex() (*index, error) {
	x := newIndex(s)
	x.savedOffsets.Store(-1)
	x.savedTimes.Store(-1)
	h, err := s.Acquire()
	if err != nil {
		return nil, err
	}
	defer h.Release()
	b := builder{x: x, base: s.base, interval: rebuildInterval, maxTime: kafka.NoTimestamp}
	_, _, err = h.find(0, s.Size(), func(h Header) bool {
		b.add(h)
		return false
	})
	x.noteTime(b.maxTime, b.maxTimeLast)
	return x, err
}

// builder makes an index batch by batch.
type builder struct {
	x           *index
	base        kafka.Offset
	interval    int64
	since       int64
	maxTime     int64
	maxTimeLast int64
}

func (b *builder) add(h Header) {
	relative := int64(h.Last - b.base)
	if h.MaxTimestamp > b.maxTime {
		b.maxTime, b.maxTimeLast = h.MaxTimestamp, relative
	}
	if b.since > b.interval {
		b.x.note(relative, h.Position, b.maxTime, b.maxTimeLast)
		b.since = 0
	}
	b.since += h.Size
}

// SaveIndex writes what the index files lack, and sync makes it durable. Whole says to make the files even if there is
// nothing to write, and to write what the transaction index lacks too; without whole few entries wait for more, and
// aborted transactions for SaveAborts. Of the flusher.
func (s *Segment) SaveIndex(whole, sync bool) error {
	if whole {
		if err := s.saveAborts(sync); err != nil {
			return err
		}
	}
	x := s.index.Load()
	if x == nil {
		if !whole {
			return nil
		}
		var err error
		if x, err = s.loadIndex(); err != nil {
			return err
		}
	}
	if !whole && x.unsaved() < saveEntries || whole && !x.dirty() && !sync {
		return nil
	}
	offsets, times := x.offsets.view(), x.times.view()
	err := s.saveEntries(IndexSuffix, x.savedOffsets.Load(), int64(len(offsets)), IndexEntrySize, sync, func(dst []byte, i int64) []byte {
		return offsets[i].AppendTo(dst)
	})
	if err != nil {
		return err
	}
	x.savedOffsets.Store(int64(len(offsets)))
	err = s.saveEntries(TimeIndexSuffix, x.savedTimes.Load(), int64(len(times)), TimeIndexEntrySize, sync, func(dst []byte, i int64) []byte {
		return times[i].AppendTo(dst)
	})
	if err != nil {
		return err
	}
	x.savedTimes.Store(int64(len(times)))
	return nil
}

// saveEntries is how many entries of an index may wait for more: 2 MiB of log at Kafka's default interval.
const saveEntries = 512

func (s *Segment) saveEntries(suffix string, saved, total, size int64, sync bool, entry func(dst []byte, i int64) []byte) error {
	if saved == total && !sync {
		return nil
	}
	open := s.dir.FS.OpenWrite
	if saved < 0 {
		open, saved = s.dir.FS.Create, 0
	}
	file, err := open(s.name(suffix))
	if err != nil {
		return err
	}
	if total > saved {
		b := make([]byte, 0, (total-saved)*size)
		for i := saved; i < total; i++ {
			b = entry(b, i)
		}
		_, err = file.WriteAt(b, saved*size)
	}
	if err == nil && sync {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// ReadBatch reads the whole batch of header b.
func (s *Segment) ReadBatch(b Header) ([]byte, error) {
	h, err := s.Acquire()
	if err != nil {
		return nil, err
	}
	defer h.Release()
	buf := make([]byte, b.Size) // Size lies within the file
	if _, err := readFull(h.file, buf, b.Position); err != nil {
		return nil, err
	}
	return buf, checkCRC(buf, b.Position)
}
