package controller

import (
	"github.com/ottla/ottla/internal/metadata"
)

// Configs knows the configuration keys. The configuration room implements it; the core must not know it.
type Configs interface {
	// IsList reports whether a key takes APPEND and SUBTRACT; initial is the value that they start from when
	// nothing is set.
	IsList(t metadata.ResourceType, key string) (initial string, ok bool)
	// Validate judges what would be stored for a resource: the whole of it, as it is before and as it would be
	// after. The error wraps a kerr value, and its text is what the client reads: Kafka's, without the code.
	Validate(r metadata.ConfigResource, before, after map[string]string) error
	// IsLogger reports whether the node has a logger of that name (resource BROKER_LOGGER).
	IsLogger(name string) bool
	// Topic resolves what the controller must know of a topic.
	Topic(s Stored) TopicConfig
	// DescribeTopic lists the effective configuration of a topic, sorted by name, for the answer to CreateTopics.
	DescribeTopic(s Stored) []TopicConfigEntry
}

// Stored is what the log holds that bears on a topic's configuration. Read only.
type Stored struct {
	Cluster map[string]string // of BROKER with the empty name
	Node    map[string]string // of BROKER with this controller's id
	Topic   map[string]string // of the topic
}

// TopicConfig is what the controller must know of a topic.
type TopicConfig struct {
	MinInSyncReplicas     int
	UncleanLeaderElection bool
}

// TopicConfigEntry is one key of a topic's effective configuration.
type TopicConfigEntry struct {
	Name string
	// Value is nil for null and for sensitive keys.
	Value     *string
	Source    int8 // with the numbers of DescribeConfigs
	ReadOnly  bool
	Sensitive bool
}
