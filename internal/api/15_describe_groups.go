package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// DescribeGroups, key 15, versions 0 to 6, for classic groups. KIP-430 (authorized operations, version 3), KIP-345 (static
// members, version 4), KIP-1043 (version 6 says which groups are not there; before, they are dead).
func describeGroups(c *call, req *kmsg.DescribeGroupsRequest) {
	command := func(ids []string) any { return group.DescribeGroups{Version: req.Version, GroupIDs: ids} }
	failed := func(id string, code int16) kmsg.DescribeGroupsResponseGroup {
		g := kmsg.NewDescribeGroupsResponseGroup()
		g.Group, g.ErrorCode = id, code
		return g
	}
	gatherGroups(c, repeated(req.Groups, mostRepeats, func(id string) string { return id }), command, failed, func(groups []kmsg.DescribeGroupsResponseGroup) kmsg.Response {
		resp := kmsg.NewPtrDescribeGroupsResponse()
		resp.Groups = groups
		for i := range groups {
			if req.IncludeAuthorizedOperations && groups[i].ErrorCode == 0 {
				groups[i].AuthorizedOperations = groupOperations
			}
		}
		return resp
	})
}
