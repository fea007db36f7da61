package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// BrokerRegistration, key 62, versions 0 to 4, on the controller listener. KIP-631, KIP-858 (directories), KIP-1066
// (cordoned directories). A living incarnation of the same id keeps a newcomer out until its session ends, unless its connection has ended
// and the newcomer has its directories.
func brokerRegistration(c *call, req *kmsg.BrokerRegistrationRequest) *kmsg.BrokerRegistrationResponse {
	resp := submit[*kmsg.BrokerRegistrationResponse](c, controller.RegisterBroker{Request: req})
	if resp == nil {
		return nil
	}
	id := kafka.NodeID(req.BrokerID)
	switch resp.ErrorCode {
	case 0:
		c.broker = brokerKey{id, kafka.BrokerEpoch(resp.BrokerEpoch)}
	case kerr.InconsistentClusterID.Code:
		c.ofCluster(id, req.ClusterID)
	case kerr.DuplicateBrokerRegistration.Code:
		c.intruded(sameID, id, resp.ErrorCode, "incarnation "+kafka.UUID(req.IncarnationID).String())
	}
	return resp
}
