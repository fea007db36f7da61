package record

import (
	"encoding/binary"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
)

// ControlType is the kind of a control record, the second field of its key.
type ControlType int16

// Kafka's control records. Abort and Commit end a transaction; the others are the metadata quorum's.
const (
	Abort          ControlType = 0
	Commit         ControlType = 1
	LeaderChange   ControlType = 2
	SnapshotHeader ControlType = 3
	SnapshotFooter ControlType = 4
	KRaftVersion   ControlType = 5
	Voters         ControlType = 6
)

// ControlKey returns the key of a control record: version 0, then the type.
func ControlKey(t ControlType) []byte {
	return binary.BigEndian.AppendUint16(make([]byte, 2, 4), uint16(t))
}

// ParseControlKey returns the type from a control record's key. The error wraps ErrCorrupt.
func ParseControlKey(key []byte) (ControlType, error) {
	if len(key) < 4 {
		return 0, fmt.Errorf("%w: control record key of %d bytes", ErrCorrupt, len(key))
	}
	if version := int16(binary.BigEndian.Uint16(key)); version < 0 {
		return 0, fmt.Errorf("%w: control record key version %d", ErrCorrupt, version)
	}
	return ControlType(binary.BigEndian.Uint16(key[2:])), nil
}

// AppendControl appends to dst a batch of one control record without a producer. The value's bytes, version first, come from
// package schema. For several control records in one batch use a Builder with Control set and ControlKey.
func AppendControl(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, t ControlType, value []byte) []byte {
	o := NewOptions(base, epoch)
	o.Control = true
	return appendOne(dst, o, timestamp, ControlKey(t), value)
}

// AppendEndTxnMarker appends to dst the batch of a commit or abort marker. Timestamp is in ms since 1970.
func AppendEndTxnMarker(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64,
	id kafka.ProducerID, producerEpoch int16, t ControlType, coordinatorEpoch int32) []byte {
	o := NewOptions(base, epoch)
	o.Control, o.Transactional = true, true
	o.ProducerID, o.ProducerEpoch = id, producerEpoch
	value := binary.BigEndian.AppendUint32(make([]byte, 2, 6), uint32(coordinatorEpoch))
	return appendOne(dst, o, timestamp, ControlKey(t), value)
}

// appendOne appends an uncompressed batch of one record.
func appendOne(dst []byte, o Options, timestamp int64, key, value []byte) []byte {
	var b Builder
	b.Begin(o)
	b.Add(timestamp, key, value)
	dst, err := b.AppendTo(dst)
	if err != nil {
		panic(err) // only a codec fails, and there is none
	}
	return dst
}

// EndTxnMarker is the content of a commit or abort marker.
type EndTxnMarker struct {
	Type             ControlType // Abort or Commit
	CoordinatorEpoch int32
	Timestamp        int64 // ms since 1970
}

// ParseEndTxnMarker reads the first record of control batch b; false if that is no marker.
func ParseEndTxnMarker(b Batch) (EndTxnMarker, bool) {
	var w Walker
	defer w.Close()
	w.Reset(b, len(b))
	if !b.IsControl() || !w.Next() {
		return EndTxnMarker{}, false
	}
	t, err := ParseControlKey(w.Record.Key)
	if err != nil || t != Abort && t != Commit || len(w.Record.Value) < 6 {
		return EndTxnMarker{}, false
	}
	return EndTxnMarker{
		Type:             t,
		CoordinatorEpoch: int32(binary.BigEndian.Uint32(w.Record.Value[2:])),
		Timestamp:        w.Record.Timestamp,
	}, true
}
