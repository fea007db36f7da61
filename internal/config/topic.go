package config

import (
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Topic is the effective configuration of one topic: its overrides over the node's keys over the defaults.
// Sizes are bytes; a Duration or size of -1 (NoLimit) has no limit.
type Topic struct {
	// Compact and Delete are the cleanup policies; with neither nothing is ever removed (KIP-1161).
	Compact, Delete bool

	// CompressionType is "producer", "uncompressed" or the codec that records are stored with.
	CompressionType string
	GzipLevel       int // 1 to 9, or -1 for the codec's default
	LZ4Level        int
	ZstdLevel       int

	MaxMessageBytes      int // of a whole batch
	MaxDecompressedBytes int // of one record
	TimestampType        kafka.TimestampType
	TrustCompressed      bool          // ottla.compressed.check=header
	TimestampBeforeMax   time.Duration // how far in the past a timestamp may lie
	TimestampAfterMax    time.Duration // how far in the future

	SegmentBytes       int           // internal.segment.bytes if set
	SegmentAge         time.Duration // segment.ms
	SegmentJitter      time.Duration
	SegmentIndexBytes  int
	IndexIntervalBytes int

	RetentionBytes  int64
	Retention       time.Duration
	FileDeleteDelay time.Duration

	FlushMessages int64
	FlushInterval time.Duration

	DeleteRetention        time.Duration
	MinCompactionLag       time.Duration
	MaxCompactionLag       time.Duration
	MinCleanableDirtyRatio float64

	MinInSyncReplicas     int
	UncleanLeaderElection bool

	LeaderThrottledReplicas   []string // partition:broker, or one "*"
	FollowerThrottledReplicas []string
}

// NoLimit stands for Kafka's -1 where a duration has no limit.
const NoLimit time.Duration = -1

// Topic computes the effective configuration of a topic with these overrides. Values that don't parse read as 0:
// what is stored has passed ValidateTopic.
func (s Sources) Topic(overrides map[string]string) Topic {
	v := resourceValues{s, TopicResource, overrides}
	t := Topic{
		CompressionType: v.text("compression.type"),
		GzipLevel:       v.int("compression.gzip.level"),
		LZ4Level:        v.int("compression.lz4.level"),
		ZstdLevel:       v.int("compression.zstd.level"),

		MaxMessageBytes:      v.int("max.message.bytes"),
		MaxDecompressedBytes: v.int("max.decompressed.message.bytes"),
		TrustCompressed:      v.text("ottla.compressed.check") == "header",
		TimestampBeforeMax:   v.millis("message.timestamp.before.max.ms"),
		TimestampAfterMax:    v.millis("message.timestamp.after.max.ms"),

		SegmentBytes:       v.int("segment.bytes"),
		SegmentAge:         v.millis("segment.ms"),
		SegmentJitter:      v.millis("segment.jitter.ms"),
		SegmentIndexBytes:  v.int("segment.index.bytes"),
		IndexIntervalBytes: v.int("index.interval.bytes"),

		RetentionBytes:  v.int64("retention.bytes"),
		Retention:       v.millis("retention.ms"),
		FileDeleteDelay: v.millis("file.delete.delay.ms"),

		FlushMessages: v.int64("flush.messages"),
		FlushInterval: v.millis("flush.ms"),

		DeleteRetention:  v.millis("delete.retention.ms"),
		MinCompactionLag: v.millis("min.compaction.lag.ms"),
		MaxCompactionLag: v.millis("max.compaction.lag.ms"),

		MinInSyncReplicas:     v.int("min.insync.replicas"),
		UncleanLeaderElection: v.bool("unclean.leader.election.enable"),

		LeaderThrottledReplicas:   SplitList(v.text("leader.replication.throttled.replicas")),
		FollowerThrottledReplicas: SplitList(v.text("follower.replication.throttled.replicas")),
	}
	t.MinCleanableDirtyRatio, _ = parseDouble(v.text("min.cleanable.dirty.ratio"))
	if n := v.int("internal.segment.bytes"); n > 0 {
		t.SegmentBytes = n
	}
	if v.text("message.timestamp.type") == "LogAppendTime" {
		t.TimestampType = kafka.LogAppendTime
	}
	for _, p := range SplitList(v.text("cleanup.policy")) {
		t.Compact = t.Compact || p == "compact"
		t.Delete = t.Delete || p == "delete"
	}
	return t
}

// resourceValues reads keys of a topic or a group.
type resourceValues struct {
	s         Sources
	resource  Resource
	overrides map[string]string
}

func (v resourceValues) text(name string) string {
	k, _ := Lookup(v.resource, name)
	raw, ok := v.overrides[name]
	if !ok {
		raw, _ = v.s.inherited(k)
	}
	c, err := k.Canonical(raw)
	if err != nil {
		return ""
	}
	return c
}

func (v resourceValues) int64(name string) int64 {
	n, _ := strconv.ParseInt(v.text(name), 10, 64)
	return n
}

func (v resourceValues) bool(name string) bool { return v.text(name) == "true" }

func (v resourceValues) int(name string) int { return int(v.int64(name)) }

func (v resourceValues) millis(name string) time.Duration {
	return duration(v.int64(name), time.Millisecond)
}
