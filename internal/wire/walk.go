package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	// maxElements is the longest array that a request may have; Kafka's own limit.
	maxElements = 1_000_000
	// maxTags bounds the tagged fields of one structure.
	maxTags = 1024
)

// walker goes through a body by its layout. The error is sticky; after it everything reads as nothing.
type walker struct {
	b        []byte
	at       int
	version  int16
	flexible bool
	unknown  bool // a tagged field was seen that the layout does not have
	err      error
}

func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	w.at = len(w.b)
}

func (w *walker) left() int { return len(w.b) - w.at }

// skip moves over n ≥ 0 bytes and returns them; nil when there are fewer.
func (w *walker) skip(n int) []byte {
	if n > w.left() {
		w.fail("want %d bytes, %d are left", n, w.left())
		return nil
	}
	b := w.b[w.at : w.at+n : w.at+n]
	w.at += n
	return b
}

func (w *walker) int8() int8 {
	if b := w.skip(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (w *walker) int16() int16 {
	if b := w.skip(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (w *walker) int32() int32 {
	if b := w.skip(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (w *walker) int64() int64 {
	if b := w.skip(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (w *walker) uuid() (id [16]byte) {
	copy(id[:], w.skip(16))
	return id
}

// uvarint reads an unsigned varint of at most 32 bits.
func (w *walker) uvarint() uint32 {
	u, n := binary.Uvarint(w.b[w.at:])
	if n <= 0 || n > binary.MaxVarintLen32 || u > math.MaxUint32 {
		w.fail("a varint that does not end or is too large")
		return 0
	}
	w.at += n
	return uint32(u)
}

// length reads the length of a string (short) or of anything else; -1 is null. It is not compared with what is left.
func (w *walker) length(null, short bool) int {
	var n int64
	switch {
	case w.flexible:
		n = int64(w.uvarint()) - 1
	case short:
		n = int64(w.int16())
	default:
		n = int64(w.int32())
	}
	switch {
	case w.err != nil:
		return 0
	case n < -1:
		w.fail("negative length %d", n)
		return 0
	case n < 0 && !null:
		w.fail("null where it is not allowed")
		return 0
	}
	return int(n)
}

// str reads a string; nil is null.
func (w *walker) str(null bool) []byte {
	n := w.length(null, true)
	switch {
	case n < 0 || w.err != nil:
		return nil
	case n > math.MaxInt16:
		w.fail("a string of %d bytes", n)
		return nil
	}
	return w.skip(n)
}

// bytes reads bytes or records; nil is null.
func (w *walker) bytes(null bool) []byte {
	n := w.length(null, false)
	if n < 0 || w.err != nil {
		return nil
	}
	return w.skip(n)
}

// count reads the count of an array whose elements take least bytes or more; -1 is null.
func (w *walker) count(null bool, least int) int {
	n := w.length(null, false)
	switch {
	case n > maxElements:
		w.fail("an array of %d elements", n)
		return 0
	case n > 0 && n > w.left()/least:
		w.fail("an array of %d elements in %d bytes", n, w.left())
		return 0
	}
	return n
}

// fields walks the fields of a structure and its tagged section.
func (w *walker) fields(fs []field) {
	for i := range fs {
		f := &fs[i]
		if f.tagged {
			break
		}
		if f.in.has(w.version) {
			w.field(f)
		}
		if w.err != nil {
			return
		}
	}
	if w.flexible {
		w.tags(fs)
	}
}

// field walks one field that is in the version.
func (w *walker) field(f *field) {
	null := f.null.has(w.version)
	switch f.kind {
	case text:
		w.str(null)
	case blob:
		w.bytes(null)
	case structure:
		if null {
			if p := w.int8(); p < 0 || w.err != nil {
				return
			}
		}
		w.fields(f.fields)
	case array:
		w.elements(f, w.count(null, int(f.least)))
	default:
		w.skip(f.kind.size())
	}
	if w.err != nil {
		w.err = fieldError(f.name, w.err)
	}
}

func (w *walker) elements(f *field, n int) {
	switch f.elem {
	case structure:
		for ; n > 0 && w.err == nil; n-- {
			w.fields(f.fields)
		}
	case text:
		for ; n > 0 && w.err == nil; n-- {
			w.str(false)
		}
	case blob:
		for ; n > 0 && w.err == nil; n-- {
			w.bytes(false)
		}
	default:
		if n > 0 {
			w.skip(n * f.elem.size())
		}
	}
}

// tags walks a tagged section: tags ascend, a known field fills its size exactly, unknown fields are noted.
func (w *walker) tags(fs []field) {
	n := w.uvarint()
	if n > maxTags {
		w.fail("%d tagged fields", n)
	}
	last := int64(-1)
	for ; n > 0 && w.err == nil; n-- {
		tag, size := w.uvarint(), w.uvarint()
		if int64(tag) <= last {
			w.fail("tag %d after tag %d", tag, last)
		}
		last = int64(tag)
		if w.err != nil {
			return
		}
		f := w.tagged(fs, tag)
		if int64(size) > int64(w.left()) {
			w.fail("tag %d of %d bytes, %d are left", tag, size, w.left())
			return
		}
		end := w.at + int(size)
		if f == nil {
			w.unknown = true
			w.at = end
			continue
		}
		w.within(end, f)
	}
}

// within walks a tagged field that must end at end.
func (w *walker) within(end int, f *field) {
	whole := w.b
	w.b = whole[:end]
	w.field(f)
	w.b = whole
	if w.err == nil && w.at != end {
		w.fail("%s is shorter than its tag says", f.name)
	}
}

// tagged finds the field of a tag in this version.
func (w *walker) tagged(fs []field, tag uint32) *field {
	for i := len(fs) - 1; i >= 0 && fs[i].tagged; i-- {
		if uint32(fs[i].tag) == tag && fs[i].in.has(w.version) {
			return &fs[i]
		}
	}
	return nil
}
