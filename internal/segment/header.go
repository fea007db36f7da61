package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Errors that end a scan, to be told apart with errors.Is.
var (
	// ErrTorn says that the file ends within a batch.
	ErrTorn = errors.New("file ends within a batch")
	// ErrCorrupt says that bytes in the file are no batch, not what was written, or out of order.
	ErrCorrupt = errors.New("segment is corrupt")
)

// Header is what a segment needs to know of a batch.
type Header struct {
	Position     int64 // in the file, in bytes
	Size         int64 // with the records, in bytes
	Base, Last   kafka.Offset
	Epoch        kafka.LeaderEpoch
	MaxTimestamp int64 // ms
}

// Batches of magic 0 and 1 may be in folders that old Kafkas wrote: one offset, a size, a CRC32, magic, attributes, and in magic 1 a timestamp.
const (
	legacyHeader    = 17
	legacyTimestamp = 18
)

// parseHeader reads the header at b[0], which lies at position of a file that ends at limit.
func parseHeader(b []byte, position, limit int64) (Header, error) {
	left := limit - position
	if left < record.HeaderSize {
		if left < legacyHeader || len(b) < legacyHeader || b[16] >= record.Magic {
			return Header{}, fmt.Errorf("%w: %d bytes at %d", ErrTorn, left, position)
		}
	}
	size, err := record.SizeAt(b)
	switch {
	case errors.Is(err, record.ErrLegacy):
		return parseLegacy(b, position, left)
	case err != nil:
		return Header{}, fmt.Errorf("%w: at %d: %w", ErrCorrupt, position, err)
	case int64(size) > left:
		return Header{}, fmt.Errorf("%w: a batch of %d bytes at %d, %d are left", ErrTorn, size, position, left)
	}
	batch := record.Batch(b[:record.HeaderSize])
	h := Header{
		Position: position, Size: int64(size), Base: batch.BaseOffset(), Last: batch.LastOffset(),
		Epoch: batch.LeaderEpoch(), MaxTimestamp: batch.MaxTimestamp(),
	}
	if h.Base < 0 || h.Last < h.Base || h.Last == math.MaxInt64 {
		return Header{}, fmt.Errorf("%w: at %d: offsets %d to %d", ErrCorrupt, position, h.Base, h.Last)
	}
	return h, nil
}

func parseLegacy(b []byte, position, left int64) (Header, error) {
	size := int64(binary.BigEndian.Uint32(b[8:])) + record.LogOverhead
	if size > left {
		return Header{}, fmt.Errorf("%w: a message of %d bytes at %d, %d are left", ErrTorn, size, position, left)
	}
	offset := kafka.Offset(binary.BigEndian.Uint64(b))
	h := Header{Position: position, Size: size, Base: offset, Last: offset, Epoch: kafka.NoEpoch, MaxTimestamp: kafka.NoTimestamp}
	if b[16] == 1 && len(b) >= legacyTimestamp+8 {
		h.MaxTimestamp = int64(binary.BigEndian.Uint64(b[legacyTimestamp:]))
	}
	if offset < 0 || offset == math.MaxInt64 {
		return Header{}, fmt.Errorf("%w: at %d: offset %d", ErrCorrupt, position, offset)
	}
	return h, nil
}

// checkCRC checks a whole batch.
func checkCRC(b []byte, position int64) error {
	if b[16] < record.Magic {
		if stored := binary.BigEndian.Uint32(b[12:]); stored != crc32.ChecksumIEEE(b[16:]) {
			return fmt.Errorf("%w: at %d: wrong crc of an old message", ErrCorrupt, position)
		}
		return nil
	}
	if err := record.Batch(b).CheckCRC(); err != nil {
		return fmt.Errorf("%w: at %d: %w", ErrCorrupt, position, err)
	}
	return nil
}

// window is how much walker reads at once: two index intervals.
const window = 8 << 10

var windows = sync.Pool{New: func() any { return new([window]byte) }}

// walker reads batch headers from a file, several with one read where batches are small.
type walker struct {
	file  io.ReaderAt
	limit int64
	buf   *[window]byte
	at    int64 // position of buf[0]
	n     int
}

func newWalker(file io.ReaderAt, limit int64) walker {
	return walker{file: file, limit: limit, buf: windows.Get().(*[window]byte)}
}

func (w *walker) close() { windows.Put(w.buf) }

// header returns the header at position, which must be below the limit.
func (w *walker) header(position int64) (Header, error) {
	h, _, err := w.batch(position)
	return h, err
}

// batch also returns the header's bytes, which are good until the next call: of magic 2 all of them, of an older one the beginning.
func (w *walker) batch(position int64) (Header, []byte, error) {
	need := min(record.HeaderSize, w.limit-position)
	if position < w.at || position+need > w.at+int64(w.n) {
		length := min(window, w.limit-position)
		if w.n > 0 && position >= w.at+window {
			length = need // batches are larger than the window: nothing else of it would be looked at
		}
		n, err := readFull(w.file, w.buf[:length], position)
		if err != nil {
			return Header{}, nil, err
		}
		w.at, w.n = position, n
	}
	b := w.buf[position-w.at:][:need]
	h, err := parseHeader(b, position, w.limit)
	return h, b, err
}

// readFull reads len(p) bytes; a file that is shorter than it should be is ErrCorrupt.
func readFull(file io.ReaderAt, p []byte, position int64) (int, error) {
	n, err := file.ReadAt(p, position)
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF {
		return n, fmt.Errorf("%w: the file ends at %d, expected %d", ErrCorrupt, position+int64(n), position+int64(len(p)))
	}
	return n, err
}

var _ io.ReaderAt = vfs.File(nil)
