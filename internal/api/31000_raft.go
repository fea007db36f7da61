package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/raftnet"
	"github.com/ottla/ottla/internal/wire"
)

// Raft, key 31000, version 0, on the controller listener: Ottla's own, not listed by ApiVersions. Messages of another voter of the metadata
// quorum, which Raft answers by messages of its own.
func raft(c *call, body []byte) {
	var req wire.RaftRequest
	if err := req.Read(c.hdr, body); err != nil {
		c.refuse(c.req, c.hdr, err)
		return
	}
	if req.To == kafka.NoNode {
		c.reply(c.introduce(&req))
		return
	}
	c.reply(&wire.RaftResponse{ErrorCode: code(c.deliver(&req)), Leader: wire.RaftNode{ID: kafka.NoNode}})
}

// introduce has a controller follow if this node leads, and says who leads.
func (c *call) introduce(req *wire.RaftRequest) *wire.RaftResponse {
	if !c.ofCluster(req.From.ID, req.ClusterID) {
		return &wire.RaftResponse{ErrorCode: kerr.InconsistentClusterID.Code, Leader: wire.RaftNode{ID: kafka.NoNode}}
	}
	leader, here, err := c.Voter.Introduce(raftnet.Voter(req.From))
	if !here && err == nil {
		err = kerr.NotLeaderForPartition
	}
	return &wire.RaftResponse{ErrorCode: code(err), Leader: raftnet.Node(leader)}
}

// deliver hands on the messages of a voter.
func (c *call) deliver(req *wire.RaftRequest) error {
	if !c.ofCluster(req.From.ID, req.ClusterID) {
		return kerr.InconsistentClusterID
	}
	err := c.Voter.Deliver(raftnet.Voter(req.From), quorum.ReplicaKey{ID: req.To, Directory: req.ToDirectory}, req.Messages)
	switch {
	case errors.Is(err, quorum.ErrOtherDisk):
		c.intruded(forOtherDisk, req.From.ID, kerr.InconsistentVoterSet.Code, "directory "+req.ToDirectory.String())
		return kerr.InconsistentVoterSet
	case errors.Is(err, quorum.ErrNotVoter):
		c.intruded(noVoter, req.From.ID, kerr.InconsistentVoterSet.Code, "directory "+req.From.Directory.String(), "err", err)
		return kerr.InconsistentVoterSet
	case errors.Is(err, quorum.ErrNoMessage):
		c.intruded(noMessages, req.From.ID, kerr.InvalidRequest.Code, "", "err", err)
		return kerr.InvalidRequest
	}
	return err
}
