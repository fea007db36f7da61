package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
)

// AssignReplicasToDirs, key 73, version 0, on the controller listener. KIP-858: a broker tells in which log directories its replicas are.
func assignReplicasToDirs(c *call, req *kmsg.AssignReplicasToDirsRequest) *kmsg.AssignReplicasToDirsResponse {
	resp := submit[*kmsg.AssignReplicasToDirsResponse](c, controller.AssignReplicasToDirs{Request: req})
	if resp != nil {
		c.epochRefused(resp.ErrorCode, req.BrokerID, req.BrokerEpoch)
	}
	return resp
}
