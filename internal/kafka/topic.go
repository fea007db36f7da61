package kafka

import (
	"fmt"
)

// Internal topics, whose records have Kafka's own schemas.
const (
	ClusterMetadataTopic  = "__cluster_metadata"
	ConsumerOffsetsTopic  = "__consumer_offsets"
	TransactionStateTopic = "__transaction_state"
	ShareGroupStateTopic  = "__share_group_state"
)

// MaxTopicName is the longest topic name in bytes: with "-" and a partition number it must fit a folder's name.
const MaxTopicName = 249

// IsInternal reports whether Metadata marks the topic as internal, which consumers hide by default.
func IsInternal(topic string) bool {
	switch topic {
	case ConsumerOffsetsTopic, TransactionStateTopic, ShareGroupStateTopic:
		return true
	}
	return false
}

// CheckTopicName returns an error that says what is wrong with name, in Kafka's words, or nil.
func CheckTopicName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the empty string is not allowed")
	case name == "." || name == "..":
		return fmt.Errorf("'%s' is not allowed", name)
	case len(name) > MaxTopicName:
		return fmt.Errorf("the length of '%s' is longer than the max allowed length %d", name, MaxTopicName)
	}
	for i := range len(name) {
		if !topicByte(name[i]) {
			return fmt.Errorf("'%s' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name)
		}
	}
	return nil
}

func topicByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}
