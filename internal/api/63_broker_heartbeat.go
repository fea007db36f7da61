package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// BrokerHeartbeat, key 63, versions 0 to 2, on the controller listener. KIP-631: keeps the session, asks to be
// unfenced or to shut down. KIP-858: reports directories that failed.
func brokerHeartbeat(c *call, req *kmsg.BrokerHeartbeatRequest) *kmsg.BrokerHeartbeatResponse {
	return submit[*kmsg.BrokerHeartbeatResponse](c, controller.Heartbeat{Request: req})
}
