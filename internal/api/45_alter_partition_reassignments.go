package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// AlterPartitionReassignments, key 45, versions 0 and 1. KIP-455; KIP-860 lets the caller insist on the replication factor.
func alterPartitionReassignments(c *call, req *kmsg.AlterPartitionAssignmentsRequest) *kmsg.AlterPartitionAssignmentsResponse {
	return submit[*kmsg.AlterPartitionAssignmentsResponse](c, controller.AlterPartitionReassignments{Request: req})
}
