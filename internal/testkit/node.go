package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/node"
	"github.com/ottla/ottla/internal/ports"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// within bounds every wait of this package.
const within = 30 * time.Second

// Options say what differs from an ordinary node.
type Options struct {
	// FS holds the node's files; nil is an empty one in memory.
	FS vfs.FS
	// Dirs are the log directories; nil is /data.
	Dirs []string
	// Set are lines key=value of the configuration, over what testkit sets.
	Set []string
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	// Listen, if set, is asked before a socket is opened; its error is that of the opening.
	Listen func(address string) error
	// Boot is the boot id of the machine.
	Boot string
	// Log gets what the node says; nil discards it.
	Log io.Writer

	// Dynamic has the voters of a cluster in its metadata log (kraft.version 1), not in its configuration.
	Dynamic bool
	// Alone has the nodes that a cluster starts with be controllers and no brokers: AddBroker adds those.
	Alone bool

	// Of a node of a cluster, whose others know its ports already.
	cluster string
	initial []storage.Voter // of a dynamic quorum
	sockets *sockets
	ports   [2]int
}

// Node is a node that serves.
type Node struct {
	*node.Node
	// FS holds the node's files.
	FS vfs.FS
	// Addr and ControllerAddr are the host:port of the two listeners.
	Addr, ControllerAddr string

	t        testing.TB
	stopping sync.Once
}

// Start formats the node's directories unless they are, starts it, and stops it when the test ends.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	n, err := TryStart(t, o)
	if err != nil {
		t.Fatalf("start the node: %v", err)
	}
	return n
}

// TryStart is Start for a node that may refuse to start.
func TryStart(t testing.TB, o Options) (*Node, error) {
	t.Helper()
	o.setDefaults()
	cfg := Config(t, o)
	world := storage.World{FS: o.FS, Now: o.Now, Random: rand.Reader}
	if o.cluster != "" {
		if err := world.Format(storage.Request{Node: cfg, ClusterID: o.cluster, InitialVoters: o.initial, NoInitialVoters: o.Dynamic && o.initial == nil}, io.Discard); err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
	} else if _, err := world.Prepare(cfg); err != nil {
		return nil, fmt.Errorf("format: %w", err)
	}
	return Open(t, o)
}

// Open is TryStart on directories as they are: nothing is formatted.
func Open(t testing.TB, o Options) (*Node, error) {
	t.Helper()
	o.setDefaults()
	n := &Node{t: t, FS: o.FS}
	socks := o.sockets
	if socks == nil {
		socks = &sockets{}
		o.ports = [2]int{socks.reserve(t), socks.reserve(t)}
	}
	socks.allow = o.Listen
	defer socks.close()
	n.Addr, n.ControllerAddr = loopback(o.ports[0]), loopback(o.ports[1])
	cfg := configure(t, o, o.ports)
	var err error
	n.Node, err = node.Open(node.Options{
		Config: cfg, FS: o.FS, Listen: socks.listen, Dial: new(net.Dialer).DialContext, Now: o.Now, Random: rand.Reader, Boot: o.Boot,
		Log: slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(n.Stop)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return n, n.Node.Start(ctx)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// sockets are listening sockets opened ahead of the node, so that its configuration can name free ports.
type sockets struct {
	allow func(address string) error
	free  map[string]net.Listener // by address; nil once the node is open
}

// reserve finds a port, which nobody else is given until the test ends, whatever becomes of the node.
func (s *sockets) reserve(t testing.TB) int {
	t.Helper()
	p, err := ports.Hold("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // nobody listens there any more
	return s.reserveAt(t, p.Number)
}

// reserveAt opens a socket at a port.
func (s *sockets) reserveAt(t testing.TB, port int) int {
	t.Helper()
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		t.Fatal(err)
	}
	if s.free == nil {
		s.free = map[string]net.Listener{}
	}
	s.free[l.Addr().String()] = l
	return l.Addr().(*net.TCPAddr).Port
}

// listen gives the node a socket that was reserved.
func (s *sockets) listen(_, address string) (net.Listener, error) {
	if s.allow != nil {
		if err := s.allow(address); err != nil {
			return nil, err
		}
	}
	if _, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		return net.Listen("tcp", address)
	}
	l, ok := s.free[address]
	if !ok {
		return nil, fmt.Errorf("testkit: %s is not reserved", address)
	}
	delete(s.free, address)
	return &reserved{Listener: l, sockets: s}, nil
}

// reserved is a socket that goes back to the reserve when it is closed without having been used.
type reserved struct {
	net.Listener
	sockets *sockets
	used    atomic.Bool
}

// Accept waits for a connection.
func (r *reserved) Accept() (net.Conn, error) {
	r.used.Store(true)
	return r.Listener.Accept()
}

// Close closes the socket, or gives it back.
func (r *reserved) Close() error {
	if !r.used.Load() && r.sockets.free != nil {
		r.sockets.free[r.Addr().String()] = r.Listener
		return nil
	}
	return r.Listener.Close()
}

// close gives up what the node did not take.
func (s *sockets) close() {
	for _, l := range s.free {
		_ = l.Close() // never used
	}
	s.free = nil
}

func (o *Options) setDefaults() {
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	if o.Dirs == nil {
		o.Dirs = []string{"/data"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
}

// properties is the configuration of every node: broker and controller in one, a static quorum of one, retention off
// because tests write records with timestamps of their own.
const properties = `process.roles=broker,controller
node.id=1
%[4]s
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.retention.ms=-1
controller.quorum.append.linger.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.dirs=%[3]s
`

// Config is the configuration of such a node, with ports that are nobody's.
func Config(t testing.TB, o Options) *config.Node {
	t.Helper()
	o.setDefaults()
	return configure(t, o, [2]int{9092, 9093})
}

func configure(t testing.TB, o Options, ports [2]int) *config.Node {
	t.Helper()
	quorum := "controller.quorum.voters=1@" + loopback(ports[1])
	if o.Dynamic {
		quorum = "controller.quorum.bootstrap.servers=" + loopback(ports[1])
	}
	text := fmt.Sprintf(properties, ports[0], ports[1], strings.Join(o.Dirs, ","), quorum)
	cfg, err := config.Load("testkit", []byte(text), o.Set)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	return cfg
}

// Stop stops the node in good order, once.
func (n *Node) Stop() {
	n.t.Helper()
	n.stopping.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := n.Node.Stop(ctx); err != nil {
			n.t.Errorf("stop the node: %v", err)
		}
		if ctx.Err() != nil {
			n.t.Error("the node did not stop in time")
		}
	})
}

// Abandon stops the node like Stop, but what the stop says does not matter: its disk failed, or its files are another
// node's by now.
func (n *Node) Abandon() {
	n.stopping.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		_ = n.Node.Stop(ctx) // a node in ruins may say anything
	})
}

// Eventually waits until ok, for what comes about by itself and tells nobody.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// Names lists what a folder of the node holds.
func (n *Node) Names(dir string) []string {
	n.t.Helper()
	entries, err := n.FS.ReadDir(dir)
	if err != nil {
		n.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}
