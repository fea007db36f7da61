package compress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
)

func (r *Reader) openSnappy() {
	if len(r.rest) >= xerialMagic && bytes.Equal(r.rest[:xerialMagic], xerialHeader[:xerialMagic]) {
		r.next = (*Reader).nextXerial
		return
	}
	r.next = (*Reader).nextRawSnappy
}

// nextXerial decompresses one block of snappy-java's framing. A header may stand before any block: streams can be joined.
func (r *Reader) nextXerial() ([]byte, error) {
	for len(r.rest) >= xerialMagic && bytes.Equal(r.rest[:xerialMagic], xerialHeader[:xerialMagic]) {
		if len(r.rest) < len(xerialHeader) {
			return nil, fmt.Errorf("%w: snappy header is cut short", ErrCorrupt)
		}
		r.rest = r.rest[len(xerialHeader):]
	}
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	if len(r.rest) < 4 {
		return nil, fmt.Errorf("%w: snappy block is cut short", ErrCorrupt)
	}
	n := binary.BigEndian.Uint32(r.rest)
	if uint64(n) > uint64(len(r.rest)-4) {
		return nil, fmt.Errorf("%w: snappy block of %d bytes in %d", ErrCorrupt, n, len(r.rest)-4)
	}
	block := r.rest[4 : 4+n]
	r.rest = r.rest[4+n:]
	return r.snappyBlock(block)
}

// nextRawSnappy decompresses the whole input as one block.
func (r *Reader) nextRawSnappy() ([]byte, error) {
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	block := r.rest
	r.rest = nil
	return r.snappyBlock(block)
}

func (r *Reader) snappyBlock(block []byte) ([]byte, error) {
	size, err := snappySize(block)
	if err != nil {
		return nil, err
	}
	if size > r.left {
		return nil, ErrTooLarge
	}
	out, err := s2.Decode(r.room(size), block)
	if err != nil {
		return nil, corrupt(err)
	}
	return out, nil
}

// The elements of a snappy block, by the lowest two bits of their tag.
const (
	snappyLiteral = iota
	snappyCopy1
	snappyCopy2
	snappyCopy4
)

// snappySize walks the elements of a block and returns the size of their output, which has to be what the block claims. So a
// claim is never allocated, and S2's extensions (a copy from distance 0), which Java cannot read, are refused.
func snappySize(block []byte) (int, error) {
	claimed, n := binary.Uvarint(block)
	if n <= 0 || claimed > 1<<32-1 {
		return 0, fmt.Errorf("%w: bad snappy length", ErrCorrupt)
	}
	b, size := block[n:], uint64(0)
	for len(b) > 0 {
		skip, out, ok := snappyElement(b)
		if !ok || skip > len(b) {
			return 0, fmt.Errorf("%w: bad snappy element", ErrCorrupt)
		}
		b, size = b[skip:], size+uint64(out)
	}
	if size != claimed {
		return 0, fmt.Errorf("%w: snappy block of %d bytes claims %d", ErrCorrupt, size, claimed)
	}
	return int(size), nil
}

// snappyElement returns how many bytes the element at b[0] takes and gives.
func snappyElement(b []byte) (skip, out int, ok bool) {
	tag := b[0]
	switch tag & 3 {
	case snappyLiteral:
		extra := int(tag>>2) - 59 // 60 to 63 mean one to four bytes of length
		if extra <= 0 {
			out = int(tag>>2) + 1
			return 1 + out, out, true
		}
		if len(b) <= extra {
			return 0, 0, false
		}
		var length uint32
		for i := range extra {
			length |= uint32(b[1+i]) << (8 * i)
		}
		if uint64(length)+1 > uint64(len(b)) {
			return 0, 0, false
		}
		out = int(length) + 1
		return 1 + extra + out, out, true
	case snappyCopy1:
		ok = len(b) >= 2 && (tag>>5 != 0 || b[1] != 0)
		return 2, int(tag>>2&7) + 4, ok
	case snappyCopy2:
		ok = len(b) >= 3 && b[1]|b[2] != 0
		return 3, int(tag>>2) + 1, ok
	default:
		ok = len(b) >= 5 && b[1]|b[2]|b[3]|b[4] != 0
		return 5, int(tag>>2) + 1, ok
	}
}
