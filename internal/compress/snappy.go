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
	size, n := binary.Uvarint(block)
	if n <= 0 || size > uint64(len(block))*snappyMost {
		return nil, fmt.Errorf("%w: snappy block of %d bytes claims %d", ErrCorrupt, len(block), size)
	}
	if size > uint64(r.left) {
		return nil, ErrTooLarge
	}
	if mayRepeat(block[n:]) {
		if err := checkSnappy(block[n:]); err != nil {
			return nil, err
		}
	}
	out, err := s2.Decode(r.room(int(size)), block) // which fails unless the block becomes just what it claims
	if err != nil {
		return nil, corrupt(err)
	}
	return out, nil
}

// snappyMost is more than any byte of a block can become: a copy of 64 bytes takes three.
const snappyMost = 22

// mayRepeat reports whether a copy from distance 0 may be in the elements b of a block: one of S2's extensions, which Java cannot read. Its
// distance is written in zeros, which are rare in what is compressed, so that the elements themselves need a walk only seldom.
func mayRepeat(b []byte) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(b[i:], 0)
		if next < 0 {
			return false
		}
		if i += next; i == 0 {
			continue // there is no tag before it
		}
		switch tag := b[i-1]; tag & 3 {
		case snappyCopy1:
			if tag>>5 == 0 {
				return true
			}
		case snappyCopy2, snappyCopy4:
			if i+1 < len(b) && b[i+1] == 0 {
				return true
			}
		}
	}
}

// The elements of a snappy block, by the lowest two bits of their tag.
const (
	snappyLiteral = iota
	snappyCopy1
	snappyCopy2
	snappyCopy4
)

// checkSnappy walks the elements of a block and refuses a copy from distance 0.
func checkSnappy(b []byte) error {
	for len(b) > 0 {
		skip, ok := snappyElement(b)
		if !ok || skip > len(b) {
			return fmt.Errorf("%w: bad snappy element", ErrCorrupt)
		}
		b = b[skip:]
	}
	return nil
}

// snappyElement returns how many bytes the element at b[0] takes.
func snappyElement(b []byte) (skip int, ok bool) {
	tag := b[0]
	switch tag & 3 {
	case snappyLiteral:
		extra := int(tag>>2) - 59 // 60 to 63 mean one to four bytes of length
		if extra <= 0 {
			return int(tag>>2) + 2, true
		}
		if len(b) <= extra {
			return 0, false
		}
		var length uint32
		for i := range extra {
			length |= uint32(b[1+i]) << (8 * i)
		}
		if uint64(length)+1 > uint64(len(b)) {
			return 0, false
		}
		return 2 + extra + int(length), true
	case snappyCopy1:
		return 2, len(b) >= 2 && (tag>>5 != 0 || b[1] != 0)
	case snappyCopy2:
		return 3, len(b) >= 3 && b[1]|b[2] != 0
	default:
		return 5, len(b) >= 5 && b[1]|b[2]|b[3]|b[4] != 0
	}
}
