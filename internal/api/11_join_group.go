package api

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// JoinGroup, key 11, versions 0 to 9. KIP-62 (rebalance timeout, version 1), KIP-394 (a member id is given before the
// first join, version 4), KIP-345 (static members, version 5), KIP-559 (version 7 tells the protocol's type), KIP-800 (the
// reason, version 8; version 9 may skip the assignment).
//
// The reply waits for the other members of the group.
func joinGroup(c *call, req *kmsg.JoinGroupRequest) {
	refused := func(err error) *kmsg.JoinGroupResponse {
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.ErrorCode = code(err)
		return resp
	}
	if req.Group == "" {
		resp := refused(kerr.InvalidGroupID)
		resp.MemberID = req.MemberID
		c.reply(resp)
		return
	}
	for i := range req.Protocols { // it is in the request's frame
		req.Protocols[i].Metadata = bytes.Clone(req.Protocols[i].Metadata)
	}
	c.askGroup(req.Group, group.JoinGroup{Request: req, Client: c.client()}, func(resp any, err error) kmsg.Response {
		if err != nil {
			return refused(err)
		}
		return resp.(*kmsg.JoinGroupResponse)
	})
}
