package ottla

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/memnet"
	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// ErrDown says that a node is not running.
var ErrDown = errors.New("the node is down")

// ErrRunning says that a node is running already.
var ErrRunning = errors.New("the node is running")

// Node is one node of a cluster, whether it runs or not.
type Node struct {
	c    *Cluster
	id   int32
	addr string // for clients
	peer string // for other controllers
	cfg  *config.Node
	disk *Disk
	boot string        // of its machine
	turn chan struct{} // taken by whoever starts or ends it
	// sockets are open already, for the first life to use.
	sockets []net.Listener

	mu   sync.Mutex // a leaf: guards what follows
	life *life      // nil while it is down
	err  error      // why the last one ended, if it did by itself
}

// life is one run of a node, as the process would be.
type life struct {
	node  *node.Node
	host  *memnet.Host
	doors []*memnet.Door
	files *vfs.Faulty
	// ctx ends when the life is about to.
	ctx   context.Context
	over  context.CancelFunc
	dead  chan struct{} // closed when nothing that it does counts any more
	ended chan struct{} // closed when it was stopped or killed
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

func newNode(c *Cluster, id int32) (*Node, error) {
	n := &Node{c: c, id: id, turn: make(chan struct{}, 1), disk: newDisk(c.o)}
	n.addr, n.peer = fmt.Sprintf("%s:%d", hostName(id), clientPort), fmt.Sprintf("%s:%d", hostName(id), controllerPort)
	if !c.o.inProcess {
		for _, addr := range []*string{&n.addr, &n.peer} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return n, fmt.Errorf("find a free port: %w", err)
			}
			n.sockets = append(n.sockets, l)
			*addr = l.Addr().String()
		}
	}
	var err error
	n.boot, err = newBoot()
	return n, err
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
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
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

// open prepares a life of the node. Others can connect to it afterwards, and wait until it serves.
func (n *Node) open() error {
	l := &life{host: n.c.net.Host(hostName(n.id)), dead: make(chan struct{}), ended: make(chan struct{})}
	l.ctx, l.over = context.WithCancel(context.Background())
	l.files = vfs.NewFaulty(n.disk.files(), n.disk.hook(l.dead))
	if err := n.openDoors(l); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(&mouth{to: n.c.o.log, dead: l.dead}, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", n.id)
	var err error
	l.node, err = node.Open(node.Options{
		Config: n.cfg, FS: l.files, Listen: l.host.Listen, Dial: l.host.Dial, Now: time.Now, Random: rand.Reader, Boot: n.boot,
		Hostname: hostName(n.id), Interceptor: n.interceptor(l.ctx), Log: log,
	})
	if err != nil {
		l.kill()
		return err
	}
	n.mu.Lock()
	n.life, n.err = l, nil
	n.mu.Unlock()
	return nil
}

func (n *Node) openDoors(l *life) error {
	if n.c.o.inProcess {
		return nil
	}
	sockets := n.sockets
	n.sockets = nil
	for i, addr := range []string{n.addr, n.peer} {
		if len(sockets) <= i {
			socket, err := net.Listen("tcp", addr)
			if err != nil {
				l.kill()
				return err
			}
			sockets = append(sockets, socket)
		}
		l.doors = append(l.doors, memnet.NewDoor(n.c.net, hostName(Clients), sockets[i]))
	}
	return nil
}

// serve returns when the node does. If it can't, it is down.
func (n *Node) serve(ctx context.Context) error {
	l := n.alive()
	if err := l.node.Start(ctx); err != nil {
		n.end(l, nil)
		return err
	}
	go n.attend(l)
	return nil
}

// attend stops a node that can't live on, as its process would end.
func (n *Node) attend(l *life) {
	select {
	case <-l.ended:
	case err := <-l.node.Failed():
		n.turn <- struct{}{}
		defer func() { <-n.turn }()
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
// cut short.
func (n *Node) Stop(ctx context.Context) error {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	l := n.alive()
	if l == nil {
		return ErrDown
	}
	l.over()
	err := l.node.Stop(ctx)
	l.close()
	n.gone(l, nil)
	return err
}

// Kill ends the node as kill -9 does: connections break, what it was about to do is not done, and what it wrote is there. Of a node that is
// down nothing is left to kill.
func (n *Node) Kill() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	if l := n.alive(); l != nil {
		n.end(l, nil)
	}
}

// PowerCut ends the node as a power cut of its machine does: what was not synced to its disk is lost. The cluster has to be started with
// [PowerCuts]. The other nodes notice as they do when one is killed; cut it off before if they are not to.
func (n *Node) PowerCut() error {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	if !n.c.o.powerCuts {
		return errors.New("the cluster was started without the option PowerCuts")
	}
	if l := n.alive(); l != nil {
		n.end(l, nil)
	}
	n.disk.loseUnsynced()
	var err error
	n.boot, err = newBoot()
	return err
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

// kill has nothing that the life does count any more. The network goes first: nobody is told of what is not on the disk.
func (l *life) kill() {
	l.host.Kill()
	l.over()
	l.close()
	close(l.dead)
}

// close shuts the doors.
func (l *life) close() {
	l.host.Kill()
	for _, d := range l.doors {
		_ = d.Close() // it can't be told to anybody
	}
}

// format makes the nodes' configurations, and directories that are empty fit for use.
func (c *Cluster) format() error {
	var all []*config.Node
	for _, n := range c.nodes {
		var err error
		if n.cfg, err = config.Load("ottla", []byte(n.properties()), c.o.set); err != nil {
			return err
		}
		all = append(all, n.cfg)
	}
	if c.o.dir != "" {
		_, err := storage.World{FS: vfs.OS{}, Now: time.Now, Random: rand.Reader}.Prepare(all...)
		return err
	}
	cluster, err := kafka.NewUUID(rand.Reader)
	if err != nil {
		return err
	}
	for i, cfg := range all {
		world := storage.World{FS: c.nodes[i].disk.files(), Now: time.Now, Random: rand.Reader}
		if err := world.Format(storage.Request{Node: cfg, ClusterID: cluster.String()}, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// properties is the node's configuration, without what the user sets.
func (n *Node) properties() string {
	var voters string
	for _, other := range n.c.nodes {
		if voters != "" {
			voters += ","
		}
		voters += fmt.Sprintf("%d@%s", other.id, other.peer)
	}
	dir := "/data"
	if n.c.o.dir != "" {
		dir = filepath.Join(n.c.o.dir, hostName(n.id))
	}
	replicas := min(len(n.c.nodes), 3)
	return fmt.Sprintf(properties, n.id, n.addr, n.peer, voters, dir, replicas, max(1, replicas-1))
}

const properties = `process.roles=broker,controller
node.id=%[1]d
broker.rack=rack-%[1]d
controller.quorum.voters=%[4]s
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[3]s
advertised.listeners=PLAINTEXT://%[2]s
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=%[5]s
default.replication.factor=%[6]d
min.insync.replicas=%[7]d
offsets.topic.replication.factor=%[6]d
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=%[6]d
transaction.state.log.min.isr=%[7]d
share.coordinator.state.topic.replication.factor=%[6]d
share.coordinator.state.topic.min.isr=%[7]d
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=200
replica.lag.time.max.ms=3000
replica.fetch.wait.max.ms=100
controller.quorum.append.linger.ms=0
`

// mouth is where a life of a node logs to, until it is dead.
type mouth struct {
	to   io.Writer
	dead <-chan struct{}
}

// Write implements io.Writer.
func (m *mouth) Write(p []byte) (int, error) {
	select {
	case <-m.dead:
		return len(p), nil
	default:
		return m.to.Write(p)
	}
}
