package inspect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sort"
	"strings"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// table is an index that was read whole: entries of one width.
type table struct {
	b     []byte
	width int
	base  int64
	size  int64
}

// mostIndex bounds the index that is read.
const mostIndex = 1 << 30

func readTable(folder fs.FS, name string, width int) (*table, error) {
	base, err := baseOf(name)
	if err != nil {
		return nil, err
	}
	r, size, closeFile, err := openAt(folder, name)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	if size > mostIndex {
		return nil, fmt.Errorf("%s has %d bytes, which no index has: %w", name, size, ErrDamaged)
	}
	t := &table{width: width, base: base, size: size}
	t.b, err = io.ReadAll(io.NewSectionReader(r, 0, size/int64(width)*int64(width)))
	return t, err
}

func (t *table) len() int { return len(t.b) / t.width }

func (t *table) entry(i int) []byte { return t.b[i*t.width : (i+1)*t.width] }

// check wants the shape that a start of the server wants.
func (t *table) check(shown string, lastOffset int64) error {
	switch {
	case t.len() > 0 && lastOffset < t.base:
		return fmt.Errorf("Corrupt index found, index file (%s) has non-zero size but the last offset is %d which is less than the base offset %d", shown, lastOffset, t.base)
	case t.size%int64(t.width) != 0:
		return fmt.Errorf("Index file %s is corrupt, found %d bytes which is neither positive nor a multiple of %d.", shown, t.size, t.width)
	}
	return nil
}

// position is an entry of an offset index.
func (t *table) position(i int) (offset, position int64) {
	e := t.entry(i)
	return t.base + int64(binary.BigEndian.Uint32(e)), int64(int32(binary.BigEndian.Uint32(e[4:])))
}

// time is an entry of a time index.
func (t *table) time(i int) (timestamp, offset int64) {
	e := t.entry(i)
	return int64(binary.BigEndian.Uint64(e)), t.base + int64(binary.BigEndian.Uint32(e[8:]))
}

// checkTimes is check for a time index.
func (t *table) checkTimes(shown string) error {
	if t.len() == 0 {
		return t.check(shown, t.base)
	}
	first, _ := t.time(0)
	last, offset := t.time(t.len() - 1)
	if last < first {
		return fmt.Errorf("Corrupt time index found, time index file (%s) has non-zero size but the last timestamp is %d which is less than the first timestamp %d", shown, last, first)
	}
	return t.check(shown, offset)
}

// batchFrom finds, from a position on, the first batch that ends at an offset or behind it.
func batchFrom(folder fs.FS, name string, position, offset int64) (last, maxTime int64, found bool, err error) {
	r, size, closeFile, err := openAt(folder, name)
	if err != nil {
		return 0, 0, false, err
	}
	defer closeFile()
	var w record.Walker
	defer w.Close()
	stop := errors.New("found")
	_, err = scanUntil(io.NewSectionReader(r, position, size-position), size-position, func(b record.Batch) error {
		if int64(b.LastOffset()) < offset {
			return nil
		}
		last, found, maxTime = int64(b.LastOffset()), true, -1
		w.Reset(b, unpackLimit)
		for w.Next() {
			maxTime = max(maxTime, w.Record.Timestamp)
		}
		return stop
	})
	if errors.Is(err, stop) || errors.Is(err, record.ErrShort) {
		err = nil
	}
	return last, maxTime, found, err
}

// scanUntil is scan for a visit that may end it.
func scanUntil(r io.ReaderAt, size int64, visit func(record.Batch) error) (int64, error) {
	var head [record.HeaderSize]byte
	for at := int64(0); at < size; {
		n, err := r.ReadAt(head[:min(int64(len(head)), size-at)], at)
		if n == 0 {
			return at, err
		}
		length, err := record.SizeAt(head[:n])
		if err != nil {
			return at, err
		}
		var verr error
		end, err := scan(io.NewSectionReader(r, at, size-at), min(int64(length), size-at), func(_ int64, b record.Batch) { verr = visit(b) })
		if verr != nil || err != nil {
			return at, errors.Join(verr, err)
		}
		at += end
	}
	return size, nil
}

