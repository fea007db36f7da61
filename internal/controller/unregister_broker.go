package controller

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

func (u UnregisterBroker) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrUnregisterBrokerResponse()
	response.Version = u.Request.Version
	b := c.Image().Cluster.Broker(kafka.NodeID(u.Request.BrokerID))
	if b == nil {
		refused := refuse(kerr.BrokerIDNotRegistered, "Broker ID %d is not currently registered", u.Request.BrokerID)
		response.ErrorCode, response.ErrorMessage = refused.split()
		return Result{Response: response}, nil
	}
	response.ErrorMessage = new("") // as Kafka has it
	var out records
	c.reelect(&out, leaves(b.ID), inISR(b.ID))
	out.add(&schema.UnregisterBrokerRecord{BrokerID: int32(b.ID), BrokerEpoch: int64(b.Epoch)}, 0)
	return Result{Records: out, Response: response}, nil
}
