package commitlog

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Config is what a topic's configuration says about its logs. Change it with SetConfig.
type Config struct {
	SegmentBytes    int           // segment.bytes
	SegmentAge      time.Duration // segment.ms
	SegmentJitter   time.Duration // segment.jitter.ms
	IndexInterval   int           // index.interval.bytes
	IndexBytes      int           // segment.index.bytes: the largest index file
	RetentionBytes  int64         // retention.bytes; negative: no limit
	RetentionAge    time.Duration // retention.ms; negative: no limit
	DeleteDelay     time.Duration // file.delete.delay.ms
	DeleteOld       bool          // cleanup.policy has delete; else only records below the log start offset go
	ProducerIdle    time.Duration // producer.id.expiration.ms
	MaxDecompressed int           // max.decompressed.message.bytes
}

// DefaultConfig returns Kafka's defaults.
func DefaultConfig() Config { panic("soon") }

// Options tell Open about the partition and about the last shutdown.
type Options struct {
	Partition kafka.TopicPartition // for messages
	Config    Config
	Cache     *segment.Cache // bounds open files and loaded indexes; shared by all logs of a node
	// Clean says that the folder was shut down cleanly (.kafka_cleanshutdown): nothing is scanned.
	Clean bool
	// RecoveryPoint is from recovery-point-offset-checkpoint: what lies below was synced. 0 if unknown.
	RecoveryPoint kafka.Offset
	// LogStartOffset is from log-start-offset-checkpoint. 0 if unknown.
	LogStartOffset kafka.Offset
	Now            time.Time
}

// Report says what Open found.
type Report struct {
	Created        bool     // the folder was new or empty
	ScannedBytes   int64    // read to check batches
	LostBytes      int64    // cut off the end: a torn tail
	RebuiltIndexes int      // segments whose indexes were made anew
	Damage         []Damage // ranges that were synced once and are unreadable now
}

// Damage is a range of offsets that cannot be read: it was below the recovery point and is not what was written.
// Its file is kept as it is.
type Damage struct {
	From, End kafka.Offset // End is exclusive
	Segment   kafka.Offset // base offset of the file
	Reason    string
}

// Log is one partition's log.
type Log struct{}

// Open opens the log in folder dir, making it if it does not exist, and recovers it after an unclean shutdown.
// It keeps no file open. Errors other than the file system's: none; damage is reported, not an error.
func Open(fs vfs.FS, dir string, o Options) (*Log, Report, error) { panic("soon") }

// Bounds and identity; any goroutine.
func (l *Log) Dir() string                  { panic("soon") }
func (l *Log) LogStartOffset() kafka.Offset { panic("soon") }
func (l *Log) LogEndOffset() kafka.Offset   { panic("soon") }
func (l *Log) RecoveryPoint() kafka.Offset  { panic("soon") }
func (l *Log) Size() int64                  { panic("soon") }
func (l *Log) Damage() []Damage             { panic("soon") }
func (l *Log) Err() error                   { panic("soon") }

// Producers is the state of the partition's producers; writer only. Append and TruncateTo keep it up to date; call Check on it before Append.
func (l *Log) Producers() *producer.State { panic("soon") }

// Appended tells what an Append did.
type Appended struct {
	Base, End kafka.Offset // End is exclusive: the new log end offset
	Bytes     int
	Rolled    bool // a segment was finished: the flusher should run
}

// Append writes whole batches whose offsets and epochs are final, in one write. The first offset must not be below the log end
// offset, and epochs must not fall. It takes nothing of b with it. After an error nothing of b is in the log; if the error wraps ErrFenced the log takes no
// more appends until it is opened again.
func (l *Log) Append(b []byte, now time.Time) (Appended, error) { panic("soon") }

// Span is a range of a segment's file. Release it.
type Span struct{}

