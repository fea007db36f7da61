package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// AllocateProducerIDs, key 67, version 0. KIP-730: a broker asks the controller for a block of producer ids.
func allocateProducerIDs(c *call, req *kmsg.AllocateProducerIDsRequest) *kmsg.AllocateProducerIDsResponse {
	resp := submit[*kmsg.AllocateProducerIDsResponse](c, controller.AllocateProducerIDs{Request: req})
	if resp != nil {
		c.epochRefused(resp.ErrorCode, req.BrokerID, req.BrokerEpoch)
	}
	return resp
}
