package node

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/forward"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/raftnet"
	"github.com/ottla/ottla/internal/replication"
)

// openVoters makes the way to the other voters. What it is asked comes after the quorum was opened.
func (n *Node) openVoters(directory kafka.UUID) {
	n.voters = raftnet.New(raftnet.Options{
		ClusterID: n.identity.ClusterID, Self: n.cfg.ID, Directory: directory, Quorum: func() *quorum.Engine { return n.engine },
		Endpoints: n.controllerEndpoints, Bootstrap: n.cfg.BootstrapServers,
		DialAddress: n.connect, Dial: n.dialVoter, Timeout: n.cfg.Quorum.PeerTimeout, MaxSnapshotPiece: n.cfg.Quorum.SnapshotFetchMaxBytes, Log: n.logger("quorum"),
	})
}

func (n *Node) newController() *forward.Controller {
	return forward.New(forward.Options{Self: n.cfg.ID, Quorum: n.quorum, Dial: n.dialVoter, Timeout: n.cfg.Network.RequestTimeout})
}

// openReplication makes what follows the leaders of replicas here. It follows nothing before the metadata says so.
func (n *Node) openReplication() {
	r := n.cfg.Replica
	n.replication = replication.New(replication.Options{
		Self: n.cfg.ID, Epoch: n.member.brokerEpoch, Dial: n.dialBroker, Controller: n.controller, Now: n.opts.Now, Log: n.logger("replication"),
		Limits: replication.Limits{
			MaxWait: r.FetchWaitMax, MinBytes: int32(r.FetchMinBytes), MaxBytes: int32(r.FetchResponseMaxBytes),
			MaxPartitionBytes: int32(r.PartitionFetchBytes), Backoff: r.FetchBackoff, Timeout: r.SocketTimeout,
		},
	})
}

// watchFollowers leaves out of in-sync sets who lags, until ctx ends.
func (n *Node) watchFollowers(ctx context.Context) {
	t := time.NewTicker(n.cfg.Replica.LagMax / 2)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			n.partitions.ExpireFollowers(n.opts.Now())
		case <-ctx.Done():
			return
		}
	}
}

// brokers is what leaders here know of other brokers: what the metadata says that the partitions follow.
type brokers struct{ n *Node }

// InSyncEpoch implements replica.Cluster.
func (b brokers) InSyncEpoch(id kafka.NodeID) kafka.BrokerEpoch {
	if r := b.n.image.Load().Cluster.Broker(id); r != nil && r.Active() {
		return r.Epoch
	}
	return kafka.NoBrokerEpoch
}

// dialBroker connects to another broker's listener for brokers.
func (n *Node) dialBroker(ctx context.Context, id kafka.NodeID) (net.Conn, error) {
	e, ok := n.image.Load().Cluster.Broker(id).Endpoint(n.cfg.InterBrokerListener)
	if !ok {
		return nil, fmt.Errorf("broker %d has no listener %s that this node knows of", id, n.cfg.InterBrokerListener)
	}
	return n.dial(ctx, e)
}

func (n *Node) dial(ctx context.Context, e metadata.Endpoint) (net.Conn, error) {
	return n.connect(ctx, net.JoinHostPort(e.Host, fmt.Sprint(e.Port)))
}

func (n *Node) connect(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Network.ConnectTimeout)
	defer cancel()
	return n.opts.Dial(ctx, "tcp", address)
}

// controllerEndpoints are where other controllers reach this one.
func (n *Node) controllerEndpoints() []metadata.Endpoint {
	var all []metadata.Endpoint
	for _, l := range n.cfg.ControllerAdvertised {
		all = append(all, metadata.Endpoint{Listener: l.Name, Host: n.advertisedHost(l.Host), Port: uint16(n.boundPort(l))})
	}
	return all
}

// boundPort is the port of a listener that is advertised, or the one that was bound where the configuration left it open.
func (n *Node) boundPort(l config.Listener) int {
	for _, e := range n.ends {
		if l.Port == 0 && e.config.Name == l.Name {
			return e.config.Port
		}
	}
	return l.Port
}

// dialVoter connects to a voter's listener of controllers.
func (n *Node) dialVoter(ctx context.Context, v quorum.Voter) (net.Conn, error) {
	i := slices.IndexFunc(v.Endpoints, func(e metadata.Endpoint) bool { return slices.Contains(n.cfg.ControllerListeners, e.Listener) })
	if i < 0 {
		return nil, fmt.Errorf("voter %d names none of the listeners %v", v.ID, n.cfg.ControllerListeners)
	}
	return n.dial(ctx, v.Endpoints[i])
}
