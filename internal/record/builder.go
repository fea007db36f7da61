package record

import (
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
	// AppendTime is the max timestamp in ms where TimestampType is kafka.LogAppendTime.
	AppendTime    int64
	ProducerID    kafka.ProducerID
	ProducerEpoch int16
	BaseSequence  int32
	Transactional bool
	Control       bool
}

// NewOptions returns the options of an uncompressed batch without a producer at base.
func NewOptions(base kafka.Offset, epoch kafka.LeaderEpoch) Options {
	return Options{
		BaseOffset: base, LeaderEpoch: epoch, Level: compress.DefaultLevel,
		ProducerID: kafka.NoProducerID, ProducerEpoch: kafka.NoProducerEpoch, BaseSequence: kafka.NoSequence,
	}
}

// Builder builds one batch after another; the zero value is ready for Begin. Memory is kept between batches.
type Builder struct {
	opts      Options
	records   []byte
	count     int32
	lastDelta int32
	base, max int64
}

// Begin starts a batch and forgets an unfinished one.
func (b *Builder) Begin(opts Options) { panic("soon") }

// Add appends a record at the next offset. Timestamp is in ms; nil key and value are null.
func (b *Builder) Add(timestamp int64, key, value []byte, headers ...Header) { panic("soon") }

// AddAt appends a record at offset base+delta: compacted batches have holes.
func (b *Builder) AddAt(delta int32, timestamp int64, key, value []byte, headers ...Header) {
	panic("soon")
}

// Count returns how many records were added since Begin.
func (b *Builder) Count() int32 { return b.count }

// Size returns the size of the batch so far, uncompressed.
func (b *Builder) Size() int { return HeaderSize + len(b.records) }

// AppendTo finishes the batch and appends its bytes to dst. The error is compress.Compress's.
func (b *Builder) AppendTo(dst []byte) ([]byte, error) { panic("soon") }
