package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// ConsumerGroupDescribe, key 69, versions 0 and 1, for groups of KIP-848. KIP-1099 (version 1 tells the kind of a member).
func consumerGroupDescribe(c *call, req *kmsg.ConsumerGroupDescribeRequest) {
	failed := func(id string, code int16) kmsg.ConsumerGroupDescribeResponseGroup {
		g := kmsg.NewConsumerGroupDescribeResponseGroup()
		g.Group, g.ErrorCode = id, code
		return g
	}
	var named []string
	var refused []kmsg.ConsumerGroupDescribeResponseGroup
	for _, id := range repeated(req.Groups, mostRepeats, func(id string) string { return id }) {
		switch {
		case !c.servesConsumerGroups():
			refused = append(refused, failed(id, kerr.UnsupportedVersion.Code))
		case id == "":
			refused = append(refused, failed("", kerr.InvalidGroupID.Code))
		default:
			named = append(named, id)
		}
	}
	command := func(ids []string) any { return group.DescribeConsumerGroups{GroupIDs: ids} }
	gatherGroups(c, named, command, failed, func(groups []kmsg.ConsumerGroupDescribeResponseGroup) kmsg.Response {
		resp := kmsg.NewPtrConsumerGroupDescribeResponse()
		resp.Groups = append(refused, groups...)
		for i := range resp.Groups {
			if req.IncludeAuthorizedOperations && resp.Groups[i].ErrorCode == 0 {
				resp.Groups[i].AuthorizedOperations = groupOperations
			}
		}
		return resp
	})
}
