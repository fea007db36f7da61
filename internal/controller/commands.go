package controller

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// CreateTopics creates topics. Its response is a *kmsg.CreateTopicsResponse.
type CreateTopics struct {
	Request *kmsg.CreateTopicsRequest
	// MayCreate and MayDescribe say what the principal may; nil allows all.
	MayCreate, MayDescribe func(topic string) bool
}

// DeleteTopics deletes topics by name or id. Its response is a *kmsg.DeleteTopicsResponse.
type DeleteTopics struct {
	Request *kmsg.DeleteTopicsRequest
	// MayDelete and MayDescribe say what the principal may; nil allows all.
	MayDelete, MayDescribe func(topic string) bool
}

// CreatePartitions adds partitions to topics. Its response is a *kmsg.CreatePartitionsResponse.
type CreatePartitions struct {
	Request *kmsg.CreatePartitionsRequest
	// MayAlter says what the principal may; nil allows all.
	MayAlter func(topic string) bool
}

// IncrementalAlterConfigs changes single keys. Its response is a *kmsg.IncrementalAlterConfigsResponse.
type IncrementalAlterConfigs struct {
	Request *kmsg.IncrementalAlterConfigsRequest
	// Receiver is the broker that the request came to, nil if it came to the controller's own listener. A broker
	// takes changes for itself and for all, and says no in its own words.
	Receiver *kafka.NodeID
}

// AlterConfigs replaces whole configurations. Its response is a *kmsg.AlterConfigsResponse.
type AlterConfigs struct {
	Request *kmsg.AlterConfigsRequest
	// Receiver is as in IncrementalAlterConfigs.
	Receiver *kafka.NodeID
}

// RegisterBroker registers a broker's incarnation. Its response is a *kmsg.BrokerRegistrationResponse.
type RegisterBroker struct {
	Request *kmsg.BrokerRegistrationRequest
	// PreviousDead says that the earlier incarnation is known to be dead, though its session may run on: the
	// registering process holds the lock of the same log directory. Without it a living session refuses the
	// newcomer, as in Kafka.
	PreviousDead bool
}

// Heartbeat keeps a broker's session and moves it between fenced, active and shutting down. Its response is a
// *kmsg.BrokerHeartbeatResponse.
type Heartbeat struct {
	Request *kmsg.BrokerHeartbeatRequest
}

// Disconnected tells that the connection broke by which a broker was heard: it may register anew from the same directories without waiting for
// its session to end. One that is gone for sure is fenced at once. Its response is nil.
type Disconnected struct {
	Broker int32
	Epoch  int64
	Gone   bool
}

// UnregisterBroker forgets a broker. Its response is a *kmsg.UnregisterBrokerResponse.
type UnregisterBroker struct {
	Request *kmsg.UnregisterBrokerRequest
}

// RegisterController registers a controller. Its response is a *kmsg.ControllerRegistrationResponse.
type RegisterController struct {
	Request *kmsg.ControllerRegistrationRequest
}

// AllocateProducerIDs gives a broker a block of producer ids. Its response is a *kmsg.AllocateProducerIDsResponse.
type AllocateProducerIDs struct {
	Request *kmsg.AllocateProducerIDsRequest
}

// UpdateFeatures moves feature levels. Its response is a *kmsg.UpdateFeaturesResponse.
type UpdateFeatures struct {
	Request *kmsg.UpdateFeaturesRequest
	// VotersTold says that all voters of a static quorum have told their directories, so that they can be written into the log. The quorum fills it in.
	VotersTold bool
}

// AlterPartition changes ISRs at the leader's request. Its response is a *kmsg.AlterPartitionResponse.
type AlterPartition struct {
	Request *kmsg.AlterPartitionRequest
}

// ElectLeaders elects preferred or unclean leaders. Its response is a *kmsg.ElectLeadersResponse.
type ElectLeaders struct {
	Request *kmsg.ElectLeadersRequest
}

// AlterPartitionReassignments begins and cancels moves of partitions to other replicas. Its response is a *kmsg.AlterPartitionAssignmentsResponse.
type AlterPartitionReassignments struct {
	Request *kmsg.AlterPartitionAssignmentsRequest
}

// ListPartitionReassignments lists the moves that are not done. Its response is a *kmsg.ListPartitionReassignmentsResponse.
type ListPartitionReassignments struct {
	Request *kmsg.ListPartitionReassignmentsRequest
}

// AssignReplicasToDirs notes the directory of replicas. Its response is a *kmsg.AssignReplicasToDirsResponse.
type AssignReplicasToDirs struct {
	Request *kmsg.AssignReplicasToDirsRequest
}

// Activate starts an epoch: the first one writes the bootstrap records, a later one aborts a transaction that an
// earlier leader left open. Its response is nil.
type Activate struct{}

// Expire does what is due: it fences brokers whose session ended, and moves leaders back. Its response is nil. See Controller.Deadline.
type Expire struct{}

var _ = []Command{
	CreateTopics{}, DeleteTopics{}, CreatePartitions{}, IncrementalAlterConfigs{}, AlterConfigs{}, RegisterBroker{},
	Heartbeat{}, Disconnected{}, UnregisterBroker{}, RegisterController{}, AllocateProducerIDs{}, UpdateFeatures{},
	AlterPartition{}, ElectLeaders{}, AlterPartitionReassignments{}, ListPartitionReassignments{}, AssignReplicasToDirs{}, Activate{}, Expire{},
}
