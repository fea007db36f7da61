package compaction

import (
	"fmt"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
)

// maxKept is the largest buffer that is kept from batch to batch, in bytes.
const maxKept = 4 << 20

// maxBody is how large a batch may be decompressed, in bytes: what an append lets pass, too.
const maxBody = 1<<31 - 1

// opened is a batch with its records decompressed, its keys hashed, and its memory kept for the next one.
type opened struct {
	body    []byte // of the records, decompressed
	records []seen
	hashes  []Hash // of records, in parallel
	buffer  []byte
	sum     uint64
}

// seen is what a decision needs to know of a record.
type seen struct {
	delta     int32 // offset delta
	end       int   // in the body
	timestamp int64
	keyless   bool
	tombstone bool
	kept      bool
}

// read opens b, whose CRC is right.
func (o *opened) read(b record.Batch, keys *Keys) error {
	o.records, o.hashes, o.body = o.records[:0], o.hashes[:0], b.Records()
	if b.Count() == 0 {
		return nil
	}
	if b.Codec() != compress.None {
		if cap(o.buffer) > maxKept {
			o.buffer = nil
		}
		var err error
		o.buffer, err = compress.Decompress(o.buffer[:0], b.Records(), b.Codec(), compress.Limit(len(b), maxBody))
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnreadable, b, err)
		}
		o.body = o.buffer
	}
	var w record.Walker
	defer w.Close()
	w.ResetOver(b, o.body)
	at := 0
	for w.Next() {
		r := &w.Record
		at += r.Size
		o.records = append(o.records, seen{
			delta: r.OffsetDelta, end: at, timestamp: r.Timestamp, keyless: r.KeySize < 0, tombstone: r.ValueSize < 0,
		})
		var h Hash
		if r.KeySize >= 0 {
			h = keys.Hash(r.Key)
		}
		o.hashes = append(o.hashes, h)
	}
	if err := w.Err(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnreadable, b, err)
	}
	return nil
}
