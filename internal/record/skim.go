package record

import (
	"errors"
	"fmt"
	"io"
)

// skimRecord reads a record whose body of size bytes does not lie in one chunk, and keeps none of its key, value and headers: memory
// stays that of a chunk however large the record is.
func (w *Walker) skimRecord(size int) error {
	w.body = size
	r := &w.Record
	r.Key, r.Value, r.RawHeaders, r.HeaderCount = nil, nil, nil, 0
	if err := w.skip(1); err != nil {
		return err
	}
	delta, err := w.takeVarint(maxVarint64)
	if err != nil {
		return err
	}
	offset, err := w.takeVarint(maxVarint32)
	if err != nil {
		return err
	}
	r.Timestamp, r.OffsetDelta = w.timestamp(delta), int32(offset)
	if r.KeySize, err = w.skipField(); err != nil {
		return err
	}
	if r.ValueSize, err = w.skipField(); err != nil {
		return err
	}
	headers, err := w.takeVarint(maxVarint32)
	if err != nil {
		return err
	}
	if headers < 0 || headers > int64(w.body) {
		return fmt.Errorf("%w: found invalid number of record headers %d", ErrCorrupt, headers)
	}
	for range headers {
		name, err := w.skipField()
		if err != nil {
			return err
		}
		if name < 0 {
			return fmt.Errorf("%w: invalid negative header key size %d", ErrCorrupt, name)
		}
		if _, err := w.skipField(); err != nil {
			return err
		}
	}
	if w.body != 0 {
		return errStructure
	}
	return nil
}

// takeVarint reads a varint of the current record.
func (w *Walker) takeVarint(limit int) (int64, error) {
	v, n := varint(w.win[:min(len(w.win), w.body)], limit)
	for n == 0 && len(w.win) < w.body && w.fill(len(w.win)+1) {
		v, n = varint(w.win[:min(len(w.win), w.body)], limit)
	}
	if w.err != nil {
		return 0, w.err
	}
	if n <= 0 {
		return 0, errStructure
	}
	w.win, w.body = w.win[n:], w.body-n
	return v, nil
}

// skipField passes over a nullable length-prefixed field of the current record and returns its size, or -1.
func (w *Walker) skipField() (int, error) {
	size, err := w.takeVarint(maxVarint32)
	if err != nil || size < 0 {
		return -1, err
	}
	return int(size), w.skip(int(size))
}

// skip passes over n bytes of the current record.
func (w *Walker) skip(n int) error {
	if n > w.body {
		return errStructure
	}
	w.body -= n
	for n > len(w.win) {
		n -= len(w.win)
		chunk, err := w.src.Next()
		switch {
		case errors.Is(err, io.EOF):
			return errPremature
		case err != nil:
			return err
		}
		w.win = chunk
	}
	w.win = w.win[n:]
	return nil
}
