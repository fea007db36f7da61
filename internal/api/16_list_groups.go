package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group"
)

// ListGroups, key 16, versions 0 to 5. KIP-518 (states, version 4), KIP-848 (types, version 5).
//
// The groups are those that this node coordinates.
func listGroups(c *call, req *kmsg.ListGroupsRequest) {
	led := c.Groups.Led()
	parts := make([][]kmsg.ListGroupsResponseGroup, len(led))
	failures := make([]error, len(led))
	var questions []question
	for i, p := range led {
		cmd := group.ListGroups{States: req.StatesFilter, Types: req.TypesFilter}
		questions = append(questions, question{p, cmd, func(resp any, err error) {
			if err == nil {
				parts[i] = resp.([]kmsg.ListGroupsResponseGroup)
			} else if !errors.Is(err, kerr.NotCoordinator) { // it has gone elsewhere, and is listed there
				failures[i] = err
			}
		}})
	}
	c.gather(questions, func() kmsg.Response {
		resp := kmsg.NewPtrListGroupsResponse()
		for i := range led {
			if failures[i] != nil {
				resp.ErrorCode, resp.Groups = code(failures[i]), nil
				return resp
			}
			resp.Groups = append(resp.Groups, parts[i]...)
		}
		return resp
	})
}
