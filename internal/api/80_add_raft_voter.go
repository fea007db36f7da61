package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		v := quorum.Voter{ID: kafka.NodeID(req.VoterID), Directory: req.VoterDirectoryID, MaxKRaft: int16(metadata.LatestKRaftVersion)}
		for _, l := range req.Listeners {
			v.Endpoints = append(v.Endpoints, metadata.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
		}
		err := c.voterRequest("Add", req.ClusterID, v)
		if err == nil {
			err = c.reachable("Add", v)
		}
		if err == nil {
			within := commitWithin
			if req.TimeoutMillis > 0 {
				within = min(within, time.Duration(req.TimeoutMillis)*time.Millisecond)
			}
			err = c.changeVoters(quorum.VoterChange{Kind: quorum.AddVoter, Voter: v, Early: req.Version > 0 && !req.AckWhenCommitted}, within)
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

// voterRequest checks whom a request about a voter is for, and that it names one. What is its first word.
func (c *call) voterRequest(what string, clusterID *string, v quorum.Voter) error {
	switch {
	case clusterID != nil && !c.ofCluster(v.ID, *clusterID):
		return fmt.Errorf("The given id %q doesn't match the cluster id %q: %w", *clusterID, c.ClusterID, kerr.InconsistentClusterID)
	case v.ID < 0 || v.Directory.IsZero():
		return fmt.Errorf("%s voter request didn't include a valid voter: %w", what, kerr.InvalidRequest)
	}
	return nil
}

// reachable checks that a voter names an address of the listener by which controllers reach each other.
func (n *Node) reachable(what string, v quorum.Voter) error {
	name := n.Config.ControllerListeners[0]
	var all []string
	for _, e := range v.Endpoints {
		if e.Listener == name {
			return nil
		}
		all = append(all, fmt.Sprintf("ListenerName(%s)=%s/<unresolved>:%d", e.Listener, e.Host, e.Port)) // as Java writes it
	}
	return fmt.Errorf("%s voter request didn't include the endpoint (Endpoints(endpoints={%s})) for the default listener ListenerName(%s): %w",
		what, strings.Join(all, ", "), name, kerr.InvalidRequest)
}

// changeVoters waits until a change of the voters is committed, for as long as asked.
func (n *Node) changeVoters(change quorum.VoterChange, within time.Duration) error {
	ctx, cancel := context.WithTimeout(n.Life, within)
	defer cancel()
	err := n.Voter.ChangeVoters(ctx, change)
	switch {
	case errors.Is(err, quorum.ErrNotController):
		return kerr.NotLeaderForPartition
	case errors.Is(err, context.DeadlineExceeded):
		return kerr.RequestTimedOut
	}
	return err
}
