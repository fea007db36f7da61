package wire

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// ProduceWriter writes a Produce response, versions 3 to 13, part by part without allocating:
// Begin, then for each topic Topic and as many Partition as it said, then End.
type ProduceWriter struct {
	e    encoder
	left int // partitions of this topic still to come
}

// Begin starts with b, to which header and body are appended. topics is the number of calls of Topic that follow.
func (w *ProduceWriter) Begin(b []byte, h Header, topics int) {
	b = appendResponseHeader(b, keyProduce, h.Version, h.CorrelationID)
	w.e = encoder{b: b, version: h.Version, flexible: h.Version >= layouts[keyProduce].flexible}
	w.e.count(topics)
}

// Topic starts a topic with that many partitions. The version decides between name and id.
func (w *ProduceWriter) Topic(name string, id kafka.UUID, partitions int) {
	w.e.topic(name, id)
	w.e.count(partitions)
	if w.left = partitions; w.left == 0 {
		w.e.noTags()
	}
}

// Produced is the outcome of one partition's append.
type Produced struct {
	Partition     int32
	ErrorCode     int16
	BaseOffset    kafka.Offset
	LogAppendTime int64 // milliseconds since 1970, or kafka.NoTimestamp with CreateTime
	// LogStartOffset is -1 when unknown.
	LogStartOffset kafka.Offset
	RecordErrors   []RecordError
	ErrorMessage   string // empty is null
	// CurrentLeader is NoLeader unless the error is that we do not lead.
	CurrentLeader LeaderEpoch
}

// RecordError says which record of a batch was refused (KIP-467).
type RecordError struct {
	Index   int32
	Message string // empty is null
}

// Partition appends the outcome of the next partition of the topic.
func (w *ProduceWriter) Partition(p *Produced) {
	e := &w.e
	e.int32(p.Partition)
	e.int16(p.ErrorCode)
	e.int64(int64(p.BaseOffset))
	e.int64(p.LogAppendTime)
	if e.version >= 5 {
		e.int64(int64(p.LogStartOffset))
	}
	if e.version >= 8 {
		e.count(len(p.RecordErrors))
		for i := range p.RecordErrors {
			e.int32(p.RecordErrors[i].Index)
			e.nullable(p.RecordErrors[i].Message)
			e.noTags()
		}
		e.nullable(p.ErrorMessage)
	}
	if e.version >= 10 && p.CurrentLeader != NoLeader {
		e.uvarint(1)
		e.leader(0, p.CurrentLeader)
	} else {
		e.noTags()
	}
	if w.left--; w.left == 0 {
		e.noTags()
	}
}

// End completes the response and returns it. nodes are the endpoints of the leaders that partitions named.
func (w *ProduceWriter) End(throttle time.Duration, nodes []NodeEndpoint) []byte {
	w.e.int32(int32(throttle.Milliseconds()))
	if w.e.version >= 10 {
		w.e.nodes(nodes)
	} else {
		w.e.noTags()
	}
	return w.e.b
}
