package record

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Header is a record header: a name and a value that may be nil (null).
type Header struct {
	Key   string
	Value []byte
}

// Options are the batch fields that a Builder writes. NewOptions gives the usual ones.
type Options struct {
	BaseOffset    kafka.Offset
	LeaderEpoch   kafka.LeaderEpoch
	Codec         compress.Codec
	Level         int // compress.DefaultLevel unless configured
	TimestampType kafka.TimestampType
	// AppendTime is the max timestamp in ms since 1970 where TimestampType is kafka.LogAppendTime.
	AppendTime    int64
	ProducerID    kafka.ProducerID
	ProducerEpoch int16
	BaseSequence  int32
	Transactional bool
	Control       bool
}

// NewOptions returns the options of an uncompressed batch without a producer at offset base.
func NewOptions(base kafka.Offset, epoch kafka.LeaderEpoch) Options {
	return Options{
		BaseOffset: base, LeaderEpoch: epoch, Level: compress.DefaultLevel,
		ProducerID: kafka.NoProducerID, ProducerEpoch: kafka.NoProducerEpoch, BaseSequence: kafka.NoSequence,
	}
}

// Builder builds one batch after another, and keeps its memory between them. Call Begin first.
type Builder struct {
	opts      Options
	records   []byte
	count     int32
	lastDelta int32
	base, max int64 // timestamps
}

// Begin starts a batch; one that was not finished is forgotten.
func (b *Builder) Begin(opts Options) {
	*b = Builder{opts: opts, records: b.records[:0], lastDelta: -1, base: kafka.NoTimestamp, max: kafka.NoTimestamp}
}

// Add appends a record at the next offset. Timestamp is in ms since 1970; a nil key or value is null.
func (b *Builder) Add(timestamp int64, key, value []byte, headers ...Header) {
	b.AddAt(b.lastDelta+1, timestamp, key, value, headers...)
}

// AddAt appends a record at delta from the base offset; deltas must rise. Compacted batches have holes.
func (b *Builder) AddAt(delta int32, timestamp int64, key, value []byte, headers ...Header) {
	b.begin(timestamp)
	tsDelta := timestamp - b.base
	size := 1 + varintSize(tsDelta) + varintSize(int64(delta)) + fieldSize(key) + fieldSize(value) + varintSize(int64(len(headers)))
	for i := range headers {
		size += varintSize(int64(len(headers[i].Key))) + len(headers[i].Key) + fieldSize(headers[i].Value)
	}
	r := appendVarint(b.records, int64(size))
	r = append(r, 0)
	r = appendVarint(r, tsDelta)
	r = appendVarint(r, int64(delta))
	r = appendField(r, key)
	r = appendField(r, value)
	r = appendVarint(r, int64(len(headers)))
	for i := range headers {
		r = appendVarint(r, int64(len(headers[i].Key)))
		r = append(r, headers[i].Key...)
		r = appendField(r, headers[i].Value)
	}
	b.records, b.lastDelta = r, delta
	b.count++
}

// addCopy appends a copy of r with another offset delta.
func (b *Builder) addCopy(delta int32, r *Record) {
	b.begin(r.Timestamp)
	copied := *r
	copied.OffsetDelta = delta
	b.records, b.lastDelta = AppendRecord(b.records, b.base, &copied), delta
	b.count++
}

// begin takes the timestamp of a record into account.
func (b *Builder) begin(timestamp int64) {
	if b.count == 0 {
		b.base = timestamp
	}
	b.max = max(b.max, timestamp)
}

func fieldSize(f []byte) int {
	if f == nil {
		return 1
	}
	return varintSize(int64(len(f))) + len(f)
}

func appendField(dst, f []byte) []byte {
	if f == nil {
		return append(dst, 1) // -1
	}
	return append(appendVarint(dst, int64(len(f))), f...)
}

// Count returns how many records were added since Begin.
func (b *Builder) Count() int32 { return b.count }

// Size returns the size of the batch so far in bytes, uncompressed.
func (b *Builder) Size() int { return HeaderSize + len(b.records) }

// AppendTo finishes the batch and appends its bytes to dst. The error is that of compress.Compress.
func (b *Builder) AppendTo(dst []byte) ([]byte, error) {
	o := &b.opts
	at := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	dst, err := compress.Compress(dst, b.records, o.Codec, o.Level)
	if err != nil {
		return dst[:at], err
	}
	h := dst[at:]
	binary.BigEndian.PutUint64(h[atBaseOffset:], uint64(o.BaseOffset))
	binary.BigEndian.PutUint32(h[atLength:], uint32(len(h)-LogOverhead))
	binary.BigEndian.PutUint32(h[atLeaderEpoch:], uint32(o.LeaderEpoch))
	h[atMagic] = Magic
	binary.BigEndian.PutUint16(h[atAttributes:], o.attributes())
	binary.BigEndian.PutUint32(h[atLastOffsetDelta:], uint32(b.lastDelta))
	binary.BigEndian.PutUint64(h[atBaseTimestamp:], uint64(b.base))
	binary.BigEndian.PutUint64(h[atMaxTimestamp:], uint64(b.maxTimestamp()))
	binary.BigEndian.PutUint64(h[atProducerID:], uint64(o.ProducerID))
	binary.BigEndian.PutUint16(h[atProducerEpoch:], uint16(o.ProducerEpoch))
	binary.BigEndian.PutUint32(h[atBaseSequence:], uint32(o.BaseSequence))
	binary.BigEndian.PutUint32(h[atCount:], uint32(b.count))
	Batch(h).sealCRC()
	return dst, nil
}

func (b *Builder) maxTimestamp() int64 {
	if b.opts.TimestampType == kafka.LogAppendTime {
		return b.opts.AppendTime
	}
	return b.max
}

func (o *Options) attributes() uint16 {
	a := uint16(o.Codec) & codecMask
	if o.TimestampType == kafka.LogAppendTime {
		a |= logAppendTimeBit
	}
	if o.Transactional {
		a |= transactionalBit
	}
	if o.Control {
		a |= controlBit
	}
	return a
}
