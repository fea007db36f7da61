package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// ConsumerGroupHeartbeat, key 68, versions 0 and 1. KIP-848; version 1 has regular expressions and ids that the client
// draws (KIP-1082).
func consumerGroupHeartbeat(c *call, req *kmsg.ConsumerGroupHeartbeatRequest) {
	answer := func(resp any, err error) kmsg.Response {
		if err == nil {
			return resp.(*kmsg.ConsumerGroupHeartbeatResponse)
		}
		refused := kmsg.NewPtrConsumerGroupHeartbeatResponse()
		refused.ErrorCode, refused.ErrorMessage = code(err), message(err)
		return refused
	}
	if !c.servesConsumerGroups() {
		c.reply(answer(nil, kerr.UnsupportedVersion))
		return
	}
	c.askGroup(req.Group, group.ConsumerGroupHeartbeat{Request: req, Client: c.client()}, answer)
}
