package raftnet

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// Node is a controller as messages name it.
func Node(v quorum.Voter) wire.RaftNode {
	n := wire.RaftNode{ID: v.ID, Directory: v.Directory}
	for _, e := range v.Endpoints {
		n.Endpoints = append(n.Endpoints, wire.RaftEndpoint{Listener: e.Listener, Host: e.Host, Port: e.Port})
	}
	return n
}

// Voter is the way back from Node.
func Voter(n wire.RaftNode) quorum.Voter {
	v := quorum.Voter{ID: n.ID, Directory: n.Directory}
	for _, e := range n.Endpoints {
		v.Endpoints = append(v.Endpoints, metadata.Endpoint{Listener: e.Listener, Host: e.Host, Port: e.Port})
	}
	return v
}

// ErrNoLeader says that nobody who was asked knows the leader.
var ErrNoLeader = errors.New("nobody who was asked knows the leader of the metadata quorum")

// way connects to somebody who may know the leader.
type way func(context.Context) (net.Conn, error)

// Introduce implements quorum.Config.Introduce: it asks the voters, then those that the configuration names, and the leader that any of them knows.
func (n *Net) Introduce(ctx context.Context, voters []quorum.Voter) (quorum.Voter, error) {
	to := func(v quorum.Voter) way {
		return func(ctx context.Context) (net.Conn, error) { return n.o.Dial(ctx, v) }
	}
	var ways []way
	for _, v := range voters {
		ways = append(ways, to(v))
	}
	for _, address := range n.o.Bootstrap {
		ways = append(ways, func(ctx context.Context) (net.Conn, error) { return n.o.DialAddress(ctx, address) })
	}
	err, asked := ErrNoLeader, map[kafka.NodeID]bool{}
	for len(ways) > 0 && ctx.Err() == nil {
		next := ways[0]
		ways = ways[1:]
		resp, failed := n.introduceTo(ctx, next)
		if failed != nil {
			err = fmt.Errorf("%w: %w", ErrNoLeader, failed)
			continue
		}
		leader := Voter(resp.Leader)
		switch code := kerr.ErrorForCode(resp.ErrorCode); {
		case code == nil:
			n.said.Store(0)
			return leader, nil
		case !errors.Is(code, kerr.NotLeaderForPartition):
			n.refused(leader.ID, resp.ErrorCode, code)
			return leader, code
		case leader.ID != kafka.NoNode && !asked[leader.ID]:
			asked[leader.ID] = true
			ways = append([]way{to(leader)}, ways...)
		}
	}
	return quorum.Voter{}, err
}

// refused logs that this node may not follow, until the answer is another.
func (n *Net) refused(by kafka.NodeID, code int16, why error) {
	if n.said.Swap(int32(code)) == int32(code) {
		return
	}
	hint := "see what it logs of this node"
	if errors.Is(why, kerr.InconsistentClusterID) {
		hint = "one of the two is of another cluster: see cluster.id in the meta.properties of both"
	}
	n.o.Log.Warn("the leader of the metadata quorum does not have this node follow", "leader", by, "cluster", n.o.ClusterID, "err", why, "hint", hint)
}

func (n *Net) introduceTo(ctx context.Context, connect way) (*wire.RaftResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, n.o.Timeout)
	defer cancel()
	client := peer.New(peer.Options{ID: fmt.Sprint("raft-", n.o.Self), MaxFrame: maxAnswer, Dial: connect})
	defer client.Close()
	resp, err := client.Do(ctx, &wire.RaftRequest{ClusterID: n.o.ClusterID, From: n.self(), To: kafka.NoNode})
	if err != nil {
		return nil, err
	}
	return resp.(*wire.RaftResponse), nil
}

// self is this node as its messages name it.
func (n *Net) self() wire.RaftNode {
	v := quorum.Voter{ID: n.o.Self, Directory: n.o.Directory}
	if n.o.Endpoints != nil {
		v.Endpoints = n.o.Endpoints()
	}
	return Node(v)
}
