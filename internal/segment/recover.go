package segment

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Recovery is what Recover found.
type Recovery struct {
	Size    int64        // of the file
	Scanned int64        // bytes whose CRC was checked
	End     int64        // size of the valid beginning of the file
	Next    kafka.Offset // offset after it
	Stop    error        // why it ends before the file; nil if it does not
}

// Visitor takes in what Recover scans.
type Visitor struct {
	// Batch sees each good batch in order, b being all of its bytes, or only the header's of a data batch that is taken by it; they do
	// not outlive the call. Its error ends the scan there.
	Batch func(h Header, b []byte) error
	// Bad is asked about a batch of good framing and order that is not what was written; true skips it.
	Bad func(h Header, err error) bool
}

// Recover checks the batches of the file from the one that holds offset from on, makes the index from there on anew, and finds the end of the valid
// beginning, which becomes the segment's end. It cuts nothing off: Cut does; called again, it looks at all of the file again. Interval is index.interval.bytes. Batches that end at or below position
// trusted are taken by their headers, without a look at their CRC; 0 takes none so.
func (s *Segment) Recover(from kafka.Offset, interval int, trusted int64, v Visitor) (Recovery, error) {
	h, err := s.Acquire()
	if err != nil {
		return Recovery{}, err
	}
	defer h.Release()
	size, err := h.file.Size()
	if err != nil {
		return Recovery{}, err
	}
	start, x := s.recoveryStart(h, from, size)
	old, err := s.loadAborts()
	if err != nil { // one that can't be read is as good as none: then all batches have to be scanned
		old = nil
		start, x = s.recoveryBegin()
	}
	s.resetAborts(old, start.Base)
	r := &recovery{s: s, size: size, trusted: trusted, v: v, headers: newWalker(h.file, size), scan: newScan(h.file, size)}
	defer r.headers.close()
	r.found = Recovery{Size: size, End: start.Position, Next: start.Base}
	top, _ := x.times.last()
	if x.times.n.Load() == 0 {
		top.Timestamp = kafka.NoTimestamp
	}
	r.build = builder{x: x, base: s.base, interval: int64(interval), maxTime: top.Timestamp, maxTimeLast: int64(top.Relative)}
	if last, ok := x.offsets.last(); ok {
		r.build.since = start.Position - int64(last.Position)
	} else {
		r.build.since = start.Position
	}
	if err := r.run(); err != nil {
		return Recovery{}, err
	}
	s.index.Store(x)
	x.offer()
	s.maxTimeLast.Store(r.build.maxTimeLast)
	s.maxTime.Store(r.build.maxTime)
	s.sinceIndex = r.build.since
	s.end.Store(pack(r.found.Next-s.base, r.found.End))
	return r.found, nil
}

// recoveryStart returns where to start, as a header without a size, and the index of what lies before. The index on the disk counts only
// if batches are where it says; else the headers from the beginning on make one.
func (s *Segment) recoveryStart(h *Handle, from kafka.Offset, size int64) (Header, *index) {
	if from > s.base && size > 0 {
		for _, load := range []func() (*index, error){s.readIndex, s.rebuildIndex} {
			x, err := load()
			if x == nil || errors.Is(err, ErrIndex) || !s.agrees(h, x, size) {
				continue
			}
			if start, ok := h.skipTo(from, x.lookup(int64(from-s.base)), size); ok {
				return start, x.clipped(int64(start.Base - s.base))
			}
		}
	}
	return s.recoveryBegin()
}

func (s *Segment) recoveryBegin() (Header, *index) {
	x := newIndex(s)
	x.savedOffsets.Store(-1)
	x.savedTimes.Store(-1)
	return Header{Base: s.base}, x
}

// skipTo walks from position to the batch that holds offset from, or to where the batches end before it, and reports whether there is any
// batch at position.
func (h *Handle) skipTo(from kafka.Offset, position, size int64) (Header, bool) {
	w := newWalker(h.file, size)
	defer w.close()
	start := Header{Position: position, Base: h.seg.base}
	for start.Position < size {
		b, err := w.header(start.Position)
		if err != nil || b.Base < start.Base {
			return start, start.Position > position
		}
		if b.Last >= from {
			start.Base = max(start.Base, min(b.Base, from))
			return start, true
		}
		start.Base = b.Last + 1
		start.Position += b.Size
	}
	return start, true
}

// agrees reports whether the last entry of the index points at a batch of its offset.
func (s *Segment) agrees(h *Handle, x *index, size int64) bool {
	last, ok := x.offsets.last()
	if !ok {
		return true
	}
	w := newWalker(h.file, size)
	defer w.close()
	b, err := w.header(int64(last.Position))
	return err == nil && b.Base <= s.base+kafka.Offset(last.Relative)
}

type recovery struct {
	s       *Segment
	size    int64
	trusted int64
	v       Visitor
	headers walker // where batches are trusted
	scan    scan   // where they are not
	build   builder
	found   Recovery
}

