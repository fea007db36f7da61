package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// UnregisterBroker, key 64, version 0. KIP-631: a broker that is gone for good is forgotten.
func unregisterBroker(c *call, req *kmsg.UnregisterBrokerRequest) *kmsg.UnregisterBrokerResponse {
	return submit[*kmsg.UnregisterBrokerResponse](c, controller.UnregisterBroker{Request: req})
}
