package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/ports"
)

// maxNodes bounds the nodes of one machine.
const maxNodes = 9

// several is a cluster on this machine, a process for each node: one of them can be killed, and the others be seen to go on (ADR 27).
type several struct {
	*session
	dir       string // of all nodes; each has a folder in it
	host      string
	clients   []int // the nodes' ports for clients, and those for each other
	peers     []int
	held      []*ports.Port // those that were not named: a node that is gone can come back to its own
	overrides []string

	nodes  []*member
	events chan event
}

// member is one of the nodes.
type member struct {
	id    int
	file  string // its configuration
	cfg   *config.Node
	cmd   *exec.Cmd
	alive bool
	ready ready
}

// event is what a node's process did: it got ready, or ended.
type event struct {
	node  *member
	ready *ready
	err   error // how it ended
}

// newSeveral chooses the ports: those that follow the one of listen, and a thousand above for the nodes among themselves; free ones for port 0.
func newSeveral(o *session, size int, dir, listen string) (*several, error) {
	host, port, err := splitListen(listen)
	if err != nil {
		return nil, err
	}
	if everywhere(host, port) != "" {
		return nil, command.Usagef("--listen %s: several nodes need an address of this machine that clients can reach", listen)
	}
	if last := port + size - 1 + peersAbove; port != 0 && last > maxPort {
		return nil, command.Usagef("--listen %s: %d nodes need ports up to %d", listen, size, last)
	}
	s := &several{session: o, dir: dir, host: host, events: make(chan event, 2*size)}
	for i := range size {
		client, own := port+i, port+i+peersAbove
		if port == 0 {
			if client, err = s.hold(host); err == nil {
				own, err = s.hold(loopback)
			}
			if err != nil {
				s.letGo()
				return nil, err
			}
		}
		s.clients, s.peers = append(s.clients, client), append(s.peers, own)
	}
	return s, nil
}

const (
	loopback   = "127.0.0.1"
	peersAbove = 1000
	maxPort    = 65535
)

// hold finds a port that nobody else is given before a node listens at it, or while it is gone.
func (s *several) hold(host string) (int, error) {
	p, err := ports.Hold(host)
	if err != nil {
		return 0, err
	}
	s.held = append(s.held, p)
	return p.Number, nil
}

func (s *several) letGo() {
	for _, p := range s.held {
		_ = p.Close() // nobody listens there any more
	}
}

// run starts the nodes and stays until a signal, or until none is left.
func (s *several) run(ctx context.Context, began time.Time) error {
	defer s.letGo()
	ctx, restore := s.world.Interruptible(ctx)
	defer restore()
	own, err := s.configure()
	if err != nil {
		return s.refusal(err)
	}
	defer own.Close() // with the process at the latest
	// The nodes end with the thread that started them, should this process be killed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = s.start(ctx)
	if err == nil {
		err = s.announce(time.Since(began))
	}
	if err == nil {
		err = s.attend(ctx)
	}
	if ctx.Err() != nil {
		err = nil // asked to stop, perhaps while starting
	}
	restore() // from here on a signal ends this process, and with it the nodes
	if ended := s.stop(); err == nil {
		err = ended // else they are ended because of err, which is the one to tell
	}
	return err
}

// plan makes the nodes' configurations, and writes nothing.
func (s *several) plan() ([]*config.Node, error) {
	var all []*config.Node
	for i := range s.clients {
		n := &member{id: i + 1, file: filepath.Join(s.dir, nodeFolder+strconv.Itoa(i+1), "server.properties")}
		var err error
		if n.cfg, err = config.Load(n.file, []byte(s.properties(n.id)), s.overrides); err != nil {
			return nil, &command.Error{Err: err, Exit: command.Usage, Hint: explainKeys}
		}
		s.nodes, all = append(s.nodes, n), append(all, n.cfg)
	}
	return all, nil
}

