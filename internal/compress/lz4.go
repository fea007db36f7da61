package compress

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// lz4Frame is what an lz4 frame's descriptor says.
type lz4Frame struct {
	blockSize      int
	blockChecksums bool
}

// Bits of the descriptor's first byte.
const (
	lz4Version     = 0xC0
	lz4Version1    = 0x40
	lz4Independent = 0x20
	lz4BlockSums   = 0x10
	lz4ContentSize = 0x08
	lz4Reserved    = 0x03
)

// openLZ4 reads the frame's head as strictly as Kafka does: version 1, independent blocks, a right header checksum.
func (r *Reader) openLZ4() error {
	r.next = (*Reader).nextLZ4
	b := r.rest
	if len(b) < 7 || binary.LittleEndian.Uint32(b) != lz4Magic {
		return fmt.Errorf("%w: no lz4 frame", ErrCorrupt)
	}
	flags, sizes := b[4], b[5]
	size := int(sizes>>4) & 7
	if flags&lz4Version != lz4Version1 || flags&lz4Reserved != 0 || sizes&0x8f != 0 || size < 4 {
		return fmt.Errorf("%w: bad lz4 frame descriptor", ErrCorrupt)
	}
	if flags&lz4Independent == 0 {
		return fmt.Errorf("%w: lz4 blocks depend on each other", ErrCorrupt)
	}
	end := 6
	if flags&lz4ContentSize != 0 {
		end += 8
	}
	if len(b) <= end || b[end] != byte(xxh32(b[4:end])>>8) {
		return fmt.Errorf("%w: bad lz4 header checksum", ErrCorrupt)
	}
	r.lz4 = lz4Frame{blockSize: 1 << (8 + 2*size), blockChecksums: flags&lz4BlockSums != 0}
	r.rest = b[end+1:]
	return nil
}

// nextLZ4 decompresses one block. What follows the end mark, such as a content checksum, is not looked at, as in Kafka.
func (r *Reader) nextLZ4() ([]byte, error) {
	if r.rest == nil {
		return nil, io.EOF
	}
	if len(r.rest) < 4 {
		return nil, fmt.Errorf("%w: lz4 frame without an end mark", ErrCorrupt)
	}
	head := binary.LittleEndian.Uint32(r.rest)
	n := int(head &^ lz4Uncompressed)
	if n == 0 {
		r.rest = nil
		return nil, io.EOF
	}
	need := n
	if r.lz4.blockChecksums {
		need += 4
	}
	if n > r.lz4.blockSize || need > len(r.rest)-4 {
		return nil, fmt.Errorf("%w: lz4 block of %d bytes in %d", ErrCorrupt, n, len(r.rest)-4)
	}
	block := r.rest[4 : 4+n]
	if r.lz4.blockChecksums && binary.LittleEndian.Uint32(r.rest[4+n:]) != xxh32(block) {
		return nil, fmt.Errorf("%w: bad lz4 block checksum", ErrCorrupt)
	}
	r.rest = r.rest[4+need:]
	if head&lz4Uncompressed != 0 {
		return block, nil
	}
	// A block of n bytes gives less than 255 times as many: the frame's block size is only a claim.
	out := r.room(min(r.lz4.blockSize, n*255))
	size, err := lz4.UncompressBlock(block, out)
	if err != nil {
		return nil, corrupt(err)
	}
	return out[:size], nil
}
