package record

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"sync"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Record is one record as a Walker sees it. Key, Value and RawHeaders lie in the walker's memory or in the batch, and are good until
// the walker's next step.
type Record struct {
	OffsetDelta int32  // from the batch's base offset
	Timestamp   int64  // ms since 1970; the batch's max timestamp under LogAppendTime
	Key, Value  []byte // nil is null
	KeySize     int    // -1 is null
	ValueSize   int    // -1 is null
	Size        int    // in bytes, length prefix included
	HeaderCount int32
	RawHeaders  []byte // Headers walks them
}

// Headers visits the record's headers. A header's memory is the record's.
func (r *Record) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		b := r.RawHeaders
		for range r.HeaderCount {
			var key, value []byte
			key, b = cutBytes(b)
			value, b = cutBytes(b)
			if !yield(key, value) {
				return
			}
		}
	}
}

// cutBytes cuts a length-prefixed field that has been checked off b.
func cutBytes(b []byte) (field, rest []byte) {
	size, n := varint(b, maxVarint32)
	b = b[n:]
	if size < 0 {
		return nil, b
	}
	return b[:size:size], b[size:]
}

// Walker visits the records of a batch in order, decompressing on the way. It allocates nothing per record:
//
//	var w record.Walker
//	defer w.Close()
//	w.Reset(batch, limit)
//	for w.Next() {
//		use(&w.Record)
//	}
//	if err := w.Err(); err != nil { … }
type Walker struct {
	// Record is the current one after Next returned true.
	Record Record

	err       error
	base, max int64 // timestamps of the batch
	appended  bool  // all timestamps are max
	left      int32 // records to come
	skim      bool  // keys, values and headers need not be in one piece: Record holds their sizes alone where they are not
	maxRecord int

	win   []byte           // bytes at hand
	src   *compress.Reader // where more come from; nil for an uncompressed batch
	carry *[]byte          // what win lies in after a chunk's end was joined to the next one
	body  int              // bytes of the current record not taken yet, while it is taken piece by piece
}

// Reset starts at the first record of b, whose records decompress to limit bytes at most.
func (w *Walker) Reset(b Batch, limit int) {
	w.ResetOver(b, b.Records())
	if w.err != nil || b.Codec() == compress.None {
		return
	}
	w.win, w.maxRecord = nil, limit
	if w.left > 0 {
		w.src, w.err = compress.NewReader(b.Records(), b.Codec(), limit)
	}
}

// ResetOver is Reset for a batch whose records the caller has decompressed: what the walker shows lies in them, and is good as long as they are.
func (w *Walker) ResetOver(b Batch, records []byte) {
	w.Close()
	*w = Walker{
		base: b.BaseTimestamp(), max: b.MaxTimestamp(), appended: b.TimestampType() == kafka.LogAppendTime,
		left: b.Count(), carry: w.carry, win: records, maxRecord: math.MaxInt32,
	}
	if w.left < 0 {
		w.err = fmt.Errorf("%w: found invalid record count %d in magic v2 batch", ErrCorrupt, w.left)
	}
}

// Err returns what ended the walk early. It wraps ErrCorrupt where the records are not as many or as long as the batch says, or
// compress.ErrCorrupt, compress.ErrTooLarge or compress.ErrUnknownCodec.
func (w *Walker) Err() error { return w.err }

// Close gives pooled memory back. The walker can be Reset again.
func (w *Walker) Close() {
	if w.src != nil {
		w.src.Close()
		w.src = nil
	}
	if w.carry != nil {
		if cap(*w.carry) <= keepCarry {
			carries.Put(w.carry)
		}
		w.carry = nil
	}
	w.win = nil
}

// keepCarry is the largest buffer that goes back to the pool.
const keepCarry = 1 << 20

var carries = sync.Pool{New: func() any { return new([]byte) }}

// Next moves to the next record and reports whether there is one.
func (w *Walker) Next() bool {
	if w.err != nil || w.left == 0 {
		return false
	}
	if err := w.step(); err != nil {
		w.err = err
		return false
	}
	w.left--
	if w.left == 0 && w.more() {
		if w.err == nil {
			w.err = fmt.Errorf("%w: incorrect declared batch size, records still remaining in file", ErrCorrupt)
		}
		return false
	}
	return w.err == nil
}

// more reports whether bytes are left after the last record, and sets err if that can't be told.
func (w *Walker) more() bool {
	if len(w.win) > 0 {
		return true
	}
	if w.src == nil {
		return false
	}
	_, err := w.src.Next()
	if err != nil && err != io.EOF {
		w.err = err
	}
	return err != io.EOF
}

