package forward

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// request is the request of Kafka's by which another node is asked for a command, and whose response answers it; nil if there is none.
func request(cmd controller.Command) kmsg.Request {
	switch cmd := cmd.(type) {
	case controller.CreateTopics:
		return cmd.Request
	case controller.DeleteTopics:
		return cmd.Request
	case controller.CreatePartitions:
		return cmd.Request
	case controller.IncrementalAlterConfigs:
		return cmd.Request
	case controller.AlterConfigs:
		return cmd.Request
	case controller.UpdateFeatures:
		return cmd.Request
	case controller.ElectLeaders:
		return cmd.Request
	case controller.AlterPartitionReassignments:
		return cmd.Request
	case controller.ListPartitionReassignments:
		return cmd.Request
	case controller.UnregisterBroker:
		return cmd.Request
	}
	return ofNode(cmd)
}

// ofNode is request of what nodes ask for themselves.
func ofNode(cmd controller.Command) kmsg.Request {
	switch cmd := cmd.(type) {
	case controller.RegisterBroker:
		return cmd.Request
	case controller.RegisterController:
		return cmd.Request
	case controller.Heartbeat:
		return cmd.Request
	case controller.AllocateProducerIDs:
		return cmd.Request
	case controller.AlterPartition:
		return cmd.Request
	case controller.AssignReplicasToDirs:
		return cmd.Request
	}
	return nil
}
