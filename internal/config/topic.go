package config

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Topic is the effective configuration of one topic: its overrides over the node's keys over the defaults.
type Topic struct {
	// Cleanup policies; neither set means that nothing is ever removed (KIP-1161).
	Compact, Delete bool
	// CompressionType is "producer" or the codec that records are stored with.
	CompressionType                string
	GzipLevel, LZ4Level, ZstdLevel int

	MaxMessageBytes      int
	MaxDecompressedBytes int
	TimestampType        kafka.TimestampType
	TimestampBeforeMax   time.Duration
	TimestampAfterMax    time.Duration

	SegmentBytes       int
	SegmentAge         time.Duration // segment.ms
	SegmentJitter      time.Duration
	SegmentIndexBytes  int
	IndexIntervalBytes int
	Preallocate        bool

	RetentionBytes  int64         // -1: no limit
	Retention       time.Duration // -1 (NoLimit): no limit
	FileDeleteDelay time.Duration

	FlushMessages int64
	FlushInterval time.Duration

	DeleteRetention        time.Duration
	MinCompactionLag       time.Duration
	MaxCompactionLag       time.Duration
	MinCleanableDirtyRatio float64

	MinInSyncReplicas     int
	UncleanLeaderElection bool

	LeaderThrottledReplicas   []string
	FollowerThrottledReplicas []string
}

// NoLimit stands for Kafka's -1 where a duration has no limit.
const NoLimit time.Duration = -1

// Topic computes the effective configuration of a topic with these overrides. Values that don't parse count as
// not set: what is stored has passed ValidateTopic.
func (s Sources) Topic(overrides map[string]string) Topic { panic("later") }
