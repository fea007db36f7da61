package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// HeaderSize is the size of a batch without its records, in bytes.
const HeaderSize = 61

// LogOverhead is the size of what the length field does not count: the base offset and the length itself.
const LogOverhead = 12

// Magic is the only batch format that is stored.
const Magic = 2

// Where the fields of a batch lie (docs/format/log.md draws them).
const (
	atBaseOffset      = 0
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57
)

// Bits of the attributes.
const (
	codecMask         = 0x07
	logAppendTimeBit  = 0x08
	transactionalBit  = 0x10
	controlBit        = 0x20
	deleteHorizonBit  = 0x40
	minLegacyOverhead = 14 // the smallest record of magic 0, after the log overhead
)

// Errors of Next and CheckCRC, to be told apart with errors.Is.
var (
	// ErrShort says that the buffer ends within a batch: a torn tail, or a file range that was cut.
	ErrShort = errors.New("batch is cut short")
	// ErrCorrupt says that the bytes are no batch, or not as they were written.
	ErrCorrupt = errors.New("batch is corrupt")
	// ErrLegacy says that the bytes are a batch of magic 0 or 1.
	ErrLegacy = errors.New("batch has an old format")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Batch is a view over the bytes of exactly one whole batch, header and records. Cut it with Next, or the accessors may panic.
type Batch []byte

// Next cuts the first batch off b. The error wraps ErrShort if b holds only the beginning of a batch (an empty b too), ErrLegacy
// if the batch is of magic 0 or 1, and ErrCorrupt if no batch can start like this. It does not check the CRC.
func Next(b []byte) (batch Batch, rest []byte, err error) {
	size, err := SizeAt(b)
	if err != nil {
		return nil, b, err
	}
	if len(b) < size {
		return nil, b, ErrShort
	}
	return Batch(b[:size:size]), b[size:], nil
}

// PeekSize is how many bytes of a batch SizeAt needs.
const PeekSize = atMagic + 1

// SizeAt returns the size of the batch that starts at b[0], of which b need hold only the first PeekSize bytes.
// Errors are Next's.
func SizeAt(b []byte) (int, error) {
	if len(b) < LogOverhead {
		return 0, ErrShort
	}
	length := int32(binary.BigEndian.Uint32(b[atLength:]))
	if length < minLegacyOverhead {
		return 0, fmt.Errorf("%w: record size %d is less than the minimum record overhead (%d)", ErrCorrupt, length, minLegacyOverhead)
	}
	if len(b) < PeekSize {
		return 0, ErrShort
	}
	switch magic := int8(b[atMagic]); {
	case magic == 0 || magic == 1:
		return 0, ErrLegacy
	case magic != Magic:
		return 0, fmt.Errorf("%w: invalid magic found in record: %d", ErrCorrupt, magic)
	case length < HeaderSize-LogOverhead || length > math.MaxInt32-LogOverhead:
		return 0, fmt.Errorf("%w: impossible size %d", ErrCorrupt, length)
	}
	return int(length) + LogOverhead, nil
}

// BaseOffset returns the offset of the batch's first record (as produced: compaction may have removed it).
func (b Batch) BaseOffset() kafka.Offset {
	return kafka.Offset(binary.BigEndian.Uint64(b[atBaseOffset:]))
}

// LastOffset returns the offset of the last record, inclusive.
func (b Batch) LastOffset() kafka.Offset { return b.BaseOffset() + kafka.Offset(b.LastOffsetDelta()) }

// NextOffset returns the offset after the last record's.
func (b Batch) NextOffset() kafka.Offset { return b.LastOffset() + 1 }

// LeaderEpoch returns the epoch of the leader that appended the batch.
func (b Batch) LeaderEpoch() kafka.LeaderEpoch {
	return kafka.LeaderEpoch(binary.BigEndian.Uint32(b[atLeaderEpoch:]))
}

// Size returns the size in bytes, header and records, by the length field. It equals len(b).
func (b Batch) Size() int { return int(int32(binary.BigEndian.Uint32(b[atLength:]))) + LogOverhead }

// Magic returns the format version.
func (b Batch) Magic() int8 { return int8(b[atMagic]) }

// CRC returns the stored CRC32C of everything from the attributes on.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[atCRC:]) }

// Attributes returns the attribute bits.
func (b Batch) Attributes() int16 { return int16(binary.BigEndian.Uint16(b[atAttributes:])) }

// Codec returns the compression of the records; it may be one that is not Valid.
func (b Batch) Codec() compress.Codec { return compress.Codec(b.Attributes() & codecMask) }

// TimestampType tells who set the timestamps.
func (b Batch) TimestampType() kafka.TimestampType {
	if b.Attributes()&logAppendTimeBit != 0 {
		return kafka.LogAppendTime
	}
	return kafka.CreateTime
}

// IsTransactional reports whether the batch is part of a transaction, or its marker.
func (b Batch) IsTransactional() bool { return b.Attributes()&transactionalBit != 0 }

// IsControl reports whether the batch holds a control record, which no consumer sees.
func (b Batch) IsControl() bool { return b.Attributes()&controlBit != 0 }

// HasDeleteHorizon reports whether the base timestamp is the time at which compaction may remove tombstones or the marker (KIP-534).
func (b Batch) HasDeleteHorizon() bool { return b.Attributes()&deleteHorizonBit != 0 }

// LastOffsetDelta returns the distance from the base offset to the last offset.
func (b Batch) LastOffsetDelta() int32 {
	return int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:]))
}

