package commitlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

// Span is a range of a data file, open until Release. The zero Span is empty and needs no Release.
type Span struct {
	handle     *segment.Handle
	position   int64
	length     int
	base       kafka.Offset
	segment    kafka.Offset
	incomplete bool
}

// Read returns at most maxBytes from the batch that holds offset from on, or from the next one if there is none. It leaves out batches
// that end at or above upTo, an exclusive bound. With atLeastOne the first batch comes whole even if it is larger than maxBytes. The range may end within
// a batch. An empty Span means that there is nothing between from and upTo. Errors wrap kerr.OffsetOutOfRange below the log start and
// above the log end, and kerr.CorruptMessage where the log is damaged.
func (l *Log) Read(from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool) (Span, error) {
	for {
		v := l.list.Load()
		s, err := l.read(v, from, maxBytes, upTo, atLeastOne)
		if errors.Is(err, fs.ErrNotExist) && l.list.Load() != v {
			continue // the segment was removed meanwhile
		}
		if err != nil {
			return Span{}, l.readError(err)
		}
		return s, nil
	}
}

// ReadCommitted is Read with the aborted transactions that have records in the range. Both are of the same files: a file that takes another's place
// has other transactions.
func (l *Log) ReadCommitted(from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool) (Span, []segment.Aborted, error) {
	for {
		v := l.list.Load()
		s, err := l.Read(from, maxBytes, upTo, atLeastOne)
		if err != nil || s.Len() == 0 {
			return s, nil, err
		}
		found, err := v.abortedTxns(from, s.End(upTo))
		same := l.list.Load() == v
		if same && err == nil {
			return s, found, nil
		}
		s.Release()
		if same {
			return Span{}, nil, l.readError(err)
		}
	}
}

func (l *Log) read(v *list, from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool) (Span, error) {
	end := v.next(len(v.segments) - 1)
	if from < l.LogStartOffset() || from > end {
		return Span{}, l.outOfRange(from)
	}
	upTo = min(upTo, end)
	if d, ok := v.damaged(from); ok {
		if from >= d.From && from < upTo {
			return Span{}, fmt.Errorf("%w: %s", ErrDamaged, d)
		}
		upTo = min(upTo, d.From)
	}
	if from >= upTo || maxBytes <= 0 && !atLeastOne {
		return Span{}, nil
	}
	for i := v.find(from); i < len(v.segments) && v.segments[i].Base() < upTo; i++ {
		// End and size at once: between two looks a batch may be appended, which would be read past upTo.
		next, size := v.segments[i].End()
		if i+1 < len(v.segments) {
			next = v.segments[i+1].Base()
		}
		s, err := readSegment(v.segments[i], extent{next, size}, from, maxBytes, upTo, atLeastOne)
		if s.handle != nil || err != nil {
			return s, err
		}
	}
	return Span{}, nil
}

// extent is how far a segment went at one moment: the offset after its last record and its size in bytes.
type extent struct {
	next kafka.Offset
	size int64
}

// readSegment is Read within the extent of one segment; an empty Span says that the segment has nothing to give.
func readSegment(s *segment.Segment, whole extent, from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool) (Span, error) {
	h, err := s.Acquire()
	if err != nil {
		return Span{}, err
	}
	limit := whole.size
	if upTo < whole.next {
		last, found, err := h.Locate(upTo, limit)
		if err != nil {
			h.Release()
			return Span{}, err
		}
		if found {
			limit = last.Position
		}
	}
	first, found, err := h.Locate(from, limit)
	if err != nil || !found {
		h.Release()
		return Span{}, err
	}
	n := maxBytes
	if atLeastOne {
		n = max(n, int(first.Size))
	}
	n = min(n, int(limit-first.Position))
	return Span{
		handle: h, position: first.Position, length: n, base: first.Base, segment: s.Base(), incomplete: int64(n) < first.Size,
	}, nil
}

// Len returns the length in bytes.
func (s *Span) Len() int { return s.length }

// Position returns where in the file the range starts, in bytes.
func (s *Span) Position() int64 { return s.position }

// BaseOffset returns the base offset of the first batch, which may lie below the offset that was asked for.
func (s *Span) BaseOffset() kafka.Offset { return s.base }

// Segment returns the base offset of the segment.
func (s *Span) Segment() kafka.Offset { return s.segment }

// FirstIncomplete reports whether not even the first batch is whole.
func (s *Span) FirstIncomplete() bool { return s.incomplete }

// End returns an exclusive bound of the offsets in the range: upTo, if nothing closer is known. A batch that the range cuts counts.
func (s *Span) End(upTo kafka.Offset) kafka.Offset {
	if s.handle == nil {
		return upTo
	}
	end, err := s.handle.EndBefore(s.position + int64(s.length))
	if err != nil { // an index that misleads is found out by those who look for offsets
		return upTo
	}
	return min(end, upTo)
}

// ReadAt reads from the range; offset counts from its start. A read across its end is cut, with io.EOF.
func (s *Span) ReadAt(p []byte, offset int64) (int, error) {
	return readRange(s.handle, p, s.position, int64(s.length), offset)
}

// Descriptor returns the operating system's descriptor of the file, good until Release, and false if the file has none: then use ReadAt.
func (s *Span) Descriptor() (fd uintptr, ok bool) {
	if s.handle == nil {
		return 0, false
	}
	return s.handle.Descriptor()
}

// Release lets go of the file. The Span is empty then; releasing it again does nothing.
func (s *Span) Release() {
	if s.handle != nil {
		s.handle.Release()
	}
	*s = Span{}
}

func readRange(r io.ReaderAt, p []byte, position, length, offset int64) (int, error) {
	if offset < 0 || offset >= length {
		return 0, io.EOF
	}
	left := length - offset
	if int64(len(p)) <= left {
		return r.ReadAt(p, position+offset)
	}
	n, err := r.ReadAt(p[:left], position+offset)
	if err == nil {
		err = io.EOF
	}
	return n, err
}
