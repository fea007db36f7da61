package controller

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (r IncrementalAlterConfigs) handle(c *Controller, t turn) (Result, error) {
	asked := make([]configsAsked, len(r.Request.Resources))
	for i := range r.Request.Resources {
		res := &r.Request.Resources[i]
		asked[i] = configsAsked{resource: resourceOf(res.ResourceType, res.ResourceName)}
		for _, config := range res.Configs {
			asked[i].ops = append(asked[i].ops, configOp{name: config.Name, value: config.Value, kind: opKind(config.Op)})
		}
	}
	out := c.alterConfigs(asked, r.Receiver, r.Request.ValidateOnly)
	response := kmsg.NewPtrIncrementalAlterConfigsResponse()
	response.Version = r.Request.Version
	for i := range asked {
		if asked[i].said {
			continue
		}
		answer := kmsg.NewIncrementalAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.Request.Resources[i].ResourceType, r.Request.Resources[i].ResourceName
		answer.ErrorCode, answer.ErrorMessage = asked[i].refused.split()
		response.Resources = append(response.Resources, answer)
	}
	return Result{Records: out, Response: response}, nil
}
