package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// Heartbeat, key 12, versions 0 to 4. KIP-345 (static members, version 3).
//
// A coordinator that is still being loaded says that all is well: the session begins anew when it is.
func heartbeat(c *call, req *kmsg.HeartbeatRequest) {
	answer := func(resp any, err error) kmsg.Response {
		if err == nil {
			return resp.(*kmsg.HeartbeatResponse)
		}
		refused := kmsg.NewPtrHeartbeatResponse()
		if !errors.Is(err, kerr.CoordinatorLoadInProgress) {
			refused.ErrorCode = code(err)
		}
		return refused
	}
	if req.Group == "" {
		c.reply(answer(nil, kerr.InvalidGroupID))
		return
	}
	c.askGroup(req.Group, group.Heartbeat{Request: req}, answer)
}