func (a *Apache) offsetIndex(folder fs.FS, name, shown string) error {
	t, err := readTable(folder, name, offsetEntry)
	if err != nil {
		return err
	}
	log, _, _ := strings.Cut(name, ".")
	if _, err := fs.Stat(folder, log+".log"); err != nil {
		return err
	}
	if t.len() == 0 {
		fmt.Fprintf(a.Out, "%s is empty.\n", shown)
		return nil
	}
	if a.SanityOnly {
		last, _ := t.position(t.len() - 1)
		if err := t.check(shown, last); err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "%s passed sanity check.\n", shown)
		return nil
	}
	for i := range t.len() {
		offset, position := t.position(i)
		if offset == t.base && i > 0 {
			return nil // what follows was never written
		}
		last, _, found, err := batchFrom(folder, log+".log", position, math.MinInt64)
		switch {
		case err != nil:
			return err
		case !found:
			return fmt.Errorf("%s names position %d, where the log has no batch: %w", shown, position, ErrDamaged)
		case last != offset:
			a.note("Mismatches in :%s\n  Index offset: %d, log offset: %d", shown, offset, last)
		}
		if !a.VerifyOnly {
			fmt.Fprintf(a.Out, "offset: %d position: %d\n", offset, position)
		}
	}
	return nil
}

func (a *Apache) timeIndex(folder fs.FS, name, shown string) error {
	t, err := readTable(folder, name, timeEntry)
	if err != nil {
		return err
	}
	stem, _, _ := strings.Cut(name, ".")
	offsets, err := readTable(folder, stem+".index", offsetEntry)
	if err != nil {
		return err
	}
	if a.SanityOnly {
		if err := t.checkTimes(shown); err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "%s passed sanity check.\n", shown)
		return nil
	}
	before := int64(-1)
	for i := range t.len() {
		timestamp, offset := t.time(i)
		if offset == t.base && i > 0 {
			return nil // what follows was never written
		}
		if err := a.timeEntry(folder, stem+".log", shown, offsets, timestamp, offset, before); err != nil {
			return err
		}
		if !a.VerifyOnly {
			fmt.Fprintf(a.Out, "timestamp: %d offset: %d\n", timestamp, offset)
		}
		before = timestamp
	}
	return nil
}

// timeEntry compares an entry of a time index with the log.
func (a *Apache) timeEntry(folder fs.FS, log, shown string, offsets *table, timestamp, offset, before int64) error {
	last, maxTime, found, err := batchFrom(folder, log, offsets.lookup(offset), offset)
	switch {
	case err != nil:
		return err
	case !found:
		a.note("The following indexed offsets are not found in :%s\n  Indexed offset: %d, found log offset: -1", shown, offset)
	case last != offset:
		a.note("The following indexed offsets are not found in :%s\n  Indexed offset: %d, found log offset: %d", shown, offset, last)
	case maxTime != timestamp:
		a.note("Found timestamp mismatch in :%s\n  Index timestamp: %d, log timestamp: %d", shown, timestamp, maxTime)
	case before >= timestamp:
		a.note("Found out of order timestamp in :%s\n  Index timestamp: %d, Previously indexed timestamp: %d", shown, timestamp, before)
	}
	return nil
}

// lookup is the position of the last entry at or before an offset, 0 for none.
func (t *table) lookup(offset int64) int64 {
	written := t.len()
	for i := 1; i < t.len(); i++ {
		if o, _ := t.position(i); o == t.base {
			written = i
			break
		}
	}
	i := sort.Search(written, func(i int) bool { o, _ := t.position(i); return o > offset })
	if i == 0 {
		return 0
	}
	_, position := t.position(i - 1)
	return position
}

func (a *Apache) producers(folder fs.FS, name, _ string) error {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return err
	}
	var s schema.ProducerSnapshot
	if len(b) < 2 || s.ReadFrom(b[2:], int16(binary.BigEndian.Uint16(b))) != nil {
		a.complain("Snapshot %s is corrupt", name)
		return nil
	}
	for _, p := range s.ProducerEntries {
		fmt.Fprintf(a.Out, "producerId: %d producerEpoch: %d coordinatorEpoch: %d currentTxnFirstOffset: %s lastTimestamp: %d",
			p.ProducerID, p.Epoch, p.CoordinatorEpoch, optionalLong(p.CurrentTxnFirstOffset, p.CurrentTxnFirstOffset >= 0), p.Timestamp)
		if p.LastOffset >= 0 {
			first := int32((int64(p.LastSequence) - int64(p.OffsetDelta)) & math.MaxInt32)
			fmt.Fprintf(a.Out, " firstSequence: %d lastSequence: %d lastOffset: %d offsetDelta: %d timestamp: %d",
				first, p.LastSequence, p.LastOffset, p.OffsetDelta, p.Timestamp)
		}
		fmt.Fprintln(a.Out)
	}
	return nil
}

func (a *Apache) transactions(folder fs.FS, name, _ string) error {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return err
	}
	for ; len(b) >= txnEntry; b = b[txnEntry:] {
		n := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[i:])) }
		fmt.Fprintf(a.Out, "version: %d producerId: %d firstOffset: %d lastOffset: %d lastStableOffset: %d\n",
			int16(binary.BigEndian.Uint16(b)), n(2), n(10), n(18), n(26))
	}
	return nil
}
