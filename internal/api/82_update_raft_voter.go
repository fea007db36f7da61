package api

import (
	"cmp"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// UpdateRaftVoter, key 82, version 0, on the controller listener. KIP-853: where a voter is reached from now on, and what it supports.
func updateRaftVoter(c *call, req *kmsg.UpdateRaftVoterRequest) *kmsg.UpdateRaftVoterResponse {
	resp := kmsg.NewPtrUpdateRaftVoterResponse()
	v := quorum.Voter{
		ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID,
		MinKRaft: req.KRaftVersionFeature.MinSupportedVersion, MaxKRaft: req.KRaftVersionFeature.MaxSupportedVersion,
	}
	for _, l := range req.Listeners {
		v.Endpoints = append(v.Endpoints, metadata.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
	}
	resp.ErrorCode = code(c.updateVoter(req, v))
	leader, epoch := c.Quorum.Leader()
	resp.CurrentLeader.LeaderID, resp.CurrentLeader.LeaderEpoch = int32(leader), int32(epoch)
	if known, ok := c.Voter.Voter(leader); ok {
		for _, e := range known.Endpoints {
			if e.Listener == c.listener {
				resp.CurrentLeader.Host, resp.CurrentLeader.Port = e.Host, int32(e.Port)
			}
		}
	}
	return resp
}

func (c *call) updateVoter(req *kmsg.UpdateRaftVoterRequest, v quorum.Voter) error {
	if req.ClusterID != nil && !c.ofCluster(v.ID, *req.ClusterID) {
		return kerr.InconsistentClusterID
	}
	if err := quorumEpoch(c, max(0, kafka.LeaderEpoch(req.CurrentLeaderEpoch))); err != nil { // one that is not known is an old one
		return err
	}
	if err := cmp.Or(c.voterRequest("Update", nil, v), c.reachable("Update", v)); err != nil {
		return err
	}
	level := c.Quorum.Status().KRaftVersion
	_, known := c.Voter.Voter(v.ID)
	switch {
	case v.MinKRaft < 0 || v.MinKRaft > level || v.MaxKRaft < level:
		return kerr.InvalidRequest
	case level == 0 && !known:
		return kerr.VoterNotFound
	}
	return c.changeVoters(quorum.VoterChange{Kind: quorum.UpdateVoter, Voter: v, Early: true}, commitWithin)
}
