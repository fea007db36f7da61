package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/quorum"
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
	c.reply(&wire.RaftResponse{ErrorCode: code(c.deliver(&req))})
}

// deliver hands on the messages of a voter.
func (n *Node) deliver(req *wire.RaftRequest) error {
	if req.ClusterID != n.ClusterID {
		return kerr.InconsistentClusterID
	}
	err := n.Voter.Deliver(quorum.ReplicaKey{ID: req.From, Directory: req.FromDirectory}, quorum.ReplicaKey{ID: req.To, Directory: req.ToDirectory}, req.Messages)
	if err != nil {
		n.Log.Warn("messages of a voter were refused", "from", req.From, "err", err)
	}
	switch {
	case errors.Is(err, quorum.ErrNotVoter):
		return kerr.InconsistentVoterSet
	case errors.Is(err, quorum.ErrNoMessage):
		return kerr.InvalidRequest
	}
	return err
}
