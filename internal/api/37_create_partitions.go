package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// CreatePartitions, key 37, versions 0 to 3. KIP-195. Count is the new total; partitions never become fewer.
func createPartitions(c *call, req *kmsg.CreatePartitionsRequest) *kmsg.CreatePartitionsResponse {
	return submit[*kmsg.CreatePartitionsResponse](c, controller.CreatePartitions{Request: req})
}
