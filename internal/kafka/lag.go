package kafka

import "encoding/binary"

// LagTag is the number of the tagged field by which a partition of a ListOffsets request, version 6 and up, asks for a consumer's lag,
// and by which it is answered (docs/protocol/lag.md). Kafka counts its own fields from 0.
const LagTag uint32 = 111

// LagQuestion asks how far a committed offset is behind.
type LagQuestion struct {
	// Topic is the topic that was consumed; zero stands for the one that has the name now.
	Topic TopicID
	// Committed is the next offset to be consumed.
	Committed Offset
}

// LagStanding says where a committed offset stands in the log.
type LagStanding int8

const (
	// LagInside is the rule: log start ≤ committed ≤ end.
	LagInside LagStanding = iota
	// LagBelowStart: records were deleted before they were consumed. The lag counts from the log start.
	LagBelowStart
	// LagBeyondEnd: the log ends before the committed offset. Nothing in it is known to be consumed: the lag counts from the log start.
	LagBeyondEnd
	// LagOtherTopic: the offset is of a topic that had the name before. The lag counts from the log start.
	LagOtherTopic
)

// Lag is how far a committed offset is behind the end of its partition: the high watermark, or the last stable offset for read_committed.
type Lag struct {
	Standing LagStanding
	// Exact says that Records was counted; else it is an upper bound.
	Exact bool
	// Start is the log start offset.
	Start Offset
	// Records is the number of records from the committed offset to the end.
	Records int64
	// First is the first record that is not consumed, NoOffset when there is none.
	First Offset
	// Timestamp is that record's, in ms; NoTimestamp when there is none or it has none.
	Timestamp int64
	// Age is the time since then by the leader's clock, in ms: 0 when there is no such record, -1 when it has no timestamp.
	Age int64
}

// The sizes of the fields' values, without what follows: a section of tagged fields, which has none yet.
const (
	lagQuestionSize = 16 + 8
	lagSize         = 2 + 5*8
)

// Append appends the question as the field's value.
func (q LagQuestion) Append(dst []byte) []byte {
	dst = append(dst, q.Topic[:]...)
	return append(binary.BigEndian.AppendUint64(dst, uint64(q.Committed)), 0)
}

// ParseLagQuestion reads a question. Tagged fields after what is known are for later versions; false means that there are too few bytes.
func ParseLagQuestion(b []byte) (q LagQuestion, ok bool) {
	if len(b) < lagQuestionSize {
		return q, false
	}
	copy(q.Topic[:], b)
	q.Committed = Offset(binary.BigEndian.Uint64(b[16:]))
	return q, true
}

// Append appends the answer as the field's value.
func (l Lag) Append(dst []byte) []byte {
	exact := byte(0)
	if l.Exact {
		exact = 1
	}
	dst = append(dst, byte(l.Standing), exact)
	for _, n := range []int64{int64(l.Start), l.Records, int64(l.First), l.Timestamp, l.Age} {
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, 0)
}

// ParseLag reads an answer. Tagged fields after what is known are for later versions; false means that there are too few bytes.
func ParseLag(b []byte) (l Lag, ok bool) {
	if len(b) < lagSize {
		return l, false
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[2+8*i:])) }
	return Lag{
		Standing: LagStanding(b[0]), Exact: b[1] == 1,
		Start: Offset(at(0)), Records: at(1), First: Offset(at(2)), Timestamp: at(3), Age: at(4),
	}, true
}
