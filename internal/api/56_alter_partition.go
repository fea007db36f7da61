package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// AlterPartition, key 56, versions 2 and 3, on the controller listener. KIP-497: the leader of a partition asks for another in-sync set. KIP-841 (a recovering
// leader), KIP-903 (broker epochs, version 3).
func alterPartition(c *call, req *kmsg.AlterPartitionRequest) *kmsg.AlterPartitionResponse {
	return submit[*kmsg.AlterPartitionResponse](c, controller.AlterPartition{Request: req})
}
