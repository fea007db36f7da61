package commitlog

import (
	"fmt"
	"math"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
)

// Unread is what lies between two offsets, as far as a reader is given it: control batches are not.
type Unread struct {
	// Records is how many records there are: an upper bound unless Exact.
	Records int64
	Exact   bool
	// First is the first of them, kafka.NoOffset if there is none or, unless Exact, if it was not found. Timestamp is its, in ms.
	First     kafka.Offset
	Timestamp int64
}

// unreadBatches is how many batches Unread looks at.
const unreadBatches = 64

// Unread looks at the first batches from an offset on, up to upTo, exclusive: at their headers, and into one of them at most where the
// first record is not the header's. What lies beyond them is reckoned by its offsets. Errors are Read's.
func (l *Log) Unread(from, upTo kafka.Offset) (Unread, error) {
	s := unreadScan{from: from, next: from, left: unreadBatches, limit: l.config.MaxDecompressed,
		found: Unread{First: kafka.NoOffset, Timestamp: kafka.NoTimestamp}}
	for s.next < upTo && s.left > 0 {
		span, err := l.Read(s.next, math.MaxInt32, upTo, true)
		if err != nil {
			return Unread{}, err
		}
		if span.Len() == 0 {
			if _, hurt := l.list.Load().damaged(s.next); !hurt {
				s.next = upTo
			}
			break
		}
		err = s.scan(&span)
		span.Release()
		if err != nil {
			return Unread{}, l.readError(err)
		}
	}
	s.found.Exact = s.next >= upTo
	s.found.Records += max(0, int64(upTo-s.next))
	return s.found, nil
}

// unreadScan is how far Unread has come.
type unreadScan struct {
	from, next kafka.Offset
	left       int // batches that may still be looked at
	limit      int // bytes of a decompressed batch
	found      Unread
}

func (s *unreadScan) scan(span *Span) error {
	var header [record.HeaderSize]byte
	for position := int64(0); position < int64(span.Len()) && s.left > 0; s.left-- {
		if n, err := span.ReadAt(header[:], position); err != nil && n <= 16 {
			return err
		}
		if header[16] != record.Magic { // old messages say nothing of those in them
			s.left = 0
			return nil
		}
		size, err := record.SizeAt(header[:])
		if err != nil {
			return fmt.Errorf("%w: %w", segment.ErrCorrupt, err)
		}
		if err := s.batch(span, record.Batch(header[:]), position, size); err != nil {
			return err
		}
		s.next = max(s.next, record.Batch(header[:]).NextOffset())
		position += int64(size)
	}
	return nil
}

// batch counts the records of a batch that are not below from, and notes the first of all.
func (s *unreadScan) batch(span *Span, b record.Batch, position int64, size int) error {
	switch {
	case b.IsControl() || b.Count() == 0:
		return nil
	case b.BaseOffset() >= s.from && (s.found.First >= 0 || b.Count() == b.LastOffsetDelta()+1):
		timestamp := b.BaseTimestamp()
		if b.TimestampType() == kafka.LogAppendTime {
			timestamp = b.MaxTimestamp()
		}
		s.note(b.BaseOffset(), timestamp)
		s.found.Records += int64(b.Count())
		return nil
	}
	if int64(size) > int64(span.Len())-position {
		return fmt.Errorf("%w: a batch of %d bytes, %d are left", segment.ErrCorrupt, size, int64(span.Len())-position)
	}
	whole := make([]byte, size) // which lies within the file
	if _, err := span.ReadAt(whole, position); err != nil {
		return err
	}
	var w record.Walker
	defer w.Close()
	w.Reset(record.Batch(whole), s.limit)
	for w.Next() {
		if offset := b.BaseOffset() + kafka.Offset(w.Record.OffsetDelta); offset >= s.from {
			s.note(offset, w.Record.Timestamp)
			s.found.Records++
		}
	}
	if err := w.Err(); err != nil {
		return fmt.Errorf("%w: %w", segment.ErrCorrupt, err)
	}
	return nil
}

func (s *unreadScan) note(offset kafka.Offset, timestamp int64) {
	if s.found.First < 0 {
		s.found.First, s.found.Timestamp = offset, timestamp
	}
}