// BaseTimestamp returns the timestamp that the records' deltas count from, in ms since 1970.
func (b Batch) BaseTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[atBaseTimestamp:])) }

// MaxTimestamp returns the greatest timestamp of the records, or the time of the append, in ms since 1970.
func (b Batch) MaxTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])) }

// ProducerID returns the idempotent producer's id, or kafka.NoProducerID.
func (b Batch) ProducerID() kafka.ProducerID {
	return kafka.ProducerID(binary.BigEndian.Uint64(b[atProducerID:]))
}

// HasProducerID reports whether the batch comes from an idempotent producer; all negative ids mean "no".
func (b Batch) HasProducerID() bool { return b.ProducerID() > kafka.NoProducerID }

// ProducerEpoch returns the producer's epoch, or kafka.NoProducerEpoch.
func (b Batch) ProducerEpoch() int16 { return int16(binary.BigEndian.Uint16(b[atProducerEpoch:])) }

// BaseSequence returns the sequence number of the first record, or kafka.NoSequence.
func (b Batch) BaseSequence() int32 { return int32(binary.BigEndian.Uint32(b[atBaseSequence:])) }

// LastSequence returns the sequence number of the last record, or kafka.NoSequence. Sequences wrap from 2³¹-1 to 0.
func (b Batch) LastSequence() int32 {
	if b.BaseSequence() == kafka.NoSequence {
		return kafka.NoSequence
	}
	return AddSequence(b.BaseSequence(), b.LastOffsetDelta())
}

// AddSequence returns the sequence number n records after seq.
func AddSequence(seq, n int32) int32 {
	return int32((int64(seq) + int64(n)) & math.MaxInt32)
}

// SubSequence returns the sequence number n records before seq.
func SubSequence(seq, n int32) int32 {
	return int32((int64(seq) - int64(n)) & math.MaxInt32)
}

// Count returns the number of records.
func (b Batch) Count() int32 { return int32(binary.BigEndian.Uint32(b[atCount:])) }

// Records returns the bytes after the header, compressed as Codec says.
func (b Batch) Records() []byte { return b[HeaderSize:] }

// SetBaseOffset patches the base offset, which lies outside the CRC.
func (b Batch) SetBaseOffset(o kafka.Offset) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(o))
}

// SetLeaderEpoch patches the leader epoch, which lies outside the CRC.
func (b Batch) SetLeaderEpoch(e kafka.LeaderEpoch) {
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(e))
}

// setMaxTimestamp patches the max timestamp and its type, and the CRC if that changed anything.
func (b Batch) setMaxTimestamp(t kafka.TimestampType, ms int64) {
	if b.TimestampType() == t && b.MaxTimestamp() == ms {
		return
	}
	attributes := b.Attributes() &^ logAppendTimeBit
	if t == kafka.LogAppendTime {
		attributes |= logAppendTimeBit
	}
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(attributes))
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(ms))
	b.sealCRC()
}

// ComputeCRC returns the CRC32C of everything from the attributes on.
func (b Batch) ComputeCRC() uint32 { return crc32.Checksum(b[atAttributes:], castagnoli) }

func (b Batch) sealCRC() { binary.BigEndian.PutUint32(b[atCRC:], b.ComputeCRC()) }

// CheckCRC returns an error that wraps ErrCorrupt unless the stored CRC is that of the bytes.
func (b Batch) CheckCRC() error {
	if stored, computed := b.CRC(), b.ComputeCRC(); stored != computed {
		return fmt.Errorf("%w: stored crc %d, computed %d", ErrCorrupt, stored, computed)
	}
	return nil
}

// String describes the header in one line.
func (b Batch) String() string {
	return fmt.Sprintf("batch %d-%d epoch %d count %d codec %s producer %d/%d sequence %d size %d",
		b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.Count(), b.Codec(), b.ProducerID(), b.ProducerEpoch(), b.BaseSequence(), b.Size())
}
