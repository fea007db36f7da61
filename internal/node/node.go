package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/adminhttp"
	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/forward"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/raftnet"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/vfs"
)

// Bounds of what a node holds for idle partitions and for requests.
const (
	openFiles    = 4096      // descriptors of segments, or a quarter of what there are; the rest but spareFiles is for connections
	spareFiles   = 100       // for checkpoints, other nodes, and what the process has open besides
	indexBytes   = 64 << 20  // loaded indexes of sealed segments
	requestBytes = 512 << 20 // requests that are being read, of all connections together
	sessionAge   = 2 * time.Minute
)

// Options are the world that a node lives in.
type Options struct {
	Config *config.Node
	// Prepare makes the directories fit for use, once the ports are known to be free; nil if there is nothing to do.
	Prepare func() error
	FS      vfs.FS
	// Listen opens a listening socket; net.Listen in production. Dial connects to another node.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Now    func() time.Time
	// Random gives ids. It must be unpredictable in production.
	Random io.Reader
	// Boot identifies the life of the machine (the kernel's boot id), empty if unknown: it tells the crash of a process
	// from that of the machine.
	Boot string
	// Descriptors is how many files and sockets the process may have open; 0 if unknown.
	Descriptors int
	// Hostname is what other machines call this one.
	Hostname string
	// Interceptor sees requests before they are handled; nil in production.
	Interceptor api.Interceptor
	Log         *slog.Logger
}

// Node is a running node.
type Node struct {
	opts Options
	cfg  *config.Node
	log  *slog.Logger
	// levels are those of its loggers.
	levels *obs.Levels
	draws  *rand.Rand

	identity *storage.Identity
	dirs     []directory // those of partitions that can be used
	metadata directory   // that of the metadata log: one of dirs, unless metadata.log.dir names another
	decided  bool        // the quorum ran and ended without an error; set in the background

	cache       *segment.Cache
	quorum      quorum.View         // the engine, or what follows the log without a vote
	engine      *quorum.Engine      // of a controller; nil for a broker alone
	voters      *raftnet.Net        // of a controller
	controller  *forward.Controller // for the node's own place in the cluster
	forwarding  *forward.Controller // for clients
	partitions  *partition.Manager
	replication *replication.Engine
	purgatory   *purgatory.Purgatory
	groups      *coordinator.Runtime
	ends        []endpoint
	sessions    *api.Sessions
	counters    api.Counters
	serving     atomic.Bool // clients are
	admin       *adminhttp.Server
	adminSocket net.Listener
	// admitClients counts the connections of the broker's listeners.
	admitClients *transport.Admission
	member       *membership
	creations    *creations
	applier      *applier
	image        atomic.Pointer[metadata.Image] // what the applier applies
	commonTimes  atomic.Pointer[modern.Times]   // of consumer groups that set none themselves

	background sync.WaitGroup
	life       context.Context    // of requests that wait
	stopWaits  context.CancelFunc // ends it, and completes all waits
	stopWork   context.CancelFunc // ends the partitions' duties and the membership
	stopQuorum context.CancelFunc
	failed     chan error // what the node can't live with; holds one
}

// Failed gives the error that the node can't live with.
func (n *Node) Failed() <-chan error { return n.failed }

// fail reports an error that the node can't live with; the first one counts.
func (n *Node) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