func (r *recovery) run() error {
	next := r.found.Next
	for position := r.found.End; position < r.size; {
		h, b, bad, err := r.batch(position)
		if err == nil {
			err = r.order(h, next)
		}
		if err != nil {
			return r.stop(err)
		}
		switch {
		case bad == nil:
			if err := r.v.Batch(h, b); err != nil {
				return r.stop(err)
			}
			r.build.add(h)
		case r.v.Bad == nil || !r.v.Bad(h, bad):
			return r.stop(bad)
		}
		next = h.Last + 1
		position += h.Size
		r.found.End, r.found.Next = position, next
	}
	return nil
}

// batch reads the batch at position: its header if it is trusted and has data; else all of it, and bad says what is wrong with it.
func (r *recovery) batch(position int64) (h Header, b []byte, bad, err error) {
	if position < r.trusted {
		h, b, err = r.headers.batch(position)
		if err != nil || position+h.Size <= r.trusted && !isControl(b) {
			return h, b, nil, err
		}
	}
	if h, b, err = r.scan.batch(position); err != nil {
		return h, b, nil, err
	}
	r.found.Scanned += h.Size
	return h, b, checkCRC(b, position), nil
}

// isControl reports whether the records of the batch with header b matter to whoever replays it.
func isControl(b []byte) bool { return b[16] == record.Magic && record.Batch(b).IsControl() }

// stop notes why the scan ends, if it is the bytes' fault.
func (r *recovery) stop(err error) error {
	if errors.Is(err, ErrTorn) || errors.Is(err, ErrCorrupt) {
		r.found.Stop = err
		return nil
	}
	return err
}

func (r *recovery) order(h Header, next kafka.Offset) error {
	if h.Base < next || h.Last-r.s.base > maxRelative {
		return corruptOrder(h, next)
	}
	return nil
}

func corruptOrder(h Header, next kafka.Offset) error {
	return fmt.Errorf("%w: at %d: offsets %d to %d where %d is next", ErrCorrupt, h.Position, h.Base, h.Last, next)
}

// scanWindow is how much a scan reads at once, in bytes.
const scanWindow = 256 << 10

// scan reads whole batches one after another.
type scan struct {
	file vfs.File
	size int64
	buf  []byte
	at   int64
	n    int
}

func newScan(file vfs.File, size int64) scan {
	return scan{file: file, size: size, buf: make([]byte, min(size, scanWindow))}
}

// fill makes need bytes from position on readable; there are so many.
func (c *scan) fill(position, need int64) error {
	if position >= c.at && position+need <= c.at+int64(c.n) {
		return nil
	}
	if int64(len(c.buf)) < need {
		c.buf = make([]byte, need)
	}
	n, err := readFull(c.file, c.buf[:min(int64(len(c.buf)), c.size-position)], position)
	if err != nil {
		return err
	}
	c.at, c.n = position, n
	return nil
}

func (c *scan) batch(position int64) (Header, []byte, error) {
	if err := c.fill(position, min(c.size-position, window)); err != nil {
		return Header{}, nil, err
	}
	h, err := parseHeader(c.buf[position-c.at:c.n], position, c.size)
	if err != nil {
		return Header{}, nil, err
	}
	if err := c.fill(position, h.Size); err != nil {
		return Header{}, nil, err
	}
	return h, c.buf[position-c.at:][:h.Size], nil
}

// Cut truncates the file to the segment's end, after Recover.
func (s *Segment) Cut() error {
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	return h.file.Truncate(s.Size())
}

// Batches visits the batches that begin below end, from the one that holds offset from on. It uses no index and checks no CRC. Of b there is all of a
// control batch and the header of another, and it does not outlive the call.
func (s *Segment) Batches(from, end kafka.Offset, visit func(h Header, b []byte)) error {
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	size := s.Size()
	start, _ := h.skipTo(from, 0, size)
	r := &recovery{s: s, size: size, trusted: size, headers: newWalker(h.file, size), scan: newScan(h.file, size)}
	defer r.headers.close()
	for position := start.Position; position < size; {
		batch, b, _, err := r.batch(position)
		if err != nil || batch.Base >= end {
			return err
		}
		visit(batch, b)
		position += batch.Size
	}
	return nil
}

// Recent visits the headers of the last batches of a segment whose index can be trusted: from the last but n entry of that on.
func (s *Segment) Recent(n int64, visit func(b []byte)) error {
	position, err := s.recent(n)
	if err != nil {
		return err
	}
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	size := s.Size()
	w := newWalker(h.file, size)
	defer w.close()
	for position < size {
		batch, b, err := w.batch(position)
		if err != nil {
			return err
		}
		visit(b)
		position += batch.Size
	}
	return nil
}

// Walk visits the headers of all batches.
func (s *Segment) Walk(visit func(Header)) error {
	h, err := s.Acquire()
	if err != nil {
		return err
	}
	defer h.Release()
	_, _, err = h.find(0, s.Size(), func(b Header) bool {
		visit(b)
		return false
	})
	return err
}

// WalkFile visits the headers of the batches of a data file that is not, or not yet, a segment. The error wraps ErrTorn or ErrCorrupt if they do not end with it.
func WalkFile(f vfs.FS, name string, visit func(Header)) error {
	file, err := f.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return err
	}
	w := newWalker(file, size)
	defer w.close()
	for position := int64(0); position < size; {
		h, err := w.header(position)
		if err != nil {
			return err
		}
		visit(h)
		position += h.Size
	}
	return nil
}
