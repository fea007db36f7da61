package kafka

import (
	"strconv"
)

// NodeID identifies a broker or controller. Valid ids are ≥ 0.
type NodeID int32

// NoNode says that there is no such node: no leader, no vote, a client's fetch.
const NoNode NodeID = -1

// Offset is the position of a record in its partition, counted from 0.
type Offset int64

// NoOffset is the offset of nothing: unknown, or not asked for.
const NoOffset Offset = -1

// LeaderEpoch counts the leaderships of a partition; the Raft term in the metadata log.
type LeaderEpoch int32

// NoEpoch says that an epoch is unknown or that the peer did not send one.
const NoEpoch LeaderEpoch = -1

// PartitionEpoch counts the leadership and ISR records of a partition; it guards AlterPartition.
type PartitionEpoch int32

// BrokerEpoch is the offset of a broker's registration record: it fences older incarnations (KIP-903).
type BrokerEpoch int64

// NoBrokerEpoch says that the broker has not registered.
const NoBrokerEpoch BrokerEpoch = -1

// ProducerID identifies an idempotent producer.
type ProducerID int64

// NoProducerID, NoProducerEpoch and NoSequence mark a batch of a producer that is not idempotent.
const (
	NoProducerID    ProducerID = -1
	NoProducerEpoch int16      = -1
	NoSequence      int32      = -1
)

// NoTimestamp marks a batch or record without a timestamp. Timestamps are milliseconds since 1970.
const NoTimestamp int64 = -1

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String returns the name of the partition's folder, "topic-3".
func (t TopicPartition) String() string {
	return t.Topic + "-" + strconv.Itoa(int(t.Partition))
}

// Isolation says which bound limits a read.
type Isolation int8

const (
	// LogEnd reads up to the log end offset: followers and recovery.
	LogEnd Isolation = iota
	// HighWatermark reads up to the high watermark: consumers with read_uncommitted.
	HighWatermark
	// Committed reads up to the last stable offset: consumers with read_committed.
	Committed
)

// Origin says who appends, and so which checks the batches need.
type Origin int8

const (
	// FromClient is a Produce request: everything is checked, control batches are refused.
	FromClient Origin = iota
	// FromCoordinator is a group, transaction or share coordinator of this node.
	FromCoordinator
	// FromReplication is a follower's copy: offsets and epochs are the leader's, bytes stay as they are.
	FromReplication
	// FromRaftLeader is the metadata quorum.
	FromRaftLeader
)

// TimestampType says who sets the timestamps of a topic's records.
type TimestampType int8

const (
	// CreateTime keeps the producer's timestamps.
	CreateTime TimestampType = 0
	// LogAppendTime is the broker's clock at the append.
	LogAppendTime TimestampType = 1
)
