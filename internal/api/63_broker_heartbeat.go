package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// BrokerHeartbeat, key 63, versions 0 to 2, on the controller listener. KIP-631: keeps the session, asks to be
// unfenced or to shut down. KIP-858: reports directories that failed.
func brokerHeartbeat(c *call, req *kmsg.BrokerHeartbeatRequest) *kmsg.BrokerHeartbeatResponse {
	resp := submit[*kmsg.BrokerHeartbeatResponse](c, controller.Heartbeat{Request: req})
	if resp == nil {
		return nil
	}
	if resp.ErrorCode == 0 {
		c.broker = brokerKey{kafka.NodeID(req.BrokerID), kafka.BrokerEpoch(req.BrokerEpoch)}
	}
	c.epochRefused(resp.ErrorCode, req.BrokerID, req.BrokerEpoch)
	return resp
}
