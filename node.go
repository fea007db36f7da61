package ottla

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
)

// ErrDown says that a node is not running.
var ErrDown = errors.New("the node is down")

// ErrRunning says that a node is running already.
var ErrRunning = errors.New("the node is running")

var errClosed = errors.New("the node is closed: its cluster is, or it was removed")

// Node is one node of a cluster, whether it runs or not.
type Node struct {
	c    *Cluster
	id   int32
	addr string // for clients
	peer string // for other controllers
	text string // of its configuration, without what is set
	set  []string
	cfg  *config.Node
	disk *Disk
	vote kafka.UUID // the directory that has one on the metadata, if any
	boot string     // of its machine
	turn turn       // of whoever starts or ends it
	// sockets are open already, for the first life to use; of whoever has the turn.
	sockets []net.Listener
	closed  bool // with its cluster, or removed from it; of whoever has the turn
	// attending are those who wait for a life to end by itself; begun by whoever has the turn.
	attending sync.WaitGroup

	mu      sync.Mutex // a leaf: guards what follows
	life    *life      // nil while it is down
	killers int        // who wait for the turn: a life that opens meanwhile is killed
	err     error      // why the last one ended, if it did by itself
}

// ports of nodes in process; their host names are their own.
const (
	clientPort     = 9092
	controllerPort = 9093
)

// hostName is what a node, or the clients, are called in the cluster's network.
func hostName(id int32) string {
	if id == Clients {
		return "clients"
	}
	return fmt.Sprint(nodePrefix, id)
}

// nodePrefix is what the hosts of nodes are called, before their id; ownName is who the cluster itself asks as.
const (
	nodePrefix = "node-"
	ownName    = "ottla"
)

// newNode makes a node that is down, with addresses of its own.
func (c *Cluster) newNode(id int32) (*Node, error) {
	n := &Node{c: c, id: id, turn: newTurn(), disk: newDisk(c.o)}
	n.addr, n.peer = fmt.Sprintf("%s:%d", hostName(id), clientPort), fmt.Sprintf("%s:%d", hostName(id), controllerPort)
	if !c.o.inProcess {
		for _, addr := range []*string{&n.addr, &n.peer} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				n.closeSockets()
				return nil, fmt.Errorf("find a free port: %w", err)
			}
			n.sockets = append(n.sockets, l)
			*addr = l.Addr().String()
		}
	}
	var err error
	if n.boot, err = newBoot(); err != nil {
		n.closeSockets()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, n)
	return n, nil
}

func (n *Node) closeSockets() {
	for _, l := range n.sockets {
		_ = l.Close() // nobody came by it
	}
	n.sockets = nil
}

// newBoot names a life of a machine. Each cluster has machines of its own: what an earlier one left in a directory is checked as after a crash.
func newBoot() (string, error) {
	var b [8]byte
	_, err := rand.Read(b[:])
	return fmt.Sprintf("%x", b), err
}

// ID is the node's id.
func (n *Node) ID() int32 { return n.id }

// Addr is the node's address for clients, host:port.
func (n *Node) Addr() string { return n.addr }

// Set sets keys of Kafka's server.properties for this node alone, each "key=value", over those of the cluster, from its next start on.
func (n *Node) Set(lines ...string) error {
	n.turn.await()
	defer n.turn.give()
	set := append(slices.Clone(n.set), lines...)
	cfg, err := n.load(set)
	if err == nil {
		n.set, n.cfg = set, cfg
	}
	return err
}

// Disk is what the node keeps its files on.
func (n *Node) Disk() *Disk { return n.disk }

// Running reports whether the node runs. One that fails, as with a broken disk, ends by itself.
func (n *Node) Running() bool { return n.alive() != nil }

// Err is why the node ended by itself, nil if it did not.
func (n *Node) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

