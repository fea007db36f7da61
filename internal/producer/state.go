package producer

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Remembered is how many of a producer's latest batches are known by sequence: a retry of one of them is answered with
// its first offset. It is also the highest max.in.flight.requests.per.connection of an idempotent Java producer.
const Remembered = 5

// Appended tells where a batch lies in the log.
type Appended struct {
	BaseOffset kafka.Offset
	LastOffset kafka.Offset // inclusive
	Timestamp  int64        // the batch's max timestamp
}

// Active describes one producer, as DescribeProducers does.
type Active struct {
	ProducerID            kafka.ProducerID
	ProducerEpoch         int16
	LastSequence          int32
	LastTimestamp         int64
	CoordinatorEpoch      int32
	CurrentTxnFirstOffset kafka.Offset // kafka.NoOffset without an open transaction
}

// CompletedTxn is a transaction that a marker ended.
type CompletedTxn struct {
	ProducerID  kafka.ProducerID
	FirstOffset kafka.Offset
	LastOffset  kafka.Offset // of the marker, inclusive
	Aborted     bool
}

// State is the producers of one partition. The zero value is an empty state; it allocates with the first idempotent batch.
type State struct{}

// Check decides whether batch b, whose offsets are final, may be appended. A retry of a remembered batch gives
// where the first one lies and true. Errors wrap kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch or kerr.InvalidTxnState.
// It changes nothing.
func (s *State) Check(b record.Batch, origin kafka.Origin) (Appended, bool, error) { panic("soon") }

// Replay takes in b, which is now in the log. A commit or abort marker that ends a transaction gives it back and true.
func (s *State) Replay(b record.Batch) (CompletedTxn, bool) { panic("soon") }

// EndOffset returns the offset up to which batches are taken in, exclusive: a snapshot taken now has this offset in its name.
func (s *State) EndOffset() kafka.Offset { panic("soon") }

// SetEndOffset moves the end offset past batches without a producer.
func (s *State) SetEndOffset(end kafka.Offset) { panic("soon") }

// Expire forgets producers without an open transaction whose last batch is at least idle old (producer.id.expiration.ms), and returns how many.
func (s *State) Expire(now int64, idle time.Duration) int { panic("soon") }

// FirstUnstableOffset returns the first offset of the oldest transaction that is open, or that ended at or above the
// high watermark; kafka.NoOffset if there is none. The last stable offset is the smaller of it and the high watermark.
func (s *State) FirstUnstableOffset(highWatermark kafka.Offset) kafka.Offset { panic("soon") }

// Len returns how many producers are known.
func (s *State) Len() int { panic("soon") }

// Producers appends the known producers to dst in the order of their ids.
func (s *State) Producers(dst []Active) []Active { panic("soon") }

// Reset forgets everything and continues at end.
func (s *State) Reset(end kafka.Offset) { panic("soon") }

// AppendSnapshot appends the bytes of Kafka's .snapshot file (version 1) to dst.
func (s *State) AppendSnapshot(dst []byte) []byte { panic("soon") }

// ParseSnapshot reads a .snapshot file of the given end offset (its name), leaving out producers that have expired by now.
// Errors wrap ErrCorrupt.
func ParseSnapshot(b []byte, end kafka.Offset, now int64, idle time.Duration) (*State, error) {
	panic("soon")
}