// configure writes the nodes' files and formats their directories, once it is known that nobody else works in them. Until the lock that it returns is
// closed no other cluster starts here.
func (s *several) configure() (io.Closer, error) {
	all, err := s.plan()
	if err == nil {
		err = portsFree(all)
	}
	if err == nil {
		err = admit(s.dir, len(all))
	}
	if err == nil {
		err = os.MkdirAll(s.dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	own, err := lock(s.dir)
	if err != nil {
		return nil, err
	}
	if err := s.write(all); err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return own, nil
}

// write does what configure is for, under the locks of the nodes that ran before.
func (s *several) write(all []*config.Node) error {
	nodes, err := lock(formattedDirs(all)...)
	if err != nil {
		return err
	}
	err = prepare(all...)
	for _, n := range s.nodes {
		if err == nil {
			err = os.WriteFile(n.file, []byte(s.properties(n.id)), 0o644)
		}
	}
	return errors.Join(err, nodes.Close())
}

// properties is the configuration of a node: as that of `ottla dev`, with as many replicas as there can be, up to three.
func (s *several) properties(id int) string {
	var voters []string
	for i, port := range s.peers {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, address(config.Listener{Host: loopback, Port: port})))
	}
	replicas := min(len(s.clients), 3)
	return "# Written by ottla dev, anew at each start.\n" + devProperties(devNode{
		id: id, listen: address(config.Listener{Host: s.host, Port: s.clients[id-1]}),
		peer: address(config.Listener{Host: loopback, Port: s.peers[id-1]}), quorum: "controller.quorum.voters=" + strings.Join(voters, ","),
		replicas: replicas, dir: filepath.Join(s.dir, nodeFolder+strconv.Itoa(id), "data"),
	}) + fmt.Sprintf("default.replication.factor=%d\nmin.insync.replicas=%d\n", replicas, max(1, replicas-1))
}

