package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// BrokerRegistration, key 62, versions 0 to 4, on the controller listener. KIP-631, KIP-858 (directories), KIP-1066
// (cordoned directories). A living incarnation of the same id keeps a newcomer out until its session ends: only this
// node's own start, which holds the lock of the directory, can prove it dead.
func brokerRegistration(c *call, req *kmsg.BrokerRegistrationRequest) *kmsg.BrokerRegistrationResponse {
	return submit[*kmsg.BrokerRegistrationResponse](c, controller.RegisterBroker{Request: req})
}
