package raftnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

const (
	// maxQueued and maxQueuedBytes bound what waits for one voter.
	maxQueued      = 4096
	maxQueuedBytes = 64 << 20
	// maxAnswer bounds an answer, in bytes: it holds an error code, but the versions come first.
	maxAnswer = 64 << 10
	// pauseAfterLoss is the wait before a voter that could not be reached is tried again: a fraction of an election.
	pauseAfterLoss = 50 * time.Millisecond
	// lookWithin is how long a leader that may be gone is looked at; an election by silence comes at that time.
	lookWithin = time.Second
)

// Options say between whom.
type Options struct {
	ClusterID string
	// Self and Directory are this voter's.
	Self      kafka.NodeID
	Directory kafka.UUID
	// Endpoints are where others reach this one; nil for nowhere, as long as all know.
	Endpoints func() []metadata.Endpoint
	// Bootstrap are addresses of controllers that may know the leader, by which DialAddress connects. A static quorum needs none.
	Bootstrap   []string
	DialAddress func(ctx context.Context, address string) (net.Conn, error)
	// Quorum is this voter's engine; it is asked for when there is something to send. It knows the others.
	Quorum func() *quorum.Engine
	// Dial connects to a voter.
	Dial func(context.Context, quorum.Voter) (net.Conn, error)
	// Timeout bounds the wait for the answer to one request.
	Timeout time.Duration
	// MaxSnapshotPiece is how much of a snapshot is fetched at a time, in bytes.
	MaxSnapshotPiece int
	Log              *slog.Logger
}

// Net sends to the other voters. Close it.
type Net struct {
	o       Options
	life    context.Context
	end     context.CancelFunc
	running sync.WaitGroup
	said    atomic.Int32 // the error by which this node may not follow, which is in the log

	mu    sync.Mutex // a leaf: guards lines and their queues
	lines map[quorum.ReplicaKey]*line
}

// line is the way to one replica.
type line struct {
	to   quorum.ReplicaKey
	wake chan struct{}   // holds one: there is something in the queue
	life context.Context // ends with the net's, or when the quorum knows the replica no more
	end  context.CancelFunc

	queue [][]byte
	bytes int // in queue
}

// New makes a net without connections.
func New(o Options) *Net {
	n := &Net{o: o, lines: make(map[quorum.ReplicaKey]*line)}
	n.life, n.end = context.WithCancel(context.Background())
	return n
}

// Close ends all connections; nothing of the net runs when it returns. Send loses what comes after it.
func (n *Net) Close() {
	n.end()
	n.running.Wait()
}

// Send implements quorum.Config.Send.
func (n *Net) Send(to quorum.ReplicaKey, messages [][]byte) {
	n.mu.Lock()
	l := n.lines[to]
	if l == nil && n.life.Err() == nil {
		l = &line{to: to, wake: make(chan struct{}, 1)}
		l.life, l.end = context.WithCancel(n.life)
		n.lines[to] = l
		n.running.Go(func() { n.run(l) })
		defer n.replaced(to)
	}
	full := l == nil || len(l.queue) >= maxQueued || l.bytes >= maxQueuedBytes
	if !full {
		l.queue = append(l.queue, messages...)
		for _, m := range messages {
			l.bytes += len(m)
		}
	}
	n.mu.Unlock()
	if full {
		n.o.Quorum().Unreachable(to)
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// replaced ends the ways to other disks of a node that the quorum knows no more.
func (n *Net) replaced(by quorum.ReplicaKey) {
	n.mu.Lock()
	var others []*line
	for key, l := range n.lines {
		if key.ID == by.ID && key != by {
			others = append(others, l)
		}
	}
	n.mu.Unlock()
	for _, l := range others {
		if _, known := n.o.Quorum().Replica(l.to); known {
			continue
		}
		n.mu.Lock()
		if n.lines[l.to] == l {
			delete(n.lines, l.to)
		}
		n.mu.Unlock()
		l.end()
	}
}

// take empties a queue.
func (n *Net) take(l *line) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := l.queue
	l.queue, l.bytes = nil, 0
	return all
}

// run sends what is queued for a replica, all of it in one request at a time.
func (n *Net) run(l *line) {
	defer l.end()
	client := n.client(maxAnswer, func() (quorum.Voter, bool) { return n.o.Quorum().Replica(l.to) })
	defer client.Close()
	var seen <-chan struct{} // of a connection that broke, and was looked into
	for {
		lost := client.Lost()
		if lost == seen {
			lost = nil
		}
		select {
		case <-l.life.Done():
			return
		case <-lost:
			seen = lost
			n.look(l.to.ID)
			continue
		case <-l.wake:
		}
		messages := n.take(l)
		if len(messages) == 0 {
			continue
		}
		if err := n.post(client, l.to, messages); err != nil && l.life.Err() == nil {
			n.o.Log.Debug("messages to a voter were lost", "voter", l.to.ID, "directory", l.to.Directory, "messages", len(messages), "err", err)
			n.o.Quorum().Unreachable(l.to)
			select {
			case <-lost: // while the answer was waited for
				seen = lost
				n.look(l.to.ID)
			default:
			}
			if peer.Pause(l.life, pauseAfterLoss) != nil {
				return
			}
			n.take(l) // they are old by now
		}
	}
}

// look tells the quorum of its leader's end: what the leader sent came by another connection, but whoever follows answers by this one. It looks beside
// the caller.
func (n *Net) look(to kafka.NodeID) {
	q := n.o.Quorum()
	v, known := q.Peer(to)
	if leader, _ := q.Leader(); !known || leader != to {
		return
	}
	n.running.Go(func() {
		if peer.Refuses(n.life, func(ctx context.Context) (net.Conn, error) { return n.o.Dial(ctx, v) }, lookWithin) {
			q.Gone(to)
		}
	})
}

func (n *Net) post(client *peer.Client, to quorum.ReplicaKey, messages [][]byte) error {
	ctx, cancel := context.WithTimeout(n.life, n.o.Timeout)
	defer cancel()
	resp, err := client.Do(ctx, &wire.RaftRequest{
		ClusterID: n.o.ClusterID, From: n.self(), To: to.ID, ToDirectory: to.Directory, Messages: messages,
	})
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*wire.RaftResponse).ErrorCode)
}

// client is a connection to another controller, wherever it is when it is asked for.
func (n *Net) client(maxFrame int, to func() (quorum.Voter, bool)) *peer.Client {
	return peer.New(peer.Options{ID: fmt.Sprint("raft-", n.o.Self), MaxFrame: maxFrame, Dial: func(ctx context.Context) (net.Conn, error) {
		v, ok := to()
		if !ok {
			return nil, errors.New("nobody knows where it is")
		}
		return n.o.Dial(ctx, v)
	}})
}