// start starts all nodes and returns when all serve.
func (s *several) start(ctx context.Context) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	log := &lines{to: s.world.Err}
	for _, n := range s.nodes {
		if err := s.spawn(n, binary, log); err != nil {
			return fmt.Errorf("start node %d: %w", n.id, err)
		}
	}
	for waits := len(s.nodes); waits > 0; waits-- {
		select {
		case e := <-s.events:
			if e.ready == nil {
				e.node.alive = false
				return &command.Error{Err: fmt.Errorf("node %d did not start (%w)", e.node.id, e.err), Hint: fmt.Sprintf("the lines above that begin with `node %d:` say why", e.node.id), Exit: command.Failed}
			}
			e.node.ready = *e.ready
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// command is what starts a node, as a person would type it.
func (s *several) command(n *member) []string {
	args := []string{"start", "--config", n.file}
	for _, o := range s.overrides {
		args = append(args, "--override", o)
	}
	return args
}

func (s *several) spawn(n *member, binary string, log *lines) error {
	n.cmd = exec.Command(binary, append(s.command(n), "--json")...)
	n.cmd.Stdout = &firstLine{got: func(line []byte) {
		var r ready
		if err := json.Unmarshal(line, &r); err == nil {
			s.events <- event{node: n, ready: &r}
		}
	}}
	n.cmd.Stderr = log.of(fmt.Sprintf("node %d: ", n.id))
	// Ctrl-C is for this process alone: it ends the nodes one after the other.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.alive = true
	go func() {
		err := n.cmd.Wait()
		if err == nil {
			err = errors.New("it ended in good order")
		}
		s.events <- event{node: n, err: err}
	}()
	return nil
}

// attend tells of nodes that end, until ctx does or none is left.
func (s *several) attend(ctx context.Context) error {
	for left := len(s.nodes); left > 0; left-- {
		select {
		case e := <-s.events:
			e.node.alive = false
			fmt.Fprintf(s.world.Out, "Node %d has ended (%v). Back again, in another terminal: %s\n", e.node.id, e.err, typed(append([]string{"ottla"}, s.command(e.node)...)))
		case <-ctx.Done():
			return nil
		}
	}
	return errors.New("all nodes have ended")
}

// stop ends the nodes that live, one after the other: each hands over what it leads to those that are left.
func (s *several) stop() error {
	var errs []error
	for _, n := range s.nodes {
		if !n.alive {
			continue
		}
		if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
			continue
		}
		for n.alive {
			e := <-s.events
			e.node.alive = e.node.alive && e.ready != nil
		}
		if code := n.cmd.ProcessState.ExitCode(); code != 0 {
			errs = append(errs, fmt.Errorf("node %d ended with exit code %d", n.id, code))
		}
	}
	return errors.Join(errs...)
}

// cluster is what scripts are told of several nodes.
type cluster struct {
	Address   string  `json:"address"` // of all nodes, for clients
	ClusterID string  `json:"cluster_id"`
	PID       int     `json:"pid"` // ends all nodes
	Nodes     []ready `json:"nodes"`
	StartMs   float64 `json:"start_ms"`
}

func (s *several) announce(took time.Duration) error {
	c := cluster{PID: os.Getpid(), StartMs: float64(took.Microseconds()) / 1000}
	var addresses []string
	for _, n := range s.nodes {
		c.ClusterID, c.Nodes, addresses = n.ready.ClusterID, append(c.Nodes, n.ready), append(addresses, n.ready.Address)
	}
	c.Address = strings.Join(addresses, ",")
	if s.readyFile != "" {
		if err := writeReady(s.readyFile, c); err != nil {
			return fmt.Errorf("write the ready file: %w", err)
		}
	}
	if s.json {
		return json.NewEncoder(s.world.Out).Encode(c)
	}
	greetSeveral(s.world.Out, s.dir, c, took)
	return nil
}

// greetSeveral tells a newcomer what to try with a cluster.
func greetSeveral(w io.Writer, dir string, c cluster, took time.Duration) {
	fmt.Fprintf(w, "Ottla is ready with %d nodes after %v (data in %s, cluster %s):\n", len(c.Nodes), took.Round(time.Millisecond), dir, c.ClusterID)
	for _, n := range c.Nodes {
		fmt.Fprintf(w, "  node %d   %s   process %d\n", n.NodeID, n.Address, n.PID)
	}
	last := c.Nodes[len(c.Nodes)-1]
	fmt.Fprintf(w, `
Try, in another terminal:
  export OTTLA_BOOTSTRAP_SERVER=%s
  ottla topic create orders
  echo 'hello, world' | ottla produce orders
  ottla topic describe orders
  kill -9 %d                 # node %d is gone, and nothing is lost
  ottla cluster health
  ottla consume orders

Any Kafka client works, at %s. Ctrl-C stops all nodes; the data stays.
`, c.Address, last.PID, last.NodeID, c.Address)
}

// firstLine hands on the first line that is written to it.
type firstLine struct {
	text []byte
	got  func([]byte)
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.got != nil {
		f.text = append(f.text, p...)
		if line, _, whole := bytes.Cut(f.text, []byte("\n")); whole {
			f.got(line)
			f.got = nil
		}
	}
	return len(p), nil
}

// lines writes what several processes say, each line whole and with a name before it.
type lines struct {
	mu sync.Mutex // a leaf; guards to
	to io.Writer
}

func (l *lines) of(name string) io.Writer { return &named{all: l, name: name} }

type named struct {
	all  *lines
	name string
	rest []byte // of a line that is not whole
}

func (n *named) Write(p []byte) (int, error) {
	n.rest = append(n.rest, p...)
	for {
		line, rest, whole := bytes.Cut(n.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		n.all.mu.Lock()
		_, err := fmt.Fprintf(n.all.to, "%s%s\n", n.name, line)
		n.all.mu.Unlock()
		if err != nil {
			return 0, err
		}
		n.rest = rest
	}
}
