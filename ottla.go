// Package ottla runs whole Kafka clusters inside a Go process: for tests of programs that use Kafka, and for embedding.
//
//	func TestOrders(t *testing.T) {
//		cluster := ottla.Start(t, ottla.Nodes(3), ottla.Topic("orders", 6, 3))
//		client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
//		…
//	}
//
// The nodes are the real ones, the same code as in the binary: brokers and controllers in one, with a Raft quorum, replication, groups and
// Kafka's files. By default files are in memory and clients connect over the loopback, any Kafka client of any language. With
// [InProcess] there is no socket at all, which a testing/synctest bubble can hold; clients then connect by [Cluster.Dial].
//
// What goes wrong in production can be made to: nodes are stopped, killed and lose power ([Node.Stop], [Node.Kill], [Node.PowerCut]), stand still
// ([Node.Pause]), are cut off from each other and from clients, one way or both ([Cluster.Cut]), and have disks that are full, slow or
// broken ([Node.Disk]).
//
// All methods may be called from any goroutine. Nothing here needs privileges.
package ottla

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/memnet"
)

// startWithin bounds what Start waits for.
const startWithin = 30 * time.Second

// TB is what Start needs of a *testing.T, *testing.B or *testing.F.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Cluster is a cluster that runs in this process.
type Cluster struct {
	o   options
	net *memnet.Net
	id  string // of clusters in memory

	clients  *memnet.Host
	own      *memnet.Host // of what the cluster itself asks of its nodes
	changing turn         // of whoever adds a node or removes one
	closing  sync.Once
	closed   error

	mu            sync.Mutex      // a leaf: guards what follows
	nodes         []*Node         // by id
	lastID        int32           // of a node, one that was removed included
	interceptions []*Interception // replaced, not changed
}

// Start starts a cluster for a test and returns when it can be used: all nodes serve, and lead what they are to lead. The test fails if
// it can't. When the test ends the cluster is closed.
func Start(t TB, options ...Option) *Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	c, err := Open(ctx, options...)
	if err != nil {
		t.Fatalf("start the cluster: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the cluster: %v", err)
		}
	})
	return c
}

// Open is Start without a test. Close the cluster. Ctx bounds the start alone.
func Open(ctx context.Context, options ...Option) (*Cluster, error) {
	c := &Cluster{o: defaults(), net: memnet.New(), changing: newTurn()}
	for _, set := range options {
		set(&c.o)
	}
	if err := c.o.check(); err != nil {
		return nil, err
	}
	c.clients, c.own = c.net.Host(hostName(Clients)), c.net.Host(ownName)
	if err := c.open(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) open(ctx context.Context) error {
	for range c.o.nodes {
		if _, err := c.newNode(c.nextID()); err != nil {
			return err
		}
	}
	if err := c.format(); err != nil {
		return err
	}
	if err := c.StartAll(ctx); err != nil {
		return err
	}
	for _, t := range c.o.topics {
		if err := c.CreateTopic(ctx, t.name, t.partitions, t.replicas, t.settings...); err != nil {
			return err
		}
	}
	return c.settled(ctx)
}

// StartAll starts the nodes that are down, together, and returns when they serve.
func (c *Cluster) StartAll(ctx context.Context) error {
	var down []*Node
	for _, n := range c.Nodes() {
		if err := n.turn.take(ctx); err != nil {
			return fmt.Errorf("node %d: %w", n.id, err)
		}
		defer n.turn.give()
		if n.alive() == nil {
			down = append(down, n)
		}
	}
	for i, n := range down { // all are open before one of them calls another
		if err := n.open(); err != nil {
			for _, opened := range down[:i] {
				opened.end(opened.alive(), nil)
			}
			return fmt.Errorf("node %d: %w", n.id, err)
		}
	}
	return each(down, (*Node).serve, ctx)
}

// each has all nodes do something at once.
func each(nodes []*Node, do func(*Node, context.Context) error, ctx context.Context) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() {
			if err := do(n, ctx); err != nil {
				errs[i] = fmt.Errorf("node %d: %w", n.id, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close ends all nodes: those with files in a directory in good order, one after the other, the others at once. Later calls return what the
// first one did.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		c.Heal()
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		defer cancel()
		if c.o.dir == "" {
			c.closed = each(c.Nodes(), func(n *Node, _ context.Context) error { n.close(); return nil }, ctx)
			return
		}
		var errs []error
		for _, n := range c.Nodes() {
			n.Resume()
			if err := n.Stop(ctx); err != nil && !errors.Is(err, ErrDown) {
				errs = append(errs, fmt.Errorf("node %d: %w", n.id, err))
			}
			n.close()
		}
		c.closed = errors.Join(errs...)
	})
	return c.closed
}

// Nodes are all nodes, by id.
func (c *Cluster) Nodes() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// nextID is one that no node has had.
func (c *Cluster) nextID() int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	return c.lastID
}

// Node returns a node by its id: they count from 1. It panics if there is none.
func (c *Cluster) Node(id int32) *Node {
	n := c.find(id)
	if n == nil {
		panic(fmt.Sprintf("ottla: there is no node %d", id))
	}
	return n
}

// find is Node, with nil for none: what is known of a node may be older than its removal.
func (c *Cluster) find(id int32) *Node {
	for _, n := range c.Nodes() {
		if n.id == id {
			return n
		}
	}
	return nil
}

// AddNode starts one more node, with the next id, and returns it when it serves. It is a broker like the others, and has no vote on the metadata.
// Only clusters in memory grow.
func (c *Cluster) AddNode(ctx context.Context) (*Node, error) {
	if c.o.dir != "" {
		return nil, errors.New("a cluster in a directory does not grow: leave out Dir")
	}
	if err := c.changing.take(ctx); err != nil {
		return nil, err
	}
	defer c.changing.give()
	id := c.nextID()
	n, err := c.newNode(id)
	if err == nil {
		err = n.configure(len(c.Nodes()) - 1)
	}
	if err == nil {
		err = n.format(nil)
	}
	if err == nil {
		err = n.Start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("add node %d: %w", id, err)
	}
	return n, c.settled(ctx)
}

// Addrs are the nodes' addresses for clients, host:port, those of nodes that are down included.
func (c *Cluster) Addrs() []string {
	var all []string
	for _, n := range c.Nodes() {
		all = append(all, n.addr)
	}
	return all
}
