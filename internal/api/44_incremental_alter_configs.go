package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// IncrementalAlterConfigs, key 44, versions 0 and 1. KIP-339: sets, deletes, appends to and subtracts from single keys.
func incrementalAlterConfigs(c *call, req *kmsg.IncrementalAlterConfigsRequest) *kmsg.IncrementalAlterConfigsResponse {
	return submit[*kmsg.IncrementalAlterConfigsResponse](c, controller.IncrementalAlterConfigs{Request: req, Receiver: c.receiver()})
}

// receiver is the broker that a change of configurations came to, nil for a controller's listener.
func (c *call) receiver() *kafka.NodeID {
	if c.on == onController {
		return nil
	}
	return new(c.id())
}
