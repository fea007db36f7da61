package record

import "github.com/ottla/ottla/internal/kafka"

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

// AppendControl appends to dst a batch of one control record, without a producer. The value's bytes, version first, come from package schema.
func AppendControl(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, t ControlType, value []byte) []byte {
	panic("soon")
}

// AppendEndTxnMarker appends to dst the batch of a commit or abort marker.
func AppendEndTxnMarker(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64,
	id kafka.ProducerID, producerEpoch int16, t ControlType, coordinatorEpoch int32) []byte {
	panic("soon")
}

// ParseControlKey returns the type from a control record's key. The error wraps ErrCorrupt.
func ParseControlKey(key []byte) (ControlType, error) { panic("soon") }

// EndTxnMarker is the content of a commit or abort marker.
type EndTxnMarker struct {
	Type             ControlType
	CoordinatorEpoch int32
	Timestamp        int64
}

// ParseEndTxnMarker reads the only record of control batch b, and false if it is no such marker.
func ParseEndTxnMarker(b Batch) (EndTxnMarker, bool) { panic("soon") }
