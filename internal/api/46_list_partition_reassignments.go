package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// ListPartitionReassignments, key 46, version 0. KIP-455.
func listPartitionReassignments(c *call, req *kmsg.ListPartitionReassignmentsRequest) *kmsg.ListPartitionReassignmentsResponse {
	return submit[*kmsg.ListPartitionReassignmentsResponse](c, controller.ListPartitionReassignments{Request: req})
}
