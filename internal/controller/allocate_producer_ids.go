package controller

import (
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// producerIDBlock is how many producer ids a broker gets at a time.
const producerIDBlock = 1000

func (a AllocateProducerIDs) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrAllocateProducerIDsResponse()
	response.Version = a.Request.Version
	b := c.Image().Cluster.Broker(kafka.NodeID(a.Request.BrokerID))
	next := c.Image().ProducerIDs.Next
	switch {
	case b == nil || b.Epoch != kafka.BrokerEpoch(a.Request.BrokerEpoch):
		response.ErrorCode = kerr.StaleBrokerEpoch.Code
		return Result{Response: response}, nil
	case next > math.MaxInt64-producerIDBlock:
		response.ErrorCode = kerr.UnknownServerError.Code
		return Result{Response: response}, nil
	}
	var out records
	out.add(&schema.ProducerIDsRecord{
		BrokerID: a.Request.BrokerID, BrokerEpoch: a.Request.BrokerEpoch, NextProducerID: int64(next) + producerIDBlock,
	}, 0)
	response.ProducerIDStart, response.ProducerIDLen = int64(next), producerIDBlock
	return Result{Records: out, Response: response}, nil
}
