package compress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	zstdBlock = 128 << 10 // the largest block's output
	// zstdWindow is the largest window that a Java client writes (level 22) or reads.
	zstdWindow = 128 << 20
	// zstdStream is the window up to which memory for it is spent instead of memory for the output.
	zstdStream = 8 << 20
)

// openZstd chooses between decoding the whole input into one buffer, which is faster, and decoding it as a stream, which takes
// no more memory than the window. Both happen only after zstdShape has measured the claims of the input by its blocks.
func (r *Reader) openZstd() error {
	shape, err := zstdShape(r.rest)
	if err != nil {
		return err
	}
	if shape.claimed > uint64(r.left) {
		return ErrTooLarge
	}
	if shape.window > zstdWindow {
		return fmt.Errorf("%w: zstd window of %d bytes", ErrCorrupt, shape.window)
	}
	if r.zstd == nil {
		r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeBuffersBelow(0), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return err
		}
	}
	if shape.bound <= keepBuffer && shape.bound <= uint64(r.left) {
		r.next = (*Reader).nextWholeZstd
		return nil
	}
	if shape.window > zstdStream && shape.bound <= uint64(r.left) {
		r.next = (*Reader).nextWholeZstd
		return nil
	}
	r.next = (*Reader).nextZstd
	r.in.Reset(r.rest)
	if err := r.zstd.Reset(&r.in); err != nil {
		return corrupt(err)
	}
	return nil
}

func (r *Reader) nextWholeZstd() ([]byte, error) {
	if r.rest == nil {
		return nil, io.EOF
	}
	out, err := r.zstd.DecodeAll(r.rest, r.buf[:0])
	r.rest = nil
	if cap(out) > cap(r.buf) {
		r.buf = out
	}
	if err != nil {
		return nil, corrupt(err)
	}
	return out, nil
}

func (r *Reader) nextZstd() ([]byte, error) {
	chunk := r.room(chunkSize)
	n, err := r.zstd.Read(chunk)
	switch {
	case n > 0:
		return chunk[:n], nil
	case errors.Is(err, io.EOF) && r.in.Len() == 0:
		return nil, io.EOF
	case err == nil:
		return nil, nil
	}
	return nil, corrupt(err)
}

// shape is what the frames of a zstd input can become.
type shape struct {
	bound   uint64 // no more output than this, by the kind and number of the blocks
	claimed uint64 // sum of the content sizes that the frames claim
	window  uint64 // the largest window
}

// zstdShape walks frames and block heads without decoding. It fails where a claim cannot be true.
func zstdShape(b []byte) (shape, error) {
	var s shape
	for len(b) > 0 {
		var head zstd.Header
		rest, err := head.DecodeAndStrip(b)
		if err != nil {
			return s, corrupt(err)
		}
		if head.Skippable {
			if uint64(head.SkippableSize) > uint64(len(rest)) {
				return s, fmt.Errorf("%w: zstd frame is cut short", ErrCorrupt)
			}
			b = rest[head.SkippableSize:]
			continue
		}
		if head.DictionaryID != 0 {
			return s, fmt.Errorf("%w: zstd frame needs dictionary %d", ErrCorrupt, head.DictionaryID)
		}
		bound, rest, err := zstdBlocks(rest)
		if err != nil {
			return s, err
		}
		if head.HasCheckSum {
			if len(rest) < 4 {
				return s, fmt.Errorf("%w: zstd frame is cut short", ErrCorrupt)
			}
			rest = rest[4:]
		}
		window := head.WindowSize
		if head.HasFCS {
			if head.FrameContentSize > bound {
				return s, fmt.Errorf("%w: zstd frame claims %d bytes, has %d at most", ErrCorrupt, head.FrameContentSize, bound)
			}
			bound = head.FrameContentSize
			s.claimed += bound
			if head.SingleSegment {
				window = bound
			}
		}
		s.bound += bound
		s.window = max(s.window, window)
		b = rest
	}
	return s, nil
}

// zstdBlocks walks the blocks of one frame and returns what they can become at most, and what follows them.
func zstdBlocks(b []byte) (bound uint64, rest []byte, err error) {
	const raw, rle, compressed = 0, 1, 2
	for {
		if len(b) < 3 {
			return 0, nil, fmt.Errorf("%w: zstd frame is cut short", ErrCorrupt)
		}
		head := uint32(binary.LittleEndian.Uint16(b)) | uint32(b[2])<<16
		last, kind, size := head&1 != 0, head>>1&3, head>>3
		out := uint64(size)
		switch kind {
		case raw:
		case rle:
			size = 1
		case compressed:
			out = zstdBlock
		default:
			return 0, nil, fmt.Errorf("%w: bad zstd block", ErrCorrupt)
		}
		if out > zstdBlock || uint64(size) > uint64(len(b)-3) {
			return 0, nil, fmt.Errorf("%w: zstd block of %d bytes in %d", ErrCorrupt, size, len(b)-3)
		}
		bound += out
		b = b[3+size:]
		if last {
			return bound, b, nil
		}
	}
}
