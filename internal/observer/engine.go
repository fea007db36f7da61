package observer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/course"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// Config is what an engine is told at construction.
type Config struct {
	ClusterID string
	NodeID    kafka.NodeID
	Directory kafka.UUID
	// Mirror says where the copy of the log is.
	Mirror quorum.MirrorConfig
	// Servers are where controllers may be, host:port, where Mirror names no voters.
	Servers []string
	// Listener is the name of the controllers' listener.
	Listener string
	// Dial connects to a controller at host:port.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Wait is how long a leader may hold a request while there is nothing new, Timeout how long an answer may take besides. Backoff is the pause
	// when all were asked in vain.
	Wait, Timeout, Backoff time.Duration
	// MaxBytes bounds the records, and the piece of a snapshot, of one answer.
	MaxBytes, MaxSnapshotBytes int
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
}

// Engine follows the metadata log. Make it with Open, then Run it, or Close it if it is not to run.
type Engine struct {
	*quorum.Board
	cfg    Config
	mirror *quorum.Mirror

	// Owned by the loop.
	course  *course.Course
	client  *peer.Client // to at; nil before the first request
	at      course.Place
	refused map[string]bool // by controllers of another cluster, by their addresses: it was said

	leads atomic.Pointer[course.Place] // where the leader said itself, or the log
}

// Open loads the copy of the log.
func Open(cfg Config) (*Engine, error) {
	mirror, err := quorum.OpenMirror(cfg.Mirror, cfg.Now())
	if err != nil {
		return nil, err
	}
	e := &Engine{Board: quorum.NewBoard(mirror.Image()), cfg: cfg, mirror: mirror, refused: make(map[string]bool)}
	_, epoch := mirror.End()
	given := e.places(cfg.Mirror.Voters)
	for _, s := range cfg.Servers {
		given = append(given, course.Place{ID: kafka.NoNode, Address: s})
	}
	if len(given) == 0 {
		return nil, errors.Join(errors.New("nobody says where the controllers are"), mirror.Close(cfg.Now()))
	}
	e.course = course.New(epoch, given)
	e.publishStatus()
	return e, nil
}

// places are where voters listen for this node.
func (e *Engine) places(voters []quorum.Voter) []course.Place {
	var all []course.Place
	for _, v := range voters {
		for _, at := range v.Endpoints {
			if at.Listener == e.cfg.Listener {
				all = append(all, course.Place{ID: v.ID, Address: net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port)))})
			}
		}
	}
	return all
}

// Run follows until ctx ends or the copy fails, and closes it. It returns nil at the end of ctx.
func (e *Engine) Run(ctx context.Context) error {
	defer e.Stop()
	for ctx.Err() == nil {
		e.Welcome()
		if err := e.round(ctx); err != nil && ctx.Err() == nil {
			return errors.Join(err, e.close())
		}
	}
	return e.close()
}

// Close closes the copy of an engine that never ran; of one that did, Run has.
func (e *Engine) Close() error {
	e.Stop()
	return e.close()
}

func (e *Engine) close() error {
	if e.client != nil {
		e.client.Close()
	}
	return e.mirror.Close(e.cfg.Now())
}

// round asks once, and does what the answer leads to. An error is one that this node can't go on with.
func (e *Engine) round(ctx context.Context) error {
	to, rest := e.course.Whom()
	if rest && peer.Pause(ctx, e.cfg.Backoff) != nil {
		return nil
	}
	got, err := e.fetch(ctx, to)
	if err != nil {
		if ctx.Err() == nil && e.course.Failed(to) {
			e.cfg.Log.Info("the leader of the metadata quorum is not reached", "at", to.Address, "err", err)
			e.publishStatus()
		}
		return nil
	}
	act := e.course.Took(to, got.answer)
	e.publishStatus()
	e.complain(act, to)
	if act == course.Ask || act == course.Refuse {
		return nil
	}
	if err := e.act(ctx, act, to, got); err != nil {
		return err
	}
	e.course.Voters(e.places(e.voters()))
	return e.mirror.Snapshot(e.cfg.Now())
}

func (e *Engine) act(ctx context.Context, act course.Act, to course.Place, got *fetched) error {
	now := e.cfg.Now()
	switch act {
	case course.Cut:
		e.cfg.Log.Info("the copy of the metadata log parts from the leader's and is cut", "epoch", got.answer.Diverging.Epoch, "end", got.answer.Diverging.Offset)
		return e.mirror.Cut(got.answer.Diverging.Epoch, got.answer.Diverging.Offset, now)
	case course.Install:
		return e.install(ctx, to, *got.answer.Snapshot)
	}
	if err := e.mirror.Append(got.records, now); err != nil {
		if errors.Is(err, quorum.ErrDamaged) { // on its way, perhaps: it is asked for again
			e.cfg.Log.Warn("a leader sent what is no metadata log", "at", to.Address, "err", err)
			e.course.Failed(to)
			return nil
		}
		return err
	}
	return e.mirror.Commit(got.highWatermark, now, e.post)
}

// complain says, once of each, that a controller is of another cluster.
func (e *Engine) complain(act course.Act, to course.Place) {
	said := e.refused[to.Address]
	e.refused[to.Address] = act == course.Refuse
	if act == course.Refuse && !said {
		e.cfg.Log.Error("a controller is of another cluster than this node's directories: see cluster.id in the meta.properties of both", "at", to.Address, "own", e.cfg.ClusterID)
	}
}

func (e *Engine) voters() []quorum.Voter {
	set, _ := e.mirror.Voters()
	return set
}

func (e *Engine) post(c metadata.Change) { e.Post(c, e.publishStatus) }

// publishStatus shows the state of the quorum.
func (e *Engine) publishStatus() {
	leader, epoch := e.course.Leader()
	set, level := e.mirror.Voters()
	high := e.mirror.Bounds().HighWatermark
	place, _ := e.course.Find(leader)
	e.leads.Store(&place) // before anybody is told who leads
	e.Show(&quorum.Status{Leader: leader, Epoch: epoch, HighWatermark: high, KRaftVersion: level, Nodes: set})
}

// Status returns the state of the quorum as far as it is known here.
func (e *Engine) Status() quorum.Status { return *e.Shown() }

// Bounds returns the ends of the copy.
func (e *Engine) Bounds() quorum.Bounds { return e.mirror.Bounds() }

// Peer returns a controller as this node knows it, and false if it knows none of that id. The leader is where it said itself.
func (e *Engine) Peer(id kafka.NodeID) (quorum.Voter, bool) {
	leader := e.leads.Load()
	if host, port, err := net.SplitHostPort(leader.Address); err == nil && leader.ID == id {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			return quorum.Voter{ID: id, Endpoints: []metadata.Endpoint{{Listener: e.cfg.Listener, Host: host, Port: uint16(n)}}}, true
		}
	}
	for _, v := range e.Shown().Nodes {
		if v.ID == id {
			return v, true
		}
	}
	return quorum.Voter{}, false
}

// Submit says that this node is no controller.
func (e *Engine) Submit(context.Context, controller.Command) (any, error) {
	return nil, fmt.Errorf("node %d has no vote: %w", e.cfg.NodeID, quorum.ErrNotController)
}