// Open looks whether the ports are free, locks the directories, binds the listeners, recovers the logs and loads the metadata. Nothing is served yet.
// Errors say in one line what is wrong and what to do.
func Open(o Options) (*Node, error) {
	n := &Node{opts: o, cfg: o.Config, levels: obs.NewLevels(loggers...), failed: make(chan error, 1)}
	n.log = n.logger("node")
	n.life, n.stopWaits = context.WithCancel(context.Background())
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// loggers are the names by which log levels change (BROKER_LOGGER), one for each package that says something.
var loggers = []string{"ottla.api", "ottla.coordinator", "ottla.node", "ottla.partition", "ottla.quorum", "ottla.replication", "ottla.transport"}

// logger is the logger of a package.
func (n *Node) logger(name string) *slog.Logger {
	return n.levels.Logger("ottla."+name, n.opts.Log.Handler())
}

func (n *Node) open() error {
	if err := n.probe(); err != nil {
		return err
	}
	if n.opts.Prepare != nil {
		if err := n.opts.Prepare(); err != nil {
			return err
		}
	}
	var seed [16]byte
	if _, err := io.ReadFull(n.opts.Random, seed[:]); err != nil {
		return fmt.Errorf("draw a seed: %w", err)
	}
	n.draws = rand.New(rand.NewPCG(binary.BigEndian.Uint64(seed[:8]), binary.BigEndian.Uint64(seed[8:])))
	if err := n.openDirs(); err != nil {
		return err
	}
	n.cache = segment.NewCache(n.openFiles(), indexBytes)
	n.purgatory = purgatory.NewPurgatory(n.opts.Now)
	var err error
	if n.member, err = newMembership(n); err != nil {
		return err
	}
	n.applier = newApplier(n.apply)
	if err := n.openQuorum(); err != nil {
		return err
	}
	if err := n.openPartitions(); err != nil {
		return err
	}
	n.openGroups()
	if err := n.bind(); err != nil {
		return err
	}
	return n.bindAdmin()
}

// openFiles is how many segments are kept open at the most.
func (n *Node) openFiles() int {
	if d := n.opts.Descriptors; d > 0 {
		return min(openFiles, d/4)
	}
	return openFiles
}

// services is what the handlers of requests are given.
func (n *Node) services() *api.Node {
	n.sessions = api.NewSessions(fetchsession.NewCache(n.cfg.Network.FetchSessions, sessionAge, n.drawSession()))
	n.creations = newCreations(n.cfg.Sources, n.log, n.member.createTopics)
	return &api.Node{
		Life: n.life, ClusterID: n.identity.ClusterID, Config: n.cfg, Quorum: n.quorum, Voter: n.engine, Controller: n.forwarding, Partitions: n.partitions, Purgatory: n.purgatory,
		Sessions: n.sessions, Counters: &n.counters,
		Groups: n.groups, ConsumerGroups: slices.Contains(n.cfg.Sources.List("group.coordinator.rebalance.protocols"), "consumer"),
		ProducerIDs: &producerIDs{allocate: n.member.allocateProducerIDs}, Creations: n.creations, Lost: n.probeLost, Applied: n.applier.wait,
		Interceptor: n.opts.Interceptor, Now: n.opts.Now, Log: n.logger("api"), Levels: n.levels,
	}
}

// Start elects a leader of the quorum, registers the broker, and serves. It returns when clients are accepted.
func (n *Node) Start(ctx context.Context) error {
	quorumCtx, stopQuorum := context.WithCancel(context.Background())
	workCtx, stopWork := context.WithCancel(context.Background())
	n.stopQuorum, n.stopWork = stopQuorum, stopWork
	n.followQuorum()
	n.run(n.applier.run)
	n.run(func() {
		defer n.applier.end()
		if err := n.quorum.Run(quorumCtx); err != nil {
			n.fail(fmt.Errorf("the metadata quorum failed: %w", err))
			return
		}
		n.decided = true
	})
	n.run(func() { n.purgatory.Run(n.life) })
	n.run(func() { n.partitions.Run(workCtx) })
	n.run(func() { n.partitions.RunMoves(workCtx) })
	n.run(func() { n.watchFollowers(workCtx) })
	n.serveAdmin()
	n.serve(true)
	if err := n.member.join(ctx); err != nil {
		return err
	}
	if n.cfg.Broker {
		n.run(func() { n.member.run(workCtx) })
		n.run(func() { n.member.runAssignments(workCtx) })
		n.run(func() { n.creations.run(workCtx) })
	}
	n.serve(false)
	n.serving.Store(true)
	return nil
}

func (n *Node) run(f func()) { n.background.Go(f) }

// ClusterID is the id of the cluster that the node belongs to.
func (n *Node) ClusterID() string { return n.identity.ClusterID }

// ID is the node's id.
func (n *Node) ID() kafka.NodeID { return n.cfg.ID }

// Stop lets the replies that are owed go out, closes the logs and writes the clean-shutdown markers. When ctx ends
// first, connections are cut; the logs are closed properly all the same. It is called once.
func (n *Node) Stop(ctx context.Context) error {
	n.serving.Store(false)
	if n.stopQuorum != nil {
		n.leave(ctx)
	}
	if n.groups != nil {
		n.groups.Stop() // its replies wait for members, and would hold up the connections
	}
	n.stopWaits()
	var errs []error
	if n.stopQuorum != nil {
		errs = append(errs, n.drain(ctx, false))
		n.stopWork()
		n.forwarding.Close()
		n.controller.Close()
		errs = append(errs, n.drain(ctx, true))
		n.stopQuorum()
		errs = append(errs, n.closeAdmin(ctx))
		n.background.Wait()
	}
	return errors.Join(append(errs, n.close())...)
}

// close closes what was opened, in whatever state the node is, when nothing of it runs.
func (n *Node) close() error {
	n.stopWaits()
	errs := []error{n.closeAdmin(n.life), n.drain(n.life, false), n.drain(n.life, true)} // sockets of listeners that never served
	if n.replication != nil {
		n.replication.Close()
	}
	if n.partitions != nil {
		clean, err := n.partitions.Close()
		errs = append(errs, err)
		if n.stopQuorum != nil {
			errs = append(errs, n.markClean(clean))
		}
	}
	if n.quorum != nil && n.stopQuorum == nil {
		errs = append(errs, n.quorum.Close())
	}
	if n.voters != nil {
		n.voters.Close()
	}
	return errors.Join(append(errs, n.release())...)
}
