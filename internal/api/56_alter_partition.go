package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// AlterPartition, key 56, versions 2 and 3, on the controller listener. KIP-497: the leader of a partition asks for another in-sync set. KIP-841 (a recovering
// leader), KIP-903 (broker epochs, version 3).
func alterPartition(c *call, req *kmsg.AlterPartitionRequest) *kmsg.AlterPartitionResponse {
	resp := submit[*kmsg.AlterPartitionResponse](c, controller.AlterPartition{Request: req})
	if resp == nil {
		return nil
	}
	c.epochRefused(resp.ErrorCode, req.BrokerID, req.BrokerEpoch)
	if b := c.image().Cluster.Broker(kafka.NodeID(req.BrokerID)); b != nil && b.Fenced {
		if code := firstRefusal(resp); code != 0 {
			c.intruded(fencedBroker, b.ID, code, epochClaim(req.BrokerEpoch))
		}
	}
	return resp
}

// firstRefusal is the error code of the first partition that was refused.
func firstRefusal(resp *kmsg.AlterPartitionResponse) int16 {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return p.ErrorCode
			}
		}
	}
	return 0
}
