package config

// Source says where a value comes from, with the bytes of DescribeConfigs.
type Source int8

// The sources.
const (
	FromTopic          Source = 1
	FromBroker         Source = 2
	FromClusterDefault Source = 3
	FromFile           Source = 4
	FromDefault        Source = 5
	FromClientMetrics  Source = 7
	FromGroup          Source = 8
)

// Sources is what a node knows of its configuration when it answers. The maps are read only.
type Sources struct {
	// File is what the properties file and the overrides of the command line set.
	File map[string]string
	// Cluster is the dynamic configuration of resource BROKER with the empty name.
	Cluster map[string]string
	// Broker is the dynamic configuration of this broker.
	Broker map[string]string
}

// Entry is one key in a DescribeConfigs answer.
type Entry struct {
	Name string
	// Value is nil for null and for sensitive keys.
	Value     *string
	Source    Source
	ReadOnly  bool
	Sensitive bool
	Type      Type
	// Synonyms are all the settings that could give the value, the one that does first.
	Synonyms []EntrySynonym
	// Doc is the description of the key.
	Doc string
}

// EntrySynonym is one setting behind an Entry.
type EntrySynonym struct {
	Name   string
	Value  *string
	Source Source
}

// DescribeTopic lists a topic's configuration, sorted by name. overrides are what is stored for the topic.
// keys limits the answer to those names; nil or empty asks for all.
func (s Sources) DescribeTopic(overrides map[string]string, keys []string) []Entry { panic("later") }

// DescribeBroker lists this broker's configuration, sorted by name.
func (s Sources) DescribeBroker(keys []string) []Entry { panic("later") }

// DescribeClusterDefault lists the dynamic defaults that are set for all brokers (resource BROKER, empty name).
func (s Sources) DescribeClusterDefault(keys []string) []Entry { panic("later") }

// DescribeGroup lists a group's configuration, sorted by name.
func (s Sources) DescribeGroup(overrides map[string]string, keys []string) []Entry { panic("later") }

// DescribeClientMetrics lists a client-metrics subscription, sorted by name.
func DescribeClientMetrics(overrides map[string]string, keys []string) []Entry { panic("later") }
