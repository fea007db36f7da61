package partition

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/replica"
)

// Partition is one partition of which this node has a replica. All methods may be called concurrently.
type Partition struct{}

// ID returns the partition's name.
func (p *Partition) ID() kafka.TopicPartition { panic("soon") }

// TopicID returns the id of the topic's life that this is of.
func (p *Partition) TopicID() kafka.TopicID { panic("soon") }

// Leadership returns what the metadata log says. Read only.
func (p *Partition) Leadership() *replica.Leadership { panic("soon") }

// Watchers are the waits for the bounds of the partition. A fetch at offset o that found nothing waits for more than o,
// a write that ends at e for more than e-1.
func (p *Partition) Watchers() *purgatory.Watchers { panic("soon") }

// AppendRequest is one partition of a Produce request, or a coordinator's batch.
type AppendRequest struct {
	// Records is exactly one batch; record.CheckRequest has passed it. Append patches it in place and keeps nothing of it.
	Records      []byte
	RequiredAcks int16
	Origin       kafka.Origin
	Now          time.Time
}

// AppendResult tells what an Append did. After an error only LogStartOffset is set, where Kafka tells it.
type AppendResult struct {
	BaseOffset     kafka.Offset
	End            kafka.Offset // exclusive
	LogAppendTime  int64        // ms since 1970; kafka.NoTimestamp unless the topic has LogAppendTime
	LogStartOffset kafka.Offset // kafka.NoOffset where Kafka does not tell it
	LeaderEpoch    kafka.LeaderEpoch
	// Committed says that the high watermark has reached End: acks=all needs no wait.
	Committed bool
	// Duplicate says that the batch was a retry of one that is in the log already.
	Duplicate bool
}

// Append validates a batch, gives it its offsets, and writes it. Waits that it satisfies complete before it returns.
// Errors wrap a kerr value; *record.InvalidRecordsError tells which records are to blame.
func (p *Partition) Append(r AppendRequest) (AppendResult, error) { panic("soon") }

// Acked decides the answer of a write with acks=all, appended up to end in epoch, when its wait is over: nil, kerr.NotLeaderForPartition,
// kerr.NotEnoughReplicasAfterAppend or, if the high watermark has not come, kerr.RequestTimedOut.
func (p *Partition) Acked(end kafka.Offset, epoch kafka.LeaderEpoch) error { panic("soon") }

// ReadRequest is one partition of a Fetch request.
type ReadRequest struct {
	Offset    kafka.Offset
	MaxBytes  int
	Isolation kafka.Isolation
	// AtLeastOne gives the first batch whole even if it is longer than MaxBytes.
	AtLeastOne         bool
	CurrentLeaderEpoch kafka.LeaderEpoch // kafka.NoEpoch: not checked
	LastFetchedEpoch   kafka.LeaderEpoch // kafka.NoEpoch: divergence is not looked for
	// AnyReplica lets a follower answer (KIP-392).
	AnyReplica bool
}

// EpochEnd is a leader epoch and the offset where it ends, exclusive.
type EpochEnd struct {
	Epoch kafka.LeaderEpoch
	End   kafka.Offset
}

// ReadResult is what a Read found. Release its Span, also an empty one.
type ReadResult struct {
	Span             commitlog.Span
	HighWatermark    kafka.Offset
	LastStableOffset kafka.Offset
	LogStartOffset   kafka.Offset
	LogEndOffset     kafka.Offset
	// Diverging is where the reader's log and this one part, if Diverges.
	Diverging EpochEnd
	Diverges  bool
}

// Read finds the records of a fetch. Bounds are filled in with an error too, as far as they are known. Errors wrap kerr.OffsetOutOfRange, kerr.FencedLeaderEpoch,
// kerr.UnknownLeaderEpoch, kerr.NotLeaderForPartition, kerr.CorruptMessage (a damaged range) or kerr.KafkaStorageError.
func (p *Partition) Read(r ReadRequest) (ReadResult, error) { panic("soon") }

// The special timestamps of ListOffsets.
const (
	LatestTimestamp          int64 = -1
	EarliestTimestamp        int64 = -2
	MaxTimestamp             int64 = -3 // KIP-734
	EarliestLocalTimestamp   int64 = -4 // KIP-405
	LatestTieredTimestamp    int64 = -5 // KIP-1005
	EarliestPendingTimestamp int64 = -6 // KIP-1023
)

// OffsetRequest is one partition of a ListOffsets request.
type OffsetRequest struct {
	Timestamp          int64 // ms since 1970, or a special one
	Isolation          kafka.Isolation
	CurrentLeaderEpoch kafka.LeaderEpoch
	AnyReplica         bool
}

// FoundOffset answers OffsetFor; kafka.NoOffset, kafka.NoTimestamp and kafka.NoEpoch where there is nothing.
type FoundOffset struct {
	Offset    kafka.Offset
	Timestamp int64
	Epoch     kafka.LeaderEpoch
}

// OffsetFor finds an offset by time. Errors as Read's, and kerr.OffsetNotAvailable right after an election.
func (p *Partition) OffsetFor(r OffsetRequest) (FoundOffset, error) { panic("soon") }

// EpochEnd answers OffsetForLeaderEpoch for epoch. The result is kafka.NoEpoch and kafka.NoOffset if it is not known.
func (p *Partition) EpochEnd(current, epoch kafka.LeaderEpoch, anyReplica bool) (EpochEnd, error) {
	panic("soon")
}

// DeleteRecords raises the log start offset to upTo, or to the high watermark for -1, and returns the low watermark: the least log start of the replicas.
// Errors wrap kerr.OffsetOutOfRange, kerr.PolicyViolation or kerr.NotLeaderForPartition.
func (p *Partition) DeleteRecords(upTo kafka.Offset) (kafka.Offset, error) { panic("soon") }

// Producers lists the idempotent producers in the order of their ids. The error is kerr.NotLeaderForPartition or kerr.KafkaStorageError.
func (p *Partition) Producers() ([]producer.Active, error) { panic("soon") }

// Bounds of the partition; any goroutine.
func (p *Partition) LogStartOffset() kafka.Offset   { panic("soon") }
func (p *Partition) LogEndOffset() kafka.Offset     { panic("soon") }
func (p *Partition) HighWatermark() kafka.Offset    { panic("soon") }
func (p *Partition) LastStableOffset() kafka.Offset { panic("soon") }

// Size returns the bytes of its segments.
func (p *Partition) Size() int64 { panic("soon") }
