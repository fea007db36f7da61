package quorum

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Errors of Submit and Open.
var (
	// ErrNotController says that another node leads the quorum, or none does.
	ErrNotController = errors.New("this node is not the active controller")
	// ErrStopped says that the engine has stopped.
	ErrStopped = errors.New("the metadata quorum has stopped")
	// ErrDamaged is metalog's: what is in the folder must not be guessed at.
	ErrDamaged = metalog.ErrDamaged
)

// Voter, ReplicaKey and SnapshotID are what the log calls so.
type (
	Voter      = metalog.Voter
	ReplicaKey = metalog.ReplicaKey
	SnapshotID = metalog.SnapshotID
)

// Config is what an engine is told at construction.
type Config struct {
	FS vfs.FS
	// Dir is the folder of __cluster_metadata-0 (with that name).
	Dir string
	// NodeID and Directory are this node's; Directory is from meta.properties.
	NodeID    kafka.NodeID
	Directory kafka.UUID
	// Voters are those of controller.quorum.voters, empty for a quorum whose members are in the log (kraft.version 1).
	Voters []Voter
	// Controller configures the controller. Its Voters and, if the folder has a bootstrap file, its Bootstrap are
	// filled in here.
	Controller controller.Config
	// LogConfig is the configuration of the log. SnapshotBytes and SnapshotInterval are
	// metadata.log.max.record.bytes.between.snapshots (0: 20 MiB) and metadata.log.max.snapshot.interval.ms (0: 1 h).
	LogConfig        commitlog.Config
	Cache            *segment.Cache
	SnapshotBytes    int64
	SnapshotInterval time.Duration
	// IdleInterval is metadata.max.idle.interval.ms if it was set; 0 writes no NoOp records.
	IdleInterval time.Duration
	// Tick is Raft's unit of time in a quorum of several: an election takes ten. 0 stands for 100 ms.
	Tick time.Duration
	// Clean is as in commitlog.Options.
	Clean bool
	// Send hands messages to another replica, in order and without blocking; it may lose them. They must not reach one with another disk, where that
	// is known. A quorum of one needs none.
	Send func(to ReplicaKey, messages [][]byte)
	// FetchSnapshot writes the bytes of another voter's snapshot to w. It may take long, and ends with
	// ctx. A quorum of one needs none.
	FetchSnapshot func(ctx context.Context, from kafka.NodeID, id SnapshotID, w io.Writer) error
	// Introduce tells this node to the leader, by that one's own Introduce, and returns who that is. It asks the voters that the log names, which
	// may be none or others by now, and whoever else may know. It ends with ctx. Who never lacks a leader needs none.
	Introduce func(ctx context.Context, voters []Voter) (leader Voter, err error)
	// Activated is told when this node has become the active controller. It must not block; nil for nobody.
	Activated func()
	// Go starts what may take long, such as writing a snapshot. Nil stands for a goroutine; whoever uses Steps, to
	// have the same order each time, runs it in place.
	Go func(func())
	// Now is the clock. Nil stands for time.Now.
	Now func() time.Time
	// Log gets what is worth a line. Nil discards.
	Log *slog.Logger
}

// Engine is the metadata quorum at one node. Make it with Open, then Run it, or Close it if it is not to run.
type Engine struct {
	*Board
	cfg      Config
	requests chan *request
	messages chan inbound
	written  chan snapshotResult
	fetched  chan fetched // of the snapshot that install asked for
	resigns  chan chan struct{}
	arrivals chan Voter        // that introduce themselves
	found    chan introduction // that this node made
	life     context.Context   // of what was started beside the loop
	end      context.CancelFunc

	// Owned by the loop.
	log         *commitlog.Log
	raft        *raft.RawNode
	storage     *storage
	members     metalog.Memberships
	bootstrap   metalog.Voters   // as format left them
	loader      *metadata.Loader // what is committed; the controller's goes ahead of it
	leader      *leadership      // nil while this node does not lead
	leads       kafka.NodeID     // the leader that Raft knows, or NoNode
	voted       *raftpb.HardState
	votedLeader kafka.NodeID // what quorum-state says
	inbox       []*request
	learners    map[kafka.NodeID]Voter // who follows this leader without a vote
	arrived     []Voter                // that are to be learners
	heard       time.Time              // when a leader was heard, or sought
	seeking     bool
	handover    *raftpb.Message // has this voter take over when what came before it is written
	applying    record.Batch    // the batch whose last entry is not committed yet
	committed   kafka.Offset    // exclusive
	synced      kafka.Offset    // what metalog.SyncedFile says
	lastTick    time.Time
	appended    time.Time // when the last record was written
	snapshots   *metalog.Snapshots
	install     *raftpb.Message // that offers the snapshot which is being fetched, or nil
	lost        error           // what a peer said that this voter must have forgotten
	standAt     time.Time       // when this voter stands for election, if nobody leads by then; zero for never
	resigning   chan struct{}   // closed when another leads, or at resignBy; nil while nobody waits
	resignBy    time.Time

	// Read by everybody.
	mu        sync.Mutex // a leaf: guards the fields below
	seen      map[ReplicaKey]ReplicaState
	told      map[ReplicaKey]told    // by those that follow this leader; static voters without a directory
	followers map[kafka.NodeID]Voter // the learners
	met       map[kafka.NodeID]Voter // that are to be reached besides voters and learners
}

// request is a command on its way through the loop.
type request struct {
	cmd    controller.Command
	change *VoterChange // instead of cmd
	done   chan reply   // holds one
}

type reply struct {
	response any
	err      error
}

// maxQueued bounds the commands that wait for the loop; Submit blocks beyond it.
const maxQueued = 1024

// Submit has the active controller handle cmd and returns the response once its effect is committed and published.
// Errors wrap ErrNotController, ErrStopped, or are ctx's; after the latter the command may still take effect.
func (e *Engine) Submit(ctx context.Context, cmd controller.Command) (any, error) {
	return e.ask(ctx, &request{cmd: cmd, done: make(chan reply, 1)})
}

// ask hands the loop a request and waits for the answer.
func (e *Engine) ask(ctx context.Context, r *request) (any, error) {
	select {
	case e.requests <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.stopped:
		return nil, ErrStopped
	}
	select {
	case got := <-r.done:
		return got.response, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.stopped:
		select {
		case got := <-r.done: // answered on the way out
			return got.response, got.err
		default:
			return nil, ErrStopped
		}
	}
}

// Controller handles commands: an Engine does while it leads.
type Controller interface {
	Submit(ctx context.Context, cmd controller.Command) (any, error)
}

// Do is Submit with the response's type.
func Do[R any](ctx context.Context, c Controller, cmd controller.Command) (R, error) {
	var none R
	response, err := c.Submit(ctx, cmd)
	if err != nil {
		return none, err
	}
	typed, ok := response.(R)
	if !ok {
		return none, fmt.Errorf("%T answers %T, not %T", cmd, response, none)
	}
	return typed, nil
}

// raftID is a node's id in Raft, which has no id 0.
func raftID(id kafka.NodeID) uint64 { return uint64(id) + 1 }

// nodeID is the way back; 0 stands for nobody.
func nodeID(id uint64) kafka.NodeID { return kafka.NodeID(id) - 1 }
