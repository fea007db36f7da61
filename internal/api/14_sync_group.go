package api

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// SyncGroup, key 14, versions 0 to 5. KIP-345 (static members, version 3), KIP-559 (protocol type and name, which version 5
// must have).
//
// The reply waits for the assignment by the group's leader.
func syncGroup(c *call, req *kmsg.SyncGroupRequest) {
	answer := func(resp any, err error) kmsg.Response {
		if err == nil {
			return resp.(*kmsg.SyncGroupResponse)
		}
		refused := kmsg.NewPtrSyncGroupResponse()
		refused.ErrorCode = code(err)
		return refused
	}
	switch {
	case req.Version >= 5 && (req.ProtocolType == nil || req.Protocol == nil):
		c.reply(answer(nil, kerr.InconsistentGroupProtocol))
		return
	case req.Group == "":
		c.reply(answer(nil, kerr.InvalidGroupID))
		return
	}
	for i := range req.GroupAssignment { // it is in the request's frame
		req.GroupAssignment[i].MemberAssignment = bytes.Clone(req.GroupAssignment[i].MemberAssignment)
	}
	c.askGroup(req.Group, group.SyncGroup{Request: req}, answer)
}
