package compress

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Compress appends src, compressed, to dst. Level is the codec's (gzip 1-9, lz4 1-17, zstd -131072-22) or DefaultLevel;
// none and snappy have none. The error is ErrUnknownCodec's or says that the level is out of range.
func Compress(dst, src []byte, c Codec, level int) ([]byte, error) {
	switch c {
	case None:
		return append(dst, src...), nil
	case Gzip:
		return compressGzip(dst, src, level)
	case Snappy:
		return compressSnappy(dst, src), nil
	case LZ4:
		return compressLZ4(dst, src, level)
	case Zstd:
		return compressZstd(dst, src, level)
	}
	return dst, fmt.Errorf("%w: %d", ErrUnknownCodec, c)
}

// appender is an io.Writer onto the end of a slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

type gzipWriter struct {
	out appender
	gz  *gzip.Writer
}

// gzipWriters pools writers by level; slot 0 is the default level.
var gzipWriters [gzip.BestCompression + 1]sync.Pool

func compressGzip(dst, src []byte, level int) ([]byte, error) {
	slot := level
	if level == DefaultLevel || level == gzip.DefaultCompression {
		slot, level = 0, gzip.DefaultCompression
	} else if level < gzip.BestSpeed || level > gzip.BestCompression {
		return dst, fmt.Errorf("gzip has no compression level %d", level)
	}
	w, _ := gzipWriters[slot].Get().(*gzipWriter)
	if w == nil {
		w = &gzipWriter{}
		var err error
		if w.gz, err = gzip.NewWriterLevel(&w.out, level); err != nil {
			return dst, err
		}
	}
	w.out.b = dst
	w.gz.Reset(&w.out)
	_, err := w.gz.Write(src)
	if closeErr := w.gz.Close(); err == nil {
		err = closeErr
	}
	dst, w.out.b = w.out.b, nil
	gzipWriters[slot].Put(w)
	return dst, err
}

// xerialBlock is the block size that snappy-java writes by default.
const xerialBlock = 32 << 10

// xerialHeader starts a stream in snappy-java's framing: magic, version 1, readable since version 1.
var xerialHeader = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}

// xerialMagic is how much of the header snappy-java looks at.
const xerialMagic = 8

func compressSnappy(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		at := len(dst)
		dst = grow(dst, 4+s2.MaxEncodedLen(n))
		block := s2.EncodeSnappy(dst[at+4:cap(dst)], src[:n])
		binary.BigEndian.PutUint32(dst[at:at+4], uint32(len(block)))
		dst, src = dst[:at+4+len(block)], src[n:]
	}
	return dst
}

// The parts of an lz4 frame that Kafka's Java code writes.
const (
	lz4Magic        = 0x184D2204
	lz4Flags        = 0x60 // version 1, independent blocks
	lz4Block64K     = 0x40
	lz4BlockSize    = 64 << 10
	lz4Uncompressed = 1 << 31
	lz4DefaultLevel = 9 // stands for the fast compressor, as in Kafka
	lz4MaxLevel     = 17
)

var (
	lz4Fast = sync.Pool{New: func() any { return new(lz4.Compressor) }}
	lz4Best = sync.Pool{New: func() any { return new(lz4.CompressorHC) }}
)

func compressLZ4(dst, src []byte, level int) ([]byte, error) {
	if level == DefaultLevel {
		level = lz4DefaultLevel
	}
	if level < 1 || level > lz4MaxLevel {
		return dst, fmt.Errorf("lz4 has no compression level %d", level)
	}
	dst = binary.LittleEndian.AppendUint32(dst, lz4Magic)
	dst = append(dst, lz4Flags, lz4Block64K)
	dst = append(dst, byte(xxh32(dst[len(dst)-2:])>>8))
	for len(src) > 0 {
		n := min(len(src), lz4BlockSize)
		at := len(dst)
		dst = grow(dst, 4+lz4.CompressBlockBound(n))
		size, err := lz4CompressBlock(dst[at+4:cap(dst)], src[:n], level)
		if err != nil {
			return dst, err
		}
		head := uint32(size)
		if size == 0 || size >= n {
			size, head = copy(dst[at+4:cap(dst)], src[:n]), uint32(n)|lz4Uncompressed
		}
		dst = dst[:at+4+size]
		binary.LittleEndian.PutUint32(dst[at:], head)
		src = src[n:]
	}
	return append(dst, 0, 0, 0, 0), nil
}

func lz4CompressBlock(dst, src []byte, level int) (int, error) {
	if level == lz4DefaultLevel {
		c := lz4Fast.Get().(*lz4.Compressor)
		defer lz4Fast.Put(c)
		return c.CompressBlock(src, dst)
	}
	c := lz4Best.Get().(*lz4.CompressorHC)
	defer lz4Best.Put(c)
	c.Level = lz4.CompressionLevel(1 << (8 + min(level, 9)))
	return c.CompressBlock(src, dst)
}

// Zstandard's levels.
const (
	zstdDefaultLevel = 3
	zstdMinLevel     = -131072
	zstdMaxLevel     = 22
)

// zstdWriters pools encoders by the library's coarser level.
var zstdWriters [zstd.SpeedBestCompression + 1]sync.Pool

func compressZstd(dst, src []byte, level int) ([]byte, error) {
	if level == DefaultLevel {
		level = zstdDefaultLevel
	}
	if level < zstdMinLevel || level > zstdMaxLevel {
		return dst, fmt.Errorf("zstd has no compression level %d", level)
	}
	coarse := zstd.EncoderLevelFromZstd(level)
	w, _ := zstdWriters[coarse].Get().(*zstd.Encoder)
	if w == nil {
		var err error
		w, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(coarse), zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
		if err != nil {
			return dst, err
		}
	}
	dst = w.EncodeAll(src, dst)
	zstdWriters[coarse].Put(w)
	return dst, nil
}

// grow returns b with room for n more bytes.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	bigger := make([]byte, len(b), max(2*cap(b), len(b)+n))
	copy(bigger, b)
	return bigger
}

// Decompress appends src, decompressed, to dst, and fails with ErrTooLarge once that would be more than limit bytes.
func Decompress(dst, src []byte, c Codec, limit int) ([]byte, error) {
	r, err := NewReader(src, c, limit)
	if err != nil {
		return dst, err
	}
	defer r.Close()
	for {
		chunk, err := r.Next()
		if err != nil {
			return dst, ignoreEOF(err)
		}
		dst = append(dst, chunk...)
	}
}
