package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// IncrementalAlterConfigs, key 44, versions 0 and 1. KIP-339: sets, deletes, appends to and subtracts from single keys. KIP-412: levels of
// loggers, which are this process's and are not kept.
func incrementalAlterConfigs(c *call, req *kmsg.IncrementalAlterConfigsRequest) *kmsg.IncrementalAlterConfigsResponse {
	resp := submit[*kmsg.IncrementalAlterConfigsResponse](c, controller.IncrementalAlterConfigs{Request: req, Receiver: c.receiver()})
	if resp == nil {
		return nil
	}
	for _, r := range req.Resources {
		accepted := slices.ContainsFunc(resp.Resources, func(a kmsg.IncrementalAlterConfigsResponseResource) bool {
			return a.ResourceType == r.ResourceType && a.ResourceName == r.ResourceName && a.ErrorCode == 0
		})
		if r.ResourceType == kmsg.ConfigResourceTypeBrokerLogger && accepted && !req.ValidateOnly {
			c.setLevels(r.Configs)
		}
	}
	return resp
}

// setLevels changes levels of loggers, which the controller has checked.
func (c *call) setLevels(levels []kmsg.IncrementalAlterConfigsRequestResourceConfig) {
	for _, l := range levels {
		switch {
		case l.Op == kmsg.IncrementalAlterConfigOpDelete:
			c.Levels.Unset(l.Name)
			c.Log.Info("log level follows the root", "logger", l.Name)
		case l.Value != nil:
			if err := c.Levels.Set(l.Name, *l.Value); err == nil {
				c.Log.Info("log level changed", "logger", l.Name, "level", *l.Value)
			}
		}
	}
}