func (n *Node) alive() *life {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

// Start starts the node again, after Stop, Kill or PowerCut, on the files that it left, and returns when it serves. That takes a quorum: when more
// nodes are down, StartAll.
func (n *Node) Start(ctx context.Context) error {
	if err := n.turn.take(ctx); err != nil {
		return err
	}
	defer n.turn.give()
	if n.alive() != nil {
		return ErrRunning
	}
	if err := n.open(); err != nil {
		return err
	}
	return n.serve(ctx)
}

// Restart stops the node in good order and starts it again.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Stop(ctx); err != nil {
		return err
	}
	return n.Start(ctx)
}

// serve returns when the node does. If it can't, it is down.
func (n *Node) serve(ctx context.Context) error {
	l := n.alive()
	ctx, cancel := l.within(ctx)
	defer cancel()
	if err := l.node.Start(ctx); err != nil {
		n.end(l, nil)
		return err
	}
	n.attending.Go(func() { n.attend(l) })
	return nil
}

// attend stops a node that can't live on, as its process would end.
func (n *Node) attend(l *life) {
	select {
	case <-l.ended:
	case err := <-l.node.Failed():
		select {
		case <-l.ended:
			return
		case n.turn <- struct{}{}:
		}
		defer n.turn.give()
		if n.alive() == l {
			n.end(l, err)
		}
	}
}

// WaitDown returns when the node does not run, or with ctx.
func (n *Node) WaitDown(ctx context.Context) error {
	l := n.alive()
	if l == nil {
		return nil
	}
	select {
	case <-l.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("node %d runs: %w", n.id, ctx.Err())
	}
}

// Stop stops the node in good order: it hands over what it leads, answers what it was asked, and closes its files. When ctx ends first it is
// killed.
func (n *Node) Stop(ctx context.Context) error {
	if err := n.turn.take(ctx); err != nil {
		n.Kill()
		return err
	}
	defer n.turn.give()
	l := n.alive()
	if l == nil {
		return ErrDown
	}
	l.over()
	unless := context.AfterFunc(ctx, l.kill)
	within, cancel := l.within(ctx)
	defer cancel()
	err := l.node.Stop(within)
	if !unless() {
		err = errors.Join(err, ctx.Err())
	}
	l.kill()
	n.gone(l, nil)
	return err
}

// Kill ends the node as kill -9 does, also while it starts or stops: connections break, what it was about to do is not done, and what it wrote is
// there. Of a node that is down nothing is left to kill.
func (n *Node) Kill() {
	n.kill()
	n.turn.give()
}

// kill takes the turn, and leaves it to the caller to give it back.
func (n *Node) kill() {
	n.mu.Lock()
	n.killers++
	l := n.life
	n.mu.Unlock()
	if l != nil {
		l.kill() // whoever has the turn comes to an end with that
	}
	n.turn.await()
	n.mu.Lock()
	n.killers--
	l = n.life
	n.mu.Unlock()
	if l != nil {
		n.end(l, nil)
	}
}

// PowerCut ends the node as a power cut of its machine does: what was not synced to its disk is lost. The cluster has to be started with
// [PowerCuts]. The other nodes notice as they do when one is killed; cut it off before if they are not to.
func (n *Node) PowerCut() error {
	if !n.c.o.powerCuts {
		return errors.New("the cluster was started without the option PowerCuts")
	}
	n.kill()
	defer n.turn.give()
	n.disk.loseUnsynced()
	var err error
	n.boot, err = newBoot()
	return err
}

// close ends the node for good: when it returns nothing of it runs, and it has nothing open.
func (n *Node) close() {
	n.Resume()
	n.kill()
	defer n.turn.give()
	n.closed = true
	n.closeSockets() // if it never started
	n.attending.Wait()
}

// end kills a life of the node. The caller has the turn.
func (n *Node) end(l *life, why error) {
	l.kill()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.node.Stop(over) // it is dead: what it says is said to nobody
	n.gone(l, why)
}

func (n *Node) gone(l *life, why error) {
	n.mu.Lock()
	n.life, n.err = nil, why
	n.mu.Unlock()
	close(l.ended)
}
