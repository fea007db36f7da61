package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// AlterConfigs, key 33, versions 0 to 2: replaces the whole configuration of a resource. KIP-133; deprecated by
// IncrementalAlterConfigs, which does not lose what another client set.
func alterConfigs(c *call, req *kmsg.AlterConfigsRequest) *kmsg.AlterConfigsResponse {
	return submit[*kmsg.AlterConfigsResponse](c, controller.AlterConfigs{Request: req, Receiver: c.receiver()})
}

// receiver is this node if the request came to it as a broker, nil if it came to the controller's listener.
func (c *call) receiver() *kafka.NodeID {
	if c.on == onController {
		return nil
	}
	id := c.id()
	return &id
}
