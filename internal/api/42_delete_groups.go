package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// DeleteGroups, key 42, versions 0 to 3. KIP-229; KIP-1331 (version 3 has a message).
//
// A group with members stays. Deleting takes the committed offsets with it.
func deleteGroups(c *call, req *kmsg.DeleteGroupsRequest) {
	ids := repeated(req.Groups, 1, func(id string) string { return id })
	command := func(ids []string) any { return group.DeleteGroups{GroupIDs: ids} }
	failed := func(id string, code int16) kmsg.DeleteGroupsResponseGroup {
		g := kmsg.NewDeleteGroupsResponseGroup()
		g.Group, g.ErrorCode = id, code
		return g
	}
	gatherGroups(c, ids, command, failed, func(groups []kmsg.DeleteGroupsResponseGroup) kmsg.Response {
		resp := kmsg.NewPtrDeleteGroupsResponse()
		resp.Groups = groups
		return resp
	})
}
