package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/ottla/ottla/internal/kafka"
)

// What is wrong with bytes that cannot be read. Errors wrap one of these and name the record.
var (
	// ErrShort says that the bytes end before the record does.
	ErrShort = errors.New("the bytes end too early")
	// ErrMalformed says that a length, count or tag is impossible, or that null stands where it may not.
	ErrMalformed = errors.New("malformed")
	// ErrTrailing says that there are bytes after the record.
	ErrTrailing = errors.New("bytes left over")
	// ErrVersion says that the version is not one of the record's.
	ErrVersion = errors.New("unknown version")
	// ErrUnknownRecord says that there is no record type of that key.
	ErrUnknownRecord = errors.New("unknown record type")
)

// Record is what all generated records have in common.
type Record interface {
	// Versions returns the first and the last version that there is.
	Versions() (first, last int16)
	// AppendTo appends the body in version v, which must be one of Versions.
	AppendTo(b []byte, v int16) []byte
	// ReadFrom replaces the record by what src holds.
	ReadFrom(src []byte, v int16) error
	// AppendJSON appends the body of version v as Kafka's tools print it.
	AppendJSON(b []byte, v int16) []byte
}

const (
	// maxElements is the longest array that is read; Kafka's reader has the same limit.
	maxElements = 1_000_000
	// firstElements bounds what is allocated for an array before its elements are seen.
	firstElements = 1024
	// maxTags bounds a tagged section.
	maxTags = 1024
)

func versionError(name string, v int16) error {
	return fmt.Errorf("%s version %d: %w", name, v, ErrVersion)
}

// reader reads forward with a sticky error: after the first mistake every value is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// end returns the reader's error, or ErrTrailing when bytes are left.
func (r *reader) end(name string) error {
	if r.err == nil && len(r.b) > 0 {
		r.err = ErrTrailing
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", name, r.err)
	}
	return nil
}

// zeros is what fixed-size reads see after an error.
var zeros [16]byte

// take returns the next n ≤ 16 bytes; zeros after an error.
func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.fail(ErrShort)
		return zeros[:n]
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) bool() bool       { return r.take(1)[0] != 0 }
func (r *reader) int8() int8       { return int8(r.take(1)[0]) }
func (r *reader) int16() int16     { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) uint16() uint16   { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) int32() int32     { return int32(binary.BigEndian.Uint32(r.take(4))) }
func (r *reader) uint32() uint32   { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) int64() int64     { return int64(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) float64() float64 { return math.Float64frombits(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) uuid() kafka.UUID { return kafka.UUID(r.take(16)) }

// uvarint reads an unsigned varint of at most 32 bits, as all of Kafka's are.
func (r *reader) uvarint() uint64 {
	u, n := binary.Uvarint(r.b)
	switch {
	case n == 0:
		r.fail(ErrShort)
		return 0
	case n < 0 || n > binary.MaxVarintLen32 || u > math.MaxUint32:
		r.fail(fmt.Errorf("%w: a varint of more than 32 bits", ErrMalformed))
		return 0
	}
	r.b = r.b[n:]
	return u
}

// length reads a count or length in the version's own way: -1 for null. It is not yet compared with the bytes left.
func (r *reader) length(null, flex, short bool) int {
	var n int64
	switch {
	case flex:
		n = int64(r.uvarint()) - 1
	case short:
		n = int64(r.int16())
	default:
		n = int64(r.int32())
	}
	if r.err == nil && (n < -1 || n == -1 && !null) {
		r.fail(fmt.Errorf("%w: length %d", ErrMalformed, n))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// payload returns the next n bytes without a copy.
func (r *reader) payload(n int) []byte {
	if n > len(r.b) {
		r.fail(ErrShort)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) string(flex bool) string {
	n := r.length(false, flex, true)
	if n > math.MaxInt16 {
		r.fail(fmt.Errorf("%w: a string of %d bytes", ErrMalformed, n))
		return ""
	}
	return string(r.payload(n))
}

func (r *reader) nullableString(null, flex bool) *string {
	n := r.length(null, flex, true)
	if n < 0 || r.err != nil {
		return nil
	}
	if n > math.MaxInt16 {
		r.fail(fmt.Errorf("%w: a string of %d bytes", ErrMalformed, n))
		return nil
	}
	s := string(r.payload(n))
	return &s
}

// bytes returns a copy; nil for null, and nil for nothing where null is not allowed.
func (r *reader) bytes(null, flex bool) []byte {
	n := r.length(null, flex, false)
	if n < 0 || n == 0 && !null {
		return nil
	}
	return append([]byte{}, r.payload(n)...)
}

// count reads an array's count and compares it with the bytes left, of which an element takes at least least.
func (r *reader) count(least int, null, flex bool) int {
	n := r.length(null, flex, false)
	if n > maxElements || n > len(r.b)/least {
		r.fail(fmt.Errorf("%w: an array of %d elements in %d bytes", ErrMalformed, n, len(r.b)))
		return 0
	}
	return n
}

func readArray[T any](r *reader, least int, null, flex bool, one func(*reader) T) []T {
	n := r.count(least, null, flex)
	if n < 0 || n == 0 && !null {
		return nil
	}
	out := make([]T, 0, min(n, firstElements))
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, one(r))
	}
	return out
}

func readStructs[T any](r *reader, least int, null, flex bool, v int16, one func(*T, *reader, int16)) []T {
	return readArray(r, least, null, flex, func(r *reader) (x T) {
		one(&x, r, v)
		return x
	})
}

// tags reads a tagged section. known decodes the tags that this version has; the others are skipped.
func (r *reader) tags(known func(r *reader, tag uint64) bool) {
	n := r.uvarint()
	if n > maxTags {
		r.fail(fmt.Errorf("%w: %d tagged fields", ErrMalformed, n))
	}
	last := int64(-1)
	for ; n > 0 && r.err == nil; n-- {
		tag := r.uvarint()
		sub := reader{b: r.payload(int(r.uvarint()))}
		switch {
		case r.err != nil:
		case int64(tag) <= last:
			r.fail(fmt.Errorf("%w: tag %d after tag %d", ErrMalformed, tag, last))
		case known != nil && known(&sub, tag) && (sub.err != nil || len(sub.b) > 0):
			r.fail(fmt.Errorf("%w: the size of tag %d is wrong", ErrMalformed, tag))
		}
		last = int64(tag)
	}
}
