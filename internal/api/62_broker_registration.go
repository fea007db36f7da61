package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// BrokerRegistration, key 62, versions 0 to 4, on the controller listener. KIP-631, KIP-858 (directories), KIP-1066
// (cordoned directories). A living incarnation of the same id keeps a newcomer out until its session ends, unless its connection has ended
// and the newcomer has its directories.
func brokerRegistration(c *call, req *kmsg.BrokerRegistrationRequest) *kmsg.BrokerRegistrationResponse {
	resp := submit[*kmsg.BrokerRegistrationResponse](c, controller.RegisterBroker{Request: req})
	if resp != nil && resp.ErrorCode == 0 {
		c.broker = brokerKey{kafka.NodeID(req.BrokerID), kafka.BrokerEpoch(resp.BrokerEpoch)}
	}
	return resp
}
