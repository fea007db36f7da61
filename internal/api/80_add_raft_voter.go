package api

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// AddRaftVoter, key 80, versions 0 and 1. KIP-853: a controller that follows the metadata is given a vote. A broker asks the active controller.
func addRaftVoter(c *call, req *kmsg.AddRaftVoterRequest) *kmsg.AddRaftVoterResponse {
	return byLeader(c, req, func() *kmsg.AddRaftVoterResponse {
		v := quorum.Voter{ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID, MaxKRaft: maxKRaftVersion}
		for _, l := range req.Listeners {
			v.Endpoints = append(v.Endpoints, metadata.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
		}
		err := c.ofVoters(req.ClusterID, v, true)
		if err == nil {
			change := quorum.VoterChange{Kind: quorum.AddVoter, Voter: v, Early: req.Version > 0 && !req.AckWhenCommitted}
			err = c.changeVoters(change, time.Duration(max(req.TimeoutMillis, 0))*time.Millisecond)
		}
		resp := kmsg.NewPtrAddRaftVoterResponse()
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp
	}, func(r *kmsg.AddRaftVoterResponse) int16 { return r.ErrorCode })
}

// retryLeader is the wait before the leader is looked for again.
const retryLeader = 50 * time.Millisecond

// byLeader has the leader of the quorum answer what a broker is asked, the next one when one leads no more; here answers if that is this node. By a
// listener of controllers it is whoever asks that finds the leader.
func byLeader[R any, Resp interface {
	*R
	kmsg.Response
}](c *call, req kmsg.Request, here func() Resp, errorCode func(Resp) int16) Resp {
	if c.on == onController {
		return here()
	}
	ctx, cancel := context.WithTimeout(c.Life, commitWithin)
	defer cancel()
	for {
		_, _, deposed := c.Quorum.LeaderUntil()
		resp, local := ask[Resp](c, req)
		if local {
			resp = here()
		}
		if resp == nil || errorCode(resp) != kerr.NotLeaderForPartition.Code {
			return resp
		}
		select {
		case <-deposed:
		case <-time.After(retryLeader): // whoever it was knew before this node did
		case <-ctx.Done():
			return resp
		}
	}
}

// maxKRaftVersion is the kraft.version of this release's controllers, and of Kafka's that are asked to join it.
const maxKRaftVersion = 1

// ofVoters checks what names a voter. Whoever is to be reached has to be so by the listener of controllers.
func (n *Node) ofVoters(clusterID *string, v quorum.Voter, reached bool) error {
	if clusterID != nil && *clusterID != n.ClusterID {
		return kerr.InconsistentClusterID
	}
	listed := false
	for _, e := range v.Endpoints {
		listed = listed || e.Listener == n.Config.ControllerListeners[0]
	}
	if v.ID < 0 || v.Directory.IsZero() || reached && !listed {
		return kerr.InvalidRequest
	}
	return nil
}

// changeVoters waits until a change of the voters is committed, for as long as asked.
func (n *Node) changeVoters(change quorum.VoterChange, within time.Duration) error {
	ctx, cancel := context.WithTimeout(n.Life, min(within, commitWithin))
	defer cancel()
	err := n.Quorum.ChangeVoters(ctx, change)
	switch {
	case errors.Is(err, quorum.ErrNotController):
		return kerr.NotLeaderForPartition
	case errors.Is(err, context.DeadlineExceeded):
		return kerr.RequestTimedOut
	}
	return err
}
