package wire

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// FetchWriter writes a Fetch response, versions 4 to 18, part by part without allocating: Begin, then for each topic
// Topic and as many Partition as it said, then End. The records stay away: Partition tells where they belong, so that
// a connection can send them from their files between the written bytes.
type FetchWriter struct {
	e    encoder
	left int // partitions of this topic still to come
}

// FetchHead is the beginning of a Fetch response.
type FetchHead struct {
	Throttle  time.Duration
	ErrorCode int16 // from version 7
	SessionID int32 // from version 7
}

// Begin starts with b, to which header and body are appended. topics is the number of calls of Topic that follow.
func (w *FetchWriter) Begin(b []byte, h Header, head FetchHead, topics int) {
	b = appendResponseHeader(b, keyFetch, h.Version, h.CorrelationID)
	w.e = encoder{b: b, version: h.Version, flexible: h.Version >= layouts[keyFetch].flexible}
	w.e.int32(int32(head.Throttle.Milliseconds()))
	if h.Version >= 7 {
		w.e.int16(head.ErrorCode)
		w.e.int32(head.SessionID)
	}
	w.e.count(topics)
}

// Topic starts a topic with that many partitions. The version decides between name and id.
func (w *FetchWriter) Topic(name string, id kafka.UUID, partitions int) {
	w.e.topic(name, id)
	w.e.count(partitions)
	if w.left = partitions; w.left == 0 {
		w.e.noTags()
	}
}

// Fetched is what a Fetch response says of one partition besides the records. Start from NewFetched.
type Fetched struct {
	Partition        int32
	ErrorCode        int16
	HighWatermark    kafka.Offset
	LastStableOffset kafka.Offset
	LogStartOffset   kafka.Offset // from version 5
	// Diverging is the end of the newest epoch that leader and follower may share (KIP-595); NoEpochEnd otherwise.
	Diverging EpochEnd
	// CurrentLeader is NoLeader unless the error is that we do not lead.
	CurrentLeader LeaderEpoch
	// Snapshot is the snapshot to fetch instead (KIP-630); NoEpochEnd otherwise.
	Snapshot EpochEnd
	// Aborted is nil, which is null, unless the consumer reads committed.
	Aborted []AbortedTransaction
	// PreferredReplica is where the consumer should read (KIP-392), or kafka.NoNode. From version 11.
	PreferredReplica kafka.NodeID
}

// EpochEnd is an epoch and the offset at which it ends.
type EpochEnd struct {
	Epoch kafka.LeaderEpoch
	End   kafka.Offset
}

// NoEpochEnd says that there is none.
var NoEpochEnd = EpochEnd{kafka.NoEpoch, kafka.NoOffset}

// AbortedTransaction tells a consumer to drop a producer's records from FirstOffset to its next abort marker.
type AbortedTransaction struct {
	ProducerID  kafka.ProducerID
	FirstOffset kafka.Offset
}

// NewFetched returns a Fetched in which every field says "none".
func NewFetched(partition int32) Fetched {
	return Fetched{
		Partition: partition, HighWatermark: kafka.NoOffset, LastStableOffset: kafka.NoOffset, LogStartOffset: kafka.NoOffset,
		Diverging: NoEpochEnd, CurrentLeader: NoLeader, Snapshot: NoEpochEnd, PreferredReplica: kafka.NoNode,
	}
}

// Partition appends the next partition of the topic, with records of size bytes that are not written: they belong
// before the byte at the returned index, which counts from the start of the slice given to Begin. A negative size is null.
func (w *FetchWriter) Partition(p *Fetched, size int) (at int) {
	w.partition(p, size)
	at = len(w.e.b)
	w.endPartition(p)
	return at
}

// partition appends all that comes before the records.
func (w *FetchWriter) partition(p *Fetched, size int) {
	e := &w.e
	e.int32(p.Partition)
	e.int16(p.ErrorCode)
	e.int64(int64(p.HighWatermark))
	e.int64(int64(p.LastStableOffset))
	if e.version >= 5 {
		e.int64(int64(p.LogStartOffset))
	}
	if p.Aborted == nil {
		e.count(-1)
	} else {
		e.count(len(p.Aborted))
	}
	for _, a := range p.Aborted {
		e.int64(int64(a.ProducerID))
		e.int64(int64(a.FirstOffset))
		e.noTags()
	}
	if e.version >= 11 {
		e.int32(int32(p.PreferredReplica))
	}
	e.count(size)
}

// endPartition appends the tagged section: 0 the diverging epoch, 1 the leader, 2 the snapshot.
func (w *FetchWriter) endPartition(p *Fetched) {
	const epochEndSize = 4 + 8 + 1
	e := &w.e
	if e.flexible {
		diverging, leader, snapshot := p.Diverging != NoEpochEnd, p.CurrentLeader != NoLeader, p.Snapshot != NoEpochEnd
		n := 0
		for _, there := range [...]bool{diverging, leader, snapshot} {
			if there {
				n++
			}
		}
		e.uvarint(n)
		if diverging {
			e.uvarint(0)
			e.uvarint(epochEndSize)
			e.int32(int32(p.Diverging.Epoch))
			e.int64(int64(p.Diverging.End))
			e.uvarint(0)
		}
		if leader {
			e.leader(1, p.CurrentLeader)
		}
		if snapshot {
			e.uvarint(2)
			e.uvarint(epochEndSize)
			e.int64(int64(p.Snapshot.End))
			e.int32(int32(p.Snapshot.Epoch))
			e.uvarint(0)
		}
	}
	if w.left--; w.left == 0 {
		e.noTags()
	}
}

// End completes the response and returns it. nodes are the endpoints of the leaders that partitions named.
func (w *FetchWriter) End(nodes []NodeEndpoint) []byte {
	if w.e.version >= 16 {
		w.e.nodes(nodes)
	} else {
		w.e.noTags()
	}
	return w.e.b
}
