package inspect

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"sort"
	"strings"

	"github.com/ottla/ottla/internal/record"
)

// Sizes of an entry in the indexes, in bytes.
const (
	offsetEntry = 8  // relative offset, position
	timeEntry   = 12 // timestamp, relative offset
	txnEntry    = 34 // version, producer id, first, last and last stable offset
)

// indexStem returns the name of a segment without the suffix of its index.
func indexStem(name string) (string, bool) {
	for _, suffix := range []string{".index", ".timeindex"} {
		if stem, ok := strings.CutSuffix(name, suffix); ok {
			return stem, true
		}
	}
	return "", false
}

func isIndex(name string) bool {
	_, sparse := indexStem(name)
	return sparse || strings.HasSuffix(name, ".txnindex")
}

// outline is what an index can be checked against: where the batches of a log lie. 32 bytes for each.
type outline struct{ batches []outlined }

type outlined struct {
	position, base, last int64
	maxTime              int64 // of this batch and all before it
}

// outlineOf reads the log beside an index; nil where it is not there. A log that ends in damage is outlined up to it.
func outlineOf(folder fs.FS, name string) (*outline, error) {
	r, size, closeFile, err := openAt(folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFile()
	o := &outline{}
	maxTime := int64(math.MinInt64)
	// The error is of the log, whose own dump tells it.
	_, _ = scan(r, size, func(position int64, b record.Batch) {
		maxTime = max(maxTime, b.MaxTimestamp())
		o.batches = append(o.batches, outlined{position, int64(b.BaseOffset()), int64(b.LastOffset()), maxTime})
	})
	return o, nil
}

// at returns the batch that begins at position.
func (o *outline) at(position int64) (outlined, bool) {
	i := sort.Search(len(o.batches), func(i int) bool { return o.batches[i].position >= position })
	if i == len(o.batches) || o.batches[i].position != position {
		return outlined{}, false
	}
	return o.batches[i], true
}

// holding returns the first batch whose last offset is offset or more.
func (o *outline) holding(offset int64) (outlined, bool) {
	i := sort.Search(len(o.batches), func(i int) bool { return o.batches[i].last >= offset })
	if i == len(o.batches) {
		return outlined{}, false
	}
	return o.batches[i], true
}

// fixed visits the entries of an index. Of one that Kafka makes longer than it is while its segment is active, a tail of zeros is none.
func (f *reading) fixed(width int64, preallocated bool, visit func(position int64, e []byte)) error {
	chunk := make([]byte, width*1024)
	for at := int64(0); at < f.size; {
		n, err := f.r.ReadAt(chunk[:min(int64(len(chunk)), f.size-at)], at)
		if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
			return err
		}
		for b := chunk[:n]; len(b) > 0; {
			if int64(len(b)) < width {
				f.damaged(at, "%d bytes are left over: an entry has %d", len(b), width)
				return f.err
			}
			if preallocated && (f.entries > 0 || f.size > width) && isZero(b[:width]) {
				zeros, err := zeroFrom(f.r, at, f.size)
				if err != nil {
					return err
				}
				if zeros {
					if !f.o.Verify {
						f.unused(at)
					}
					return f.err
				}
			}
			visit(at, b[:width])
			f.entries++
			b, at = b[width:], at+width
		}
	}
	return f.err
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// offsetIndex prints an .index: for an offset, the position of a batch at or before it.
func (f *reading) offsetIndex() error {
	lastOffset, lastPosition := int64(-1), int64(-1)
	return f.fixed(offsetEntry, true, func(at int64, e []byte) {
		offset := f.base + int64(int32(binary.BigEndian.Uint32(e)))
		position := int64(int32(binary.BigEndian.Uint32(e[4:])))
		if !f.o.Verify {
			f.put(entry("index").int("offset", offset).int("position", position))
		}
		if offset <= lastOffset && f.entries > 0 || position <= lastPosition && f.entries > 0 {
			f.damaged(at, "offset %d at position %d comes after offset %d at %d", offset, position, lastOffset, lastPosition)
		}
		lastOffset, lastPosition = offset, position
		if f.beside == nil {
			return
		}
		switch b, ok := f.beside.at(position); {
		case !ok:
			f.damaged(at, "offset %d at position %d, where no batch begins", offset, position)
		case b.base > offset:
			f.damaged(at, "offset %d at position %d, where the batch begins with offset %d", offset, position, b.base)
		}
	})
}

// timeIndex prints a .timeindex: up to an offset, no record is later than the timestamp.
func (f *reading) timeIndex() error {
	lastTime, lastOffset := int64(-1), f.base-1
	return f.fixed(timeEntry, true, func(at int64, e []byte) {
		timestamp := int64(binary.BigEndian.Uint64(e))
		offset := f.base + int64(int32(binary.BigEndian.Uint32(e[8:])))
		if !f.o.Verify {
			f.put(entry("timeindex").int("timestamp", timestamp).int("offset", offset))
		}
		if timestamp <= lastTime || offset < lastOffset {
			f.damaged(at, "timestamp %d of offset %d comes after %d of %d", timestamp, offset, lastTime, lastOffset)
		}
		lastTime, lastOffset = timestamp, offset
		if f.beside == nil || len(f.beside.batches) == 0 {
			return
		}
		if b, ok := f.beside.holding(offset); ok && b.maxTime > timestamp && timestamp >= 0 {
			f.damaged(at, "timestamp %d up to offset %d, where the log has %d: a search by time would pass records over", timestamp, offset, b.maxTime)
		}
	})
}

// txnIndex prints a .txnindex: the aborted transactions of a segment.
func (f *reading) txnIndex() error {
	last := f.base - 1
	return f.fixed(txnEntry, false, func(at int64, e []byte) {
		n := func(i int) int64 { return int64(binary.BigEndian.Uint64(e[i:])) }
		if version := int16(binary.BigEndian.Uint16(e)); version != 0 {
			f.damaged(at, "entry of version %d, want 0", version)
		}
		if !f.o.Verify {
			f.put(entry("aborted").int("producerID", n(2)).int("firstOffset", n(10)).int("lastOffset", n(18)).int("lastStableOffset", n(26)))
		}
		if n(10) < 0 || n(10) >= n(18) {
			f.damaged(at, "aborted transaction from offset %d to %d", n(10), n(18))
		}
		if n(18) <= last {
			f.damaged(at, "aborted transaction ends at offset %d, after one at %d or before the segment", n(18), last)
		}
		last = n(18)
	})
}
