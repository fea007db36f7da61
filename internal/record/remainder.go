package record

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Remainder is what stays of a batch when some of its records go.
type Remainder struct {
	Records       []byte // encoded, not compressed; their timestamps count from BaseTimestamp
	Count         int32
	BaseTimestamp int64 // ms since 1970; with DeleteHorizon the time from which on tombstones, or the marker, may go (KIP-534)
	MaxTimestamp  int64 // ms since 1970, of the records; that of a batch with LogAppendTime stays
	DeleteHorizon bool
}

// AppendRemainder appends to dst batch b with r for its records, compressed as b is. Offsets, epochs and sequences stay. The error is that of compress.Compress.
func AppendRemainder(dst []byte, b Batch, r *Remainder) ([]byte, error) {
	at := len(dst)
	dst = append(dst, b[:HeaderSize]...)
	dst, err := compress.Compress(dst, r.Records, b.Codec(), compress.DefaultLevel)
	if err != nil {
		return dst[:at], err
	}
	h := Batch(dst[at:])
	attributes := b.Attributes() &^ deleteHorizonBit
	if r.DeleteHorizon {
		attributes |= deleteHorizonBit
	}
	binary.BigEndian.PutUint16(h[atAttributes:], uint16(attributes))
	binary.BigEndian.PutUint32(h[atLength:], uint32(len(h)-LogOverhead))
	binary.BigEndian.PutUint64(h[atBaseTimestamp:], uint64(r.BaseTimestamp))
	if b.TimestampType() == kafka.CreateTime {
		binary.BigEndian.PutUint64(h[atMaxTimestamp:], uint64(r.MaxTimestamp))
	}
	binary.BigEndian.PutUint32(h[atCount:], uint32(r.Count))
	h.sealCRC()
	return dst, nil
}

// AppendEmpty appends to dst the header of batch b without any record: its offsets, epochs, sequences and max timestamp stay.
func AppendEmpty(dst []byte, b Batch) []byte {
	at := len(dst)
	dst = append(dst, b[:HeaderSize]...)
	h := Batch(dst[at:])
	binary.BigEndian.PutUint32(h[atLength:], HeaderSize-LogOverhead)
	binary.BigEndian.PutUint16(h[atAttributes:], uint16(b.Attributes())&^(codecMask|deleteHorizonBit))
	none := kafka.NoTimestamp
	binary.BigEndian.PutUint64(h[atBaseTimestamp:], uint64(none))
	binary.BigEndian.PutUint32(h[atCount:], 0)
	h.sealCRC()
	return dst
}

// AppendRecord appends r to the encoded records dst, with its timestamp counted from base, in ms since 1970.
func AppendRecord(dst []byte, base int64, r *Record) []byte {
	timestamp, delta := r.Timestamp-base, int64(r.OffsetDelta)
	size := 1 + varintSize(timestamp) + varintSize(delta) + fieldSize(r.Key) + fieldSize(r.Value) +
		varintSize(int64(r.HeaderCount)) + len(r.RawHeaders)
	dst = appendVarint(dst, int64(size))
	dst = append(dst, 0)
	dst = appendVarint(dst, timestamp)
	dst = appendVarint(dst, delta)
	dst = appendField(dst, r.Key)
	dst = appendField(dst, r.Value)
	dst = appendVarint(dst, int64(r.HeaderCount))
	return append(dst, r.RawHeaders...)
}
