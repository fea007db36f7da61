package node

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
)

// topicDefaults are the dynamic broker keys that are defaults of topics, or of the cleaners (partition's TestCleanersAreReconfigured), each with another value
// than its default.
var topicDefaults = map[string]string{
	"compression.gzip.level":              "5",
	"compression.lz4.level":               "5",
	"compression.type":                    "gzip",
	"compression.zstd.level":              "5",
	"log.cleanup.policy":                  "compact",
	"log.flush.interval.messages":         "5",
	"log.flush.interval.ms":               "5",
	"log.index.interval.bytes":            "5",
	"log.index.size.max.bytes":            "500",
	"log.message.timestamp.after.max.ms":  "5",
	"log.message.timestamp.before.max.ms": "5",
	"log.message.timestamp.type":          "LogAppendTime",
	"log.retention.bytes":                 "5",
	"log.retention.ms":                    "5",
	"log.roll.jitter.ms":                  "5",
	"log.roll.ms":                         "5",
	"log.segment.bytes":                   "5000000",
	"log.segment.delete.delay.ms":         "5",
	"max.decompressed.message.bytes":      "5",
	"message.max.bytes":                   "5",
	"min.insync.replicas":                 "5",
	"ottla.compressed.check":              "header",
	"producer.id.expiration.ms":           "5",
	"log.cleaner.backoff.ms":              "5",
	"log.cleaner.dedupe.buffer.size":      "5000000",
	"log.cleaner.io.buffer.load.factor":   "0.5",
	"log.cleaner.io.buffer.size":          "5",
	"log.cleaner.io.max.bytes.per.second": "5",
	"log.cleaner.threads":                 "2",
	"log.cleaner.delete.retention.ms":     "5",
	"log.cleaner.max.compaction.lag.ms":   "5",
	"log.cleaner.min.cleanable.ratio":     "0.25",
	"log.cleaner.min.compaction.lag.ms":   "5",
	"unclean.leader.election.enable":      "true",
}

// seenElsewhere are the other dynamic broker keys that act, with the tests that show how.
var seenElsewhere = map[string]string{
	"cordoned.log.dirs":                              "TestCordonedDirectories",
	"follower.replication.throttled.rate":            "TestThrottledReplication",
	"group.consumer.assignment.interval.ms":          "TestGroupsFollowTheCluster",
	"leader.replication.throttled.rate":              "TestThrottledReplication",
	"listener.security.protocol.map":                 "refused: see docs/deviations.md",
	"listeners":                                      "refused: see docs/deviations.md",
	"max.connection.creation.rate":                   "TestConnectionLimitsChange",
	"max.connections":                                "TestConnectionLimitsChange",
	"max.connections.per.ip":                         "TestConnectionLimitsChange",
	"max.connections.per.ip.overrides":               "TestConnectionLimitsChange",
	"num.recovery.threads.per.data.dir":              "openPartitions: from the next start on",
	"replica.alter.log.dirs.io.max.bytes.per.second": "TestReplicasMoveBetweenDirectories",
}

// TestEveryDynamicKeyActs changes each dynamic broker key, for all brokers and for one, and looks for its effect. Keys that have none say so
// in the table, and the reference page with it.
func TestEveryDynamicKeyActs(t *testing.T) {
	for _, k := range config.Keys(config.BrokerResource) {
		value, topic := topicDefaults[k.Name]
		_, other := seenElsewhere[k.Name]
		acts := k.Scope != config.ReadOnly && k.Status == config.Honoured
		switch {
		case acts && !topic && !other:
			t.Errorf("%s is dynamic and said to act: show how", k.Name)
		case !acts && (topic || other):
			t.Errorf("%s acts, and the table does not say so", k.Name)
		case topic:
			cluster := config.Sources{Cluster: map[string]string{k.Name: value}}
			broker := config.Sources{Broker: map[string]string{k.Name: value}, Cluster: map[string]string{k.Name: k.Default}}
			if k.NoDefault {
				delete(broker.Cluster, k.Name)
			}
			if got := resolved(cluster); got == resolved(config.Sources{}) {
				t.Errorf("%s for all brokers changes nothing", k.Name)
			} else if got != resolved(broker) {
				t.Errorf("%s for one broker is not what it is for all", k.Name)
			}
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(topicDefaults)), slices.Collect(maps.Keys(seenElsewhere))) {
		if _, ok := config.Lookup(config.BrokerResource, name); !ok {
			t.Errorf("no key is called %s", name)
		}
	}
}

// resolved is all that a node makes of the defaults of topics. Levels of codecs that are not used show in the configuration alone.
func resolved(s config.Sources) string {
	t := s.Topic(nil)
	c := configs{}.Topic(controller.Stored{Cluster: s.Cluster, Node: s.Broker})
	return fmt.Sprintf("%+v %+v %+v %+v", t, topicConfig(t, s.Millis("producer.id.expiration.ms")), c, cleanerConfig(s))
}
