package config

import "strings"

// Type is the type of a key's value, as DescribeConfigs reports it.
type Type int8

// The types, with the bytes that DescribeConfigs sends.
const (
	Unknown  Type = 0
	Boolean  Type = 1
	String   Type = 2
	Int      Type = 3
	Short    Type = 4
	Long     Type = 5
	Double   Type = 6
	List     Type = 7
	Class    Type = 8
	Password Type = 9
)

// String returns the name of the type in Kafka's messages and pages.
func (t Type) String() string {
	return [...]string{"UNKNOWN", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}[t]
}

// Resource is the kind of thing that a key configures, with the bytes of the ConfigResource type on the wire.
type Resource int8

// The resources that have a table of keys.
const (
	TopicResource         Resource = 2
	BrokerResource        Resource = 4
	ClientMetricsResource Resource = 16
	GroupResource         Resource = 32
)

// Scope says who may change a broker key while the node runs.
type Scope int8

const (
	// ReadOnly keys are read from the file at start.
	ReadOnly Scope = iota
	// PerBroker keys may be altered for one broker.
	PerBroker
	// ClusterWide keys may be altered for one broker or for all.
	ClusterWide
)

// Status says what Ottla does with a key.
type Status int8

const (
	// Honoured keys act.
	Honoured Status = iota
	// Accepted keys are read, checked and echoed but have no effect here; the start warns of those that are set.
	Accepted
	// Refused keys would weaken safety if they were ignored: setting one stops the start.
	Refused
)

// Importance is Kafka's rank of a key; it orders the reference page.
type Importance int8

// The ranks.
const (
	High Importance = iota
	Medium
	Low
)

// Key is one row of the table.
type Key struct {
	// Name is the key as it stands in files and requests.
	Name string
	// Type is the type of the value.
	Type Type
	// Default is the value in text form when nothing sets the key; see NoDefault.
	Default string
	// NoDefault says that the default is null.
	NoDefault bool
	// Required says that a configuration without the key is refused.
	Required bool
	// Valid checks a value that is already of Type; nil accepts all.
	Valid Validator
	// Importance is Kafka's rank.
	Importance Importance
	// Scope says who may change a broker key at run time; topic, group and client-metrics keys are always dynamic.
	Scope Scope
	// Status says what Ottla does with the key.
	Status Status
	// Internal keys are accepted but not described.
	Internal bool
	// Synonyms are the broker keys that stand in when the key is not set, first wins.
	Synonyms []Synonym
	// Doc says in one or two sentences what the key does, with units.
	Doc string
}

// ownPrefix is what our own keys begin with. DescribeConfigs shows them where they are set or asked for by name.
const ownPrefix = "ottla."

func (k Key) own() bool { return strings.HasPrefix(k.Name, ownPrefix) }

// Synonym is a broker key that gives a topic or group key its default.
type Synonym struct {
	// Name is the broker key.
	Name string
	// Unit multiplies the broker key's value: 60000 from minutes, 3600000 from hours, else 1.
	Unit int64
}

// Validator checks values of a key.
type Validator interface {
	// Check returns what is wrong with a value, in Kafka's words, or "". The value is of the key's type and in the
	// form that Canonical gives.
	Check(key, value string) string
	// String describes the valid values: "[1,...]".
	String() string
}
