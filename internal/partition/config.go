package partition

import (
	"math"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Config is the effective configuration of a topic, as far as its partitions need it.
type Config struct {
	Log               commitlog.Config
	MinInSyncReplicas int
	MaxMessageBytes   int // max.message.bytes: of a batch, as stored
	MaxDecompressed   int // max.decompressed.message.bytes: of a record in a compressed batch
	// Recompress says that compression.type names Codec, written at Level, instead of "producer".
	Recompress      bool
	Codec           compress.Codec
	Level           int
	Compacted       bool // cleanup.policy has compact: records need keys
	Deletable       bool // cleanup.policy has delete: DeleteRecords is allowed
	TimestampType   kafka.TimestampType
	TimestampBefore time.Duration // message.timestamp.before.max.ms; negative: any
	TimestampAfter  time.Duration // message.timestamp.after.max.ms; negative: any
	FlushMessages   int64         // flush.messages: sync before acknowledging each so many records
	FlushInterval   time.Duration // flush.ms; negative or the longest: never
	// TrustCompressed trusts the records of a compressed batch behind a good CRC instead of walking them, where nothing else needs the walk.
	TrustCompressed bool
	// LeaderThrottled and FollowerThrottled are the partitions whose replication is throttled here, as their leader and as a follower.
	LeaderThrottled, FollowerThrottled Throttled
	// Compaction is for the cleaners, of logs that are Compacted.
	Compaction compaction.Config
}

// flushes reports whether appends are flushed after a time.
func (c *Config) flushes() bool { return c.FlushInterval >= 0 && c.FlushInterval < math.MaxInt64 }
