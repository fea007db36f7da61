package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// LeaveGroup, key 13, versions 0 to 5. KIP-345 (many members, version 3), KIP-800 (the reason, version 5).
//
// Before version 3 one member leaves, and its error is that of the answer.
func leaveGroup(c *call, req *kmsg.LeaveGroupRequest) {
	answer := func(resp any, err error) kmsg.Response {
		if err != nil {
			refused := kmsg.NewPtrLeaveGroupResponse()
			refused.ErrorCode = code(err)
			return refused
		}
		left := resp.(*kmsg.LeaveGroupResponse)
		if req.Version < 3 && left.ErrorCode == 0 && len(left.Members) == 1 {
			left.ErrorCode = left.Members[0].ErrorCode
		}
		return left
	}
	if req.Group == "" {
		c.reply(answer(nil, kerr.InvalidGroupID))
		return
	}
	if req.Version < 3 {
		m := kmsg.NewLeaveGroupRequestMember()
		m.MemberID = req.MemberID
		req.Members = append(req.Members, m)
	}
	c.askGroup(req.Group, group.LeaveGroup{Request: req}, answer)
}
