package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/forward"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/transport"
)

// Node is what handlers ask: the engines of the node that they answer for.
type Node struct {
	// Life ends when requests that wait are to be answered with what there is.
	Life      context.Context
	ClusterID string
	Config    *config.Node
	// Quorum is the metadata as this node has it; Voter is its member of the quorum, nil where it has none; Controller the active controller, wherever it is.
	Quorum      quorum.View
	Voter       *quorum.Engine
	Controller  *forward.Controller
	Partitions  *partition.Manager
	Purgatory   *purgatory.Purgatory
	Sessions    *Sessions
	ProducerIDs ProducerIDs
	Creations   Creations
	// Applied returns when what this node serves has followed the metadata up to offset, or with ctx.
	Applied func(ctx context.Context, offset kafka.Offset) error
	// Lost is told that the connection of a broker to this controller has broken. It must not block.
	Lost func(kafka.NodeID, kafka.BrokerEpoch)
	// Groups runs the coordinators of groups.
	Groups *coordinator.Runtime
	// ConsumerGroups says that group.coordinator.rebalance.protocols has consumer.
	ConsumerGroups bool
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
	// Counters count what the handlers do.
	Counters *Counters
	// Interceptor sees requests first; nil in production.
	Interceptor Interceptor
	// Levels are those of the node's loggers.
	Levels *obs.Levels

	intruders obs.Once[intruder, claim] // who was refused, and is in the log
}

// Ended is told of connections that ended: Lost hears of those by which a broker's heartbeats came.
func (n *Node) Ended(conn *transport.Conn) {
	if c, ok := conn.State.(*call); ok && c.broker.epoch != 0 {
		n.Lost(c.broker.id, c.broker.epoch)
	}
}

// image is the cluster state as committed.
func (n *Node) image() *metadata.Image { return n.Quorum.Image() }

// id is this node's id.
func (n *Node) id() kafka.NodeID { return n.Config.ID }

// ProducerIDs gives out producer ids, none twice in the life of the cluster.
type ProducerIDs interface {
	// Next returns a new id. Errors wrap a kerr value.
	Next() (kafka.ProducerID, error)
}

// Creations makes topics on demand (auto.create.topics.enable).
type Creations interface {
	// Want has topics made that don't exist, soon or never; it does not wait. The names are valid and none is there twice.
	Want(names []string)
}
