package commitlog

import (
	"errors"
	"hash/fnv"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

// Errors of this package, to be told apart with errors.Is. Offsets that are out of range give kerr.OffsetOutOfRange.
var (
	// ErrFenced says that a write failed and that the log takes no more until it is opened again. It comes with kerr.KafkaStorageError.
	ErrFenced = segment.ErrFenced
	// ErrDamaged says that the offsets are in a damaged range. It comes with kerr.CorruptMessage.
	ErrDamaged = errors.New("offsets are in a damaged range")
	// ErrOrder says that batches were to be appended whose offsets or epochs do not follow what is in the log.
	ErrOrder = errors.New("batches are out of order")
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("log is closed")
)

// Config is what a topic's configuration says about its logs.
type Config struct {
	SegmentBytes    int           // segment.bytes
	SegmentAge      time.Duration // segment.ms
	SegmentJitter   time.Duration // segment.jitter.ms
	IndexInterval   int           // index.interval.bytes
	IndexBytes      int           // segment.index.bytes: how large an index file may grow
	RetentionBytes  int64         // retention.bytes; negative: no limit
	RetentionAge    time.Duration // retention.ms; negative: no limit
	DeleteDelay     time.Duration // file.delete.delay.ms
	DeleteOld       bool          // cleanup.policy has delete; without, only what lies below the log start offset goes
	Compacted       bool          // cleanup.policy has, or had, compact: segments need not follow each other without gaps
	ProducerIdle    time.Duration // producer.id.expiration.ms
	MaxDecompressed int           // max.decompressed.message.bytes, for lookups by time
}

// DefaultConfig returns Kafka's defaults.
func DefaultConfig() Config {
	return Config{
		SegmentBytes:    1 << 30,
		SegmentAge:      7 * 24 * time.Hour,
		IndexInterval:   4096,
		IndexBytes:      10 << 20,
		RetentionBytes:  -1,
		RetentionAge:    7 * 24 * time.Hour,
		DeleteDelay:     time.Minute,
		DeleteOld:       true,
		ProducerIdle:    24 * time.Hour,
		MaxDecompressed: 1<<31 - 9,
	}
}

// segmentAge returns when the segment at base rolls: segment.ms less a jitter of its own, the same at each start.
func (c *Config) segmentAge(partition kafka.TopicPartition, base kafka.Offset) time.Duration {
	most := min(c.SegmentJitter, c.SegmentAge)
	if most <= 0 {
		return c.SegmentAge
	}
	h := fnv.New64a()
	h.Write([]byte(partition.String()))
	h.Write([]byte(segment.FileName(base, "")))
	return c.SegmentAge - time.Duration(h.Sum64()%uint64(most))
}

// Options tell Open about the partition and about the last shutdown.
type Options struct {
	Partition kafka.TopicPartition // for messages
	Config    Config
	Cache     *segment.Cache // bounds open files and loaded indexes; one for all logs of a node
	// Clean says that the log directory was shut down cleanly (.kafka_cleanshutdown), so that nothing needs to be scanned.
	Clean bool
	// Written says that only the process died since the log was last found whole, not the machine: all that it wrote is there, and only
	// its last write can be torn. Then headers are enough above the recovery point, but for the tail.
	Written bool
	// RecoveryPoint is from recovery-point-offset-checkpoint: what lies below was synced. 0 if unknown.
	RecoveryPoint kafka.Offset
	// LogStartOffset is from log-start-offset-checkpoint. 0 if unknown.
	LogStartOffset kafka.Offset
	// Cleaned is from cleaner-offset-checkpoint: what lies below is clean. 0 if unknown.
	Cleaned kafka.Offset
	Now     time.Time
}

// Report says what Open found.
type Report struct {
	Created      bool  // there was no log in the folder
	ScannedBytes int64 // bytes whose checksums were checked; of a log that was taken by its headers those of the tail
	LostBytes    int64 // bytes cut off the end because they were not whole, valid and in order
	Cut          error // why; nil if LostBytes is 0
	Odd          error // why headers were not enough for a log of a process that died; nil if they were
	Damage       []Damage
}
