package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// RemoveRaftVoter, key 81, version 0. KIP-853: a voter loses its vote and follows the metadata from then on. A broker asks the active controller.
// A leader that is to be removed hands over first, and is no leader to whoever asks: the next one does it.
func removeRaftVoter(c *call, req *kmsg.RemoveRaftVoterRequest) *kmsg.RemoveRaftVoterResponse {
	return byLeader(c, req, func() *kmsg.RemoveRaftVoterResponse {
		v := quorum.Voter{ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID}
		err := c.voterRequest("Remove", req.ClusterID, v)
		if err == nil {
			err = c.changeVoters(quorum.VoterChange{Kind: quorum.RemoveVoter, Voter: v}, commitWithin)
		}
		resp := kmsg.NewPtrRemoveRaftVoterResponse()
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp
	}, func(r *kmsg.RemoveRaftVoterResponse) int16 { return r.ErrorCode })
}
