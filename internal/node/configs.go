package node

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/compaction"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/partition"
)

// configs tells the controller about configuration keys.
type configs struct {
	file   config.Sources
	levels *obs.Levels
}

var _ controller.Configs = configs{}

// IsList implements controller.Configs.
func (c configs) IsList(t metadata.ResourceType, key string) (string, bool) {
	k, ok := config.Lookup(config.Resource(t), key)
	if !ok || k.Type != config.List || t != metadata.TopicResource && t != metadata.BrokerResource { // Kafka has no lists elsewhere
		return "", false
	}
	return k.Default, true
}

// Validate implements controller.Configs.
func (c configs) Validate(r metadata.ConfigResource, before, after map[string]string) error {
	switch r.Type {
	case metadata.TopicResource:
		return c.file.ValidateTopic(after)
	case metadata.BrokerResource:
		return c.file.ValidateBroker(before, after, r.Name == "")
	case metadata.GroupResource:
		return c.file.ValidateGroup(after)
	case metadata.ClientMetricsResource:
		return config.ValidateClientMetrics(after)
	}
	return errors.New("this kind of resource has no configuration")
}

// IsLogger implements controller.Configs.
func (c configs) IsLogger(name string) bool { return c.levels.Has(name) }

// Topic implements controller.Configs.
func (c configs) Topic(s controller.Stored) controller.TopicConfig {
	t := c.sources(s).Topic(s.Topic)
	return controller.TopicConfig{MinInSyncReplicas: t.MinInSyncReplicas, UncleanLeaderElection: t.UncleanLeaderElection}
}

// DescribeTopic implements controller.Configs.
func (c configs) DescribeTopic(s controller.Stored) []controller.TopicConfigEntry {
	entries := c.sources(s).DescribeTopic(s.Topic, nil)
	out := make([]controller.TopicConfigEntry, 0, len(entries))
	for _, e := range entries {
		if raw, ok := s.Topic[e.Name]; ok && !e.Sensitive {
			e.Value = &raw // as it was sent, which is what Kafka answers
		}
		out = append(out, controller.TopicConfigEntry{
			Name: e.Name, Value: e.Value, Source: int8(e.Source), ReadOnly: e.ReadOnly, Sensitive: e.Sensitive,
		})
	}
	return out
}

func (c configs) sources(s controller.Stored) config.Sources {
	return c.file.WithDynamic(s.Cluster, s.Node)
}

// cleanerConfig is what the cleaners of compacted logs need.
func cleanerConfig(s config.Sources) partition.CleanerConfig {
	return partition.CleanerConfig{
		Enabled: s.Bool("log.cleaner.enable"), Threads: int(s.Int("log.cleaner.threads")),
		KeyBytes: s.Int("log.cleaner.dedupe.buffer.size"), KeyLoad: s.Double("log.cleaner.io.buffer.load.factor"),
		BufferBytes: int(s.Int("log.cleaner.io.buffer.size")), BytesPerSecond: s.Double("log.cleaner.io.max.bytes.per.second"),
		Backoff: s.Millis("log.cleaner.backoff.ms"),
	}
}

// throttledAt are the replicas of a node in a list of partition:broker, or *.
func throttledAt(self kafka.NodeID, replicas []string) partition.Throttled {
	var t partition.Throttled
	for _, r := range replicas {
		id, node, _ := strings.Cut(r, ":")
		n, err := strconv.ParseInt(id, 10, 32)
		switch {
		case r == "*":
			t.All = true
		case err == nil && node == strconv.Itoa(int(self)):
			t.Partitions = append(t.Partitions, int32(n))
		}
	}
	return t
}

// codecs are the values of compression.type that name a codec.
var codecs = []string{"uncompressed", "gzip", "snappy", "lz4", "zstd"}

// topicConfig is what a topic's partitions need of its effective configuration.
func topicConfig(t config.Topic, producerIdle time.Duration) partition.Config {
	c := partition.Config{
		Log: commitlog.Config{
			SegmentBytes: t.SegmentBytes, SegmentAge: t.SegmentAge, SegmentJitter: t.SegmentJitter,
			IndexInterval: t.IndexIntervalBytes, IndexBytes: t.SegmentIndexBytes,
			RetentionBytes: t.RetentionBytes, RetentionAge: t.Retention, DeleteDelay: t.FileDeleteDelay, DeleteOld: t.Delete,
			ProducerIdle: producerIdle, MaxDecompressed: t.MaxDecompressedBytes, Compacted: t.Compact,
		},
		MinInSyncReplicas: t.MinInSyncReplicas, MaxMessageBytes: t.MaxMessageBytes, MaxDecompressed: t.MaxDecompressedBytes,
		TrustCompressed: t.TrustCompressed, Compacted: t.Compact, Deletable: t.Delete || !t.Compact,
		TimestampType: t.TimestampType, TimestampBefore: t.TimestampBeforeMax, TimestampAfter: t.TimestampAfterMax,
		FlushMessages: t.FlushMessages, FlushInterval: t.FlushInterval,
		Compaction: compaction.Config{
			MinDirtyRatio: t.MinCleanableDirtyRatio, MinLag: t.MinCompactionLag, MaxLag: t.MaxCompactionLag, DeleteRetention: t.DeleteRetention,
		},
	}
	if t.Compact && t.MaxCompactionLag > 0 { // what is in the active segment is not compacted
		c.Log.SegmentAge = min(c.Log.SegmentAge, t.MaxCompactionLag)
	}
	if i := slices.Index(codecs, t.CompressionType); i >= 0 {
		c.Recompress, c.Codec = true, compress.Codec(i)
		c.Level = map[compress.Codec]int{compress.Gzip: t.GzipLevel, compress.LZ4: t.LZ4Level, compress.Zstd: t.ZstdLevel}[c.Codec]
	}
	return c
}
