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
func (n *Node) introduce(req *wire.RaftRequest) *wire.RaftResponse {
	if req.ClusterID != n.ClusterID {
		return &wire.RaftResponse{ErrorCode: kerr.InconsistentClusterID.Code, Leader: wire.RaftNode{ID: kafka.NoNode}}
	}
	leader, here, err := n.Voter.Introduce(raftnet.Voter(req.From))
	if !here && err == nil {
		err = kerr.NotLeaderForPartition
	}
	return &wire.RaftResponse{ErrorCode: code(err), Leader: raftnet.Node(leader)}
}

// deliver hands on the messages of a voter.
func (n *Node) deliver(req *wire.RaftRequest) error {
	if req.ClusterID != n.ClusterID {
		return kerr.InconsistentClusterID
	}
	err := n.Voter.Deliver(raftnet.Voter(req.From), quorum.ReplicaKey{ID: req.To, Directory: req.ToDirectory}, req.Messages)
	if err != nil {
		n.Log.Warn("messages of a voter were refused", "from", req.From.ID, "err", err)
	}
	switch {
	case errors.Is(err, quorum.ErrNotVoter):
		return kerr.InconsistentVoterSet
	case errors.Is(err, quorum.ErrNoMessage):
		return kerr.InvalidRequest
	}
	return err
}