// Read returns at most maxBytes starting with the batch that holds offset from, or with the next one. Batches at or above upTo (exclusive;
// a batch boundary) are left out. With atLeastOne the first batch comes whole even if it is larger. The range may end within a batch.
// Errors wrap kerr.OffsetOutOfRange below the log start and above the log end, ErrDamaged in a damaged range.
func (l *Log) Read(from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool) (Span, error) {
	panic("soon")
}

// Position, Length and FirstOffset describe the range: a zero Span is empty.
func (s *Span) Position() int64                         { panic("soon") }
func (s *Span) Len() int                                { panic("soon") }
func (s *Span) ReadAt(p []byte, off int64) (int, error) { panic("soon") }
func (s *Span) Descriptor() (fd uintptr, ok bool)       { panic("soon") }
func (s *Span) Release()                                { panic("soon") }

// Roll finishes the active segment and starts the next, unless it is empty.
func (l *Log) Roll(now time.Time) error { panic("soon") }

// TruncateTo removes all records at and above end.
func (l *Log) TruncateTo(end kafka.Offset, now time.Time) error { panic("soon") }

// TruncateFullyAndStartAt removes everything; the log continues empty at start.
func (l *Log) TruncateFullyAndStartAt(start kafka.Offset, now time.Time) error { panic("soon") }

// SetLogStartOffset raises the log start offset; Retain removes the segments that lie below it.
func (l *Log) SetLogStartOffset(start kafka.Offset) error { panic("soon") }

// Retain removes whole segments that retention no longer asks for, none that reaches above the high watermark.
func (l *Log) Retain(now time.Time, highWatermark kafka.Offset) (segments int, err error) {
	panic("soon")
}

// RollAged rolls the active segment if it is older than segment.ms.
func (l *Log) RollAged(now time.Time) (bool, error) { panic("soon") }

// Reap unlinks files that were removed at least the delete delay ago, and returns when to call again (zero: nothing is left).
func (l *Log) Reap(now time.Time) (next time.Time, err error) { panic("soon") }

// Flush makes everything appended so far durable and moves the recovery point. Any goroutine but one at a time; it does not hold up the writer.
func (l *Log) Flush() (recoveryPoint kafka.Offset, err error) { panic("soon") }

// Close flushes, takes a producer snapshot, and closes. Writer only, no flush running.
func (l *Log) Close(now time.Time) error { panic("soon") }

// Abandon closes without writing: the folder failed or is to be deleted.
func (l *Log) Abandon() { panic("soon") }

// TimestampOffset is the answer of a lookup by time.
type TimestampOffset struct {
	Offset    kafka.Offset
	Timestamp int64
	Epoch     kafka.LeaderEpoch
}

// OffsetForTimestamp finds the first record at or above the log start whose timestamp is at least ts (ms), and false if there is none.
func (l *Log) OffsetForTimestamp(ts int64) (TimestampOffset, bool, error) { panic("soon") }

// MaxTimestampOffset finds the record with the greatest timestamp, and false if the log is empty.
func (l *Log) MaxTimestampOffset() (TimestampOffset, bool, error) { panic("soon") }

// LatestEpoch returns the greatest leader epoch known, or kafka.NoEpoch.
func (l *Log) LatestEpoch() kafka.LeaderEpoch { panic("soon") }

// AssignEpoch notes that epoch starts at offset start (the log end offset when leadership begins). Writer only.
func (l *Log) AssignEpoch(epoch kafka.LeaderEpoch, start kafka.Offset) error { panic("soon") }

// EpochEndOffset answers OffsetForLeaderEpoch: the largest epoch at or below the asked one and where it ends (exclusive);
// kafka.NoEpoch and kafka.NoOffset if unknown.
func (l *Log) EpochEndOffset(epoch kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	panic("soon")
}

// EpochAt returns the leader epoch of an offset, or kafka.NoEpoch.
func (l *Log) EpochAt(offset kafka.Offset) kafka.LeaderEpoch { panic("soon") }

// SetConfig replaces the configuration. Writer only.
func (l *Log) SetConfig(c Config) { panic("soon") }