// step reads one record.
func (w *Walker) step() error {
	size, n := varint(w.win, maxVarint32)
	for n == 0 && w.fill(len(w.win)+1) {
		size, n = varint(w.win, maxVarint32)
	}
	switch {
	case w.err != nil:
		return w.err
	case n < 0:
		return errVarint
	case n == 0:
		return errPremature
	case size < 0:
		return fmt.Errorf("%w: invalid record size: %d is negative", ErrCorrupt, size)
	case size > int64(w.maxRecord):
		return fmt.Errorf("%w: invalid record size: %d exceeds the configured maximum record size of %d", ErrCorrupt, size, w.maxRecord)
	}
	w.win = w.win[n:]
	w.Record.Size = n + int(size)
	if int(size) > len(w.win) && (w.skim && w.src != nil || !w.fill(int(size))) {
		if w.err != nil {
			return w.err
		}
		if w.src == nil {
			return fmt.Errorf("%w: invalid record size: expected %d bytes in record payload, but instead the buffer has only %d remaining bytes",
				ErrCorrupt, size, len(w.win))
		}
		return w.skimRecord(int(size))
	}
	body := w.win[:size]
	w.win = w.win[size:]
	if !w.parse(body) {
		return errStructure
	}
	return nil
}

var (
	errVarint    = fmt.Errorf("%w: a record's length is no varint", ErrCorrupt)
	errPremature = fmt.Errorf("%w: incorrect declared batch size, premature EOF reached", ErrCorrupt)
	errStructure = fmt.Errorf("%w: found invalid record structure", ErrCorrupt)
)

// parse reads a record's body, all of it.
func (w *Walker) parse(b []byte) bool {
	r := &w.Record
	i := 1 // the attributes are unused
	var delta, offset, headers int64
	if i < len(b) && b[i] < 0x80 {
		delta, i = unzigzag(uint64(b[i])), i+1
	} else if delta, i = varintAt(b, i, maxVarint64); i < 0 {
		return false
	}
	if i < len(b) && b[i] < 0x80 {
		offset, i = unzigzag(uint64(b[i])), i+1
	} else if offset, i = varintAt(b, i, maxVarint32); i < 0 {
		return false
	}
	r.Timestamp, r.OffsetDelta = w.timestamp(delta), int32(offset)
	if r.Key, r.KeySize, i = field(b, i); i < 0 {
		return false
	}
	if r.Value, r.ValueSize, i = field(b, i); i < 0 {
		return false
	}
	if i < len(b) && b[i] < 0x80 {
		headers, i = unzigzag(uint64(b[i])), i+1
	} else if headers, i = varintAt(b, i, maxVarint32); i < 0 {
		return false
	}
	if headers < 0 || headers > int64(len(b)-i) {
		return false
	}
	r.HeaderCount, r.RawHeaders = int32(headers), b[i:]
	return headersFill(b, i, headers)
}

func (w *Walker) timestamp(delta int64) int64 {
	if w.appended {
		return w.max
	}
	return w.base + delta
}

// field reads the nullable length-prefixed field at b[i:] and returns where it ends; -1 if it does not fit.
func field(b []byte, i int) (f []byte, size, next int) {
	var v int64
	if i < len(b) && b[i] < 0x80 {
		v, i = unzigzag(uint64(b[i])), i+1
	} else if v, i = varintAt(b, i, maxVarint32); i < 0 {
		return nil, 0, -1
	}
	if v < 0 {
		return nil, -1, i
	}
	if v > int64(len(b)-i) {
		return nil, 0, -1
	}
	end := i + int(v)
	return b[i:end:end], int(v), end
}

// headersFill reports whether count headers fill b[i:] exactly.
func headersFill(b []byte, i int, count int64) bool {
	for range count {
		var size int
		if _, size, i = field(b, i); i < 0 || size < 0 {
			return false
		}
		if _, _, i = field(b, i); i < 0 {
			return false
		}
	}
	return i == len(b)
}

// fill joins chunks until win holds n bytes, and reports whether it does. Memory grows with what is really there.
func (w *Walker) fill(n int) bool {
	for len(w.win) < n {
		if w.src == nil {
			return false
		}
		if w.carry == nil {
			w.carry = carries.Get().(*[]byte)
		}
		// The next chunk overwrites the current one, so what is left of that moves first.
		buf := (*w.carry)[:cap(*w.carry)]
		if len(buf) < len(w.win) {
			buf = make([]byte, max(len(w.win), 2*len(buf)))
		}
		buf = buf[:copy(buf, w.win)]
		chunk, err := w.src.Next()
		if err == nil {
			buf = append(buf, chunk...)
		}
		*w.carry, w.win = buf, buf
		if err != nil {
			if !errors.Is(err, io.EOF) {
				w.err = err
			}
			return false
		}
	}
	return true
}
