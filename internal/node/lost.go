package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

const (
	// probeWithin is how long a broker that may be gone is looked at: a large process on a busy machine takes its time to end.
	probeWithin = 3 * time.Second
	// lookEvery is the pause between looks at voters that may be gone, and how long each is looked at.
	lookEvery = 40 * time.Millisecond
	// leaveWithin bounds a controlled shutdown that nobody bounds.
	leaveWithin = 30 * time.Second
)

// probeLost looks, beside the caller, whether a broker whose connection broke is gone: its process is when its listener refuses connections, and then
// it is fenced at once instead of at the end of its session. Epochs keep that safe where it is wrong.
func (n *Node) probeLost(id kafka.NodeID, epoch kafka.BrokerEpoch) {
	if id != n.cfg.ID && n.life.Err() == nil {
		n.run(func() { n.fenceIfGone(id, epoch) })
	}
}

// probeAll does so with all brokers: this node has become the active controller, and perhaps because another one went.
func (n *Node) probeAll() {
	for _, b := range n.quorum.Image().Cluster.Brokers() {
		if !b.Fenced {
			n.probeLost(b.ID, b.Epoch)
		}
	}
}

func (n *Node) fenceIfGone(id kafka.NodeID, epoch kafka.BrokerEpoch) {
	n.disconnected(controller.Disconnected{Broker: int32(id), Epoch: int64(epoch)})
	if peer.Refuses(n.life, func(ctx context.Context) (net.Conn, error) { return n.probeBroker(ctx, id) }, probeWithin) {
		n.log.Info("a broker is gone and is fenced", "broker", id, "epoch", epoch)
		n.disconnected(controller.Disconnected{Broker: int32(id), Epoch: int64(epoch), Gone: true})
	}
}

// probeBroker connects to a broker as others reach it. A controller alone may not know by which listener that is: it goes by all, and says that they refuse
// only when every one does.
func (n *Node) probeBroker(ctx context.Context, id kafka.NodeID) (net.Conn, error) {
	b := n.quorum.Image().Cluster.Broker(id)
	if e, ok := b.Endpoint(n.cfg.InterBrokerListener); ok {
		return n.dial(ctx, e)
	}
	if b == nil {
		return nil, fmt.Errorf("broker %d is not registered any more", id)
	}
	err := fmt.Errorf("broker %d has no listener", id)
	for _, e := range b.Endpoints {
		var nc net.Conn
		if nc, err = n.dial(ctx, e); !errors.Is(err, syscall.ECONNREFUSED) {
			return nc, err
		}
	}
	return nil, err
}

// disconnected tells the controller of this node, if it is the active one.
func (n *Node) disconnected(d controller.Disconnected) {
	_, err := n.engine.Submit(n.life, d)
	if err != nil && n.life.Err() == nil && !errors.Is(err, quorum.ErrNotController) {
		n.log.Warn("the controller was not told of a connection that broke", "broker", d.Broker, "err", err)
	}
}

// leave moves away what this node leads, before it stops serving: partitions, if another broker is there to take them, and the quorum. There is nothing
// to it when ctx has ended.
func (n *Node) leave(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	n.run(func() {
		if n.quorumGone(ctx) {
			cancel()
		}
	})
	if n.cfg.Quorum.ControlledShutdown && n.member.brokerEpoch() != kafka.NoBrokerEpoch && n.othersServe() {
		if err := n.member.leave(ctx); err != nil {
			n.log.Warn("stops without having handed over what it leads", "err", err)
		}
	}
	if n.engine != nil {
		n.engine.Resign(ctx)
	}
}

// quorumGone returns true when so many voters refuse connections that the rest is no majority: all nodes are ending, and nobody decides any more who is to lead
// what. It returns false when ctx ends. A hand-over that goes well has ended before the first look.
func (n *Node) quorumGone(ctx context.Context) bool {
	for peer.Pause(ctx, lookEvery) == nil {
		voters := n.quorum.Status().Nodes
		left := len(voters)
		for _, v := range voters {
			if v.ID != n.cfg.ID && peer.Refuses(ctx, func(ctx context.Context) (net.Conn, error) { return n.dialVoter(ctx, v) }, lookEvery) {
				left--
			}
		}
		if len(voters) > 0 && left <= len(voters)/2 {
			n.log.Info("hands nothing over: most voters of the quorum are gone", "voters", len(voters), "gone", len(voters)-left)
			return true
		}
	}
	return false
}

func (n *Node) othersServe() bool {
	for _, b := range n.quorum.Image().Cluster.Brokers() {
		if b.ID != n.cfg.ID && b.Active() {
			return true
		}
	}
	return false
}
