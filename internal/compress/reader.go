package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// chunkSize is the buffer of codecs that are read as streams.
	chunkSize = 64 << 10
	// keepBuffer is the largest buffer that a pooled Reader holds on to.
	keepBuffer = 1 << 20
)

// Reader decompresses piece by piece, in memory that does not grow with the output where the codec allows it. Readers are
// pooled: Close gives one back. The zero value is not usable; NewReader makes one.
type Reader struct {
	next func(*Reader) ([]byte, error) // of the codec; fails with io.EOF at the end
	rest []byte                        // input not read yet
	left int                           // output that is still allowed
	buf  []byte                        // output of the current chunk
	lz4  lz4Frame

	in   bytes.Reader // rest, for the codecs that read a stream
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

var readers = sync.Pool{New: func() any { return new(Reader) }}

// NewReader returns a reader over src, which must stay unchanged until Close. More than limit bytes of output fail with
// ErrTooLarge. The error wraps ErrCorrupt, ErrTooLarge or ErrUnknownCodec.
func NewReader(src []byte, c Codec, limit int) (*Reader, error) {
	r := readers.Get().(*Reader)
	r.rest, r.left = src, limit
	var err error
	switch c {
	case None:
		r.next = (*Reader).nextPlain
	case Gzip:
		err = r.openGzip()
	case Snappy:
		r.openSnappy()
	case LZ4:
		err = r.openLZ4()
	case Zstd:
		err = r.openZstd()
	default:
		err = fmt.Errorf("%w: %d", ErrUnknownCodec, c)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Next returns the next piece of output, never empty, which is good until the next call or Close. At the end it fails with
// io.EOF; other errors wrap ErrCorrupt or ErrTooLarge.
func (r *Reader) Next() ([]byte, error) {
	for {
		chunk, err := r.next(r)
		if err != nil {
			return nil, err
		}
		if len(chunk) > r.left {
			return nil, ErrTooLarge
		}
		r.left -= len(chunk)
		if len(chunk) > 0 {
			return chunk, nil
		}
	}
}

// Close gives the reader back to its pool; it must not be used again.
func (r *Reader) Close() {
	r.next, r.rest = nil, nil
	r.in.Reset(nil)
	if cap(r.buf) > keepBuffer {
		r.buf = nil
	}
	if r.zstd != nil {
		_ = r.zstd.Reset(nil)
	}
	readers.Put(r)
}

// room returns a buffer of n bytes, reused from chunk to chunk.
func (r *Reader) room(n int) []byte {
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	return r.buf[:n]
}

func (r *Reader) nextPlain() ([]byte, error) {
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	chunk := r.rest
	r.rest = nil
	return chunk, nil
}

func (r *Reader) openGzip() error {
	r.next = (*Reader).nextGzip
	r.in.Reset(r.rest)
	var err error
	if r.gzip == nil {
		r.gzip, err = gzip.NewReader(&r.in)
	} else {
		err = r.gzip.Reset(&r.in)
	}
	if err != nil {
		return corrupt(err)
	}
	return nil
}

func (r *Reader) nextGzip() ([]byte, error) { return r.readChunk(r.gzip) }

// readChunk fills a chunk from a stream.
func (r *Reader) readChunk(from io.Reader) ([]byte, error) {
	chunk := r.room(chunkSize)
	n, err := io.ReadFull(from, chunk)
	switch {
	case n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)):
		// A stream that was cut says so on the next call: ReadFull's own ErrUnexpectedEOF looks the same.
		return chunk[:n], nil
	case err == io.EOF:
		return nil, io.EOF
	}
	return nil, corrupt(err)
}

func corrupt(err error) error { return fmt.Errorf("%w: %w", ErrCorrupt, err) }

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
