package offsets

import "time"

// Config holds the settings of committed offsets.
type Config struct {
	MaxMetadata    int           // offset.metadata.max.bytes, in bytes of UTF-16 as Kafka counts
	Retention      time.Duration // offsets.retention.minutes
	RetentionCheck time.Duration // offsets.retention.check.interval.ms
}
