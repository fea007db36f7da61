package record

import (
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Rules are what Validate checks a batch against: the topic's configuration and who appends.
type Rules struct {
	Partition       kafka.TopicPartition // for messages
	Origin          kafka.Origin
	Now             int64 // ms since 1970
	MaxBatchBytes   int   // max.message.bytes
	MaxDecompressed int   // max.decompressed.message.bytes
	// Recompress says that compression.type names Codec, at Level, instead of "producer".
	Recompress    bool
	Codec         compress.Codec
	Level         int
	Compacted     bool // records need keys
	TimestampType kafka.TimestampType
	Before, After time.Duration // message.timestamp.before.max.ms and after.max.ms; negative means any
	// HeadersOnly trusts the records of a batch behind a good CRC instead of walking them, unless another rule needs the walk.
	HeadersOnly bool
}

// Validated is what Validate found.
type Validated struct {
	// Batch is the batch to append: the input's own memory, or new memory if it had to be rewritten.
	Batch        Batch
	Rewritten    bool
	MaxTimestamp int64
}

// RecordError says what is wrong with one record of a batch (Produce v8+, KIP-467).
type RecordError struct {
	Index   int32
	Message string
}

// InvalidRecordsError refuses a batch because of some of its records. It wraps kerr.InvalidRecord or kerr.InvalidTimestamp.
type InvalidRecordsError struct {
	Code    error // the kerr value
	Message string
	Records []RecordError
}

// Error returns Kafka's message.
func (e *InvalidRecordsError) Error() string { return e.Message }

// Unwrap returns the protocol error.
func (e *InvalidRecordsError) Unwrap() error { return e.Code }

// CheckRequest is the check of a Produce request of the given version before anything else looks at the records: exactly one batch,
// of magic 2, of a codec that the version knows. Errors wrap kerr.InvalidRecord, kerr.CorruptMessage or kerr.UnsupportedCompressionType.
func CheckRequest(records []byte, version int16) error { panic("soon") }

// Validate checks the batches of one append and sets the timestamps that the rules ask for, in place where it can. Offsets and
// epoch are the caller's to set. Errors wrap a kerr value and carry Kafka's message; *InvalidRecordsError tells the records.
func Validate(records []byte, r *Rules) (Validated, error) { panic("soon") }
