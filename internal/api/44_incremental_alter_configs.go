package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// IncrementalAlterConfigs, key 44, versions 0 and 1. KIP-339: sets, deletes, appends to and subtracts from single keys.
func incrementalAlterConfigs(c *call, req *kmsg.IncrementalAlterConfigsRequest) *kmsg.IncrementalAlterConfigsResponse {
	return submit[*kmsg.IncrementalAlterConfigsResponse](c, controller.IncrementalAlterConfigs{Request: req, Receiver: c.receiver()})
}
