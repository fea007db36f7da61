package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// AlterConfigs, key 33, versions 0 to 2: replaces the whole configuration of a resource. KIP-133; deprecated by
// IncrementalAlterConfigs, which does not lose what another client set.
func alterConfigs(c *call, req *kmsg.AlterConfigsRequest) *kmsg.AlterConfigsResponse {
	return submit[*kmsg.AlterConfigsResponse](c, controller.AlterConfigs{Request: req, Receiver: c.receiver()})
}
