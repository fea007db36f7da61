package side

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// Settings are what both sides of a row are started with.
type Settings struct {
	Properties map[string]string
	CPUs       []int  // that the side may use; none means all
	Memory     int64  // bytes that it may use with its page cache, in equal shares of its nodes; 0 is no limit
	Heap       string // of a JVM, as in -Xmx; "" is DefaultHeap
	Nodes      int    // of a cluster, each broker and controller; 0 is one
}

// DefaultHeap is Kafka's own.
const DefaultHeap = "1g"

// Ports gives out listeners; the zero value takes any that are free.
type Ports struct {
	First int // of a range that is ours; 0 for any
	given atomic.Int32
}

func (p *Ports) next() string {
	if p == nil || p.First == 0 {
		return ""
	}
	return "127.0.0.1:" + strconv.Itoa(p.First+int(p.given.Add(1)-1)%400)
}

// Side is a running server: one node, or a cluster of them.
type Side struct {
	Program *Program
	Nodes   []*Node
	Address string    // of the first node
	Dir     string    // the log directory, or of a cluster the folder of them
	Began   time.Time // when the first process was started

	ports *Ports
}

// patience bounds the wait for a server to come or to go.
const patience = 3 * time.Minute

// Start starts a program on a directory, which is formatted when it is empty, and waits until it answers.
func Start(ctx context.Context, p *Program, dir string, s Settings, ports *Ports) (*Side, error) {
	side, err := New(ctx, p, dir, s, ports)
	if err != nil {
		return nil, err
	}
	return side, side.Start(ctx)
}

// New makes a side whose processes do not run yet. A program that is no cluster's has one node, whatever the settings say.
func New(_ context.Context, p *Program, dir string, s Settings, ports *Ports) (*Side, error) {
	made := &Side{Program: p, Dir: dir, ports: ports}
	count := max(1, s.Nodes)
	if p.Kind != Ottla && p.Kind != Kafka {
		count = 1
	}
	s.Memory /= int64(count)
	for i := range count {
		n := &Node{Program: p, ID: int32(peer.NodeID + i), Dir: dir, settings: s}
		if count > 1 {
			n.Dir = filepath.Join(dir, strconv.Itoa(int(n.ID)))
		}
		n.log = n.Dir + ".log"
		if err := os.MkdirAll(n.Dir, 0o755); err != nil {
			return nil, err
		}
		made.Nodes = append(made.Nodes, n)
	}
	return made, nil
}

// Start formats directories where needed, starts the processes and waits until all answer.
func (s *Side) Start(ctx context.Context) error {
	if err := s.Spawn(ctx); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if err := n.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Spawn is Start without the wait: nothing may even listen yet. Began is taken after the first directory was formatted.
func (s *Side) Spawn(ctx context.Context) error {
	if err := s.reserve(); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if err := n.Spawn(ctx); err != nil {
			return err
		}
	}
	s.Address, s.Began = s.Nodes[0].Address, s.Nodes[0].Began
	return nil
}

// reserve gives the nodes their addresses, at the first start, and tells each node of a cluster who the others are.
func (s *Side) reserve() error {
	taken := map[string]bool{}
	var voters []string
	for _, n := range s.Nodes {
		for s.Program.Kind != Running && (n.Address == "" || taken[n.Address] || taken[n.controller]) {
			o, err := peer.Reserve(peer.Options{Dir: n.Dir, Listen: s.ports.next(), Controller: s.ports.next()})
			if err != nil {
				return err
			}
			n.Address, n.controller = o.Listen, o.Controller
		}
		taken[n.Address], taken[n.controller] = true, true
		voters = append(voters, fmt.Sprintf("%d@%s", n.ID, n.controller))
	}
	for _, n := range s.Nodes {
		if len(s.Nodes) == 1 {
			break
		}
		p := map[string]string{}
		for _, internal := range []string{"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"} {
			p[internal+".replication.factor"] = "3"
		}
		p["transaction.state.log.min.isr"], p["share.coordinator.state.topic.min.isr"] = "2", "2"
		p["node.id"], p["controller.quorum.voters"] = strconv.Itoa(int(n.ID)), strings.Join(voters, ",")
		maps.Copy(p, n.settings.Properties)
		n.settings.Properties = p
	}
	return nil
}

// PID is the process id of the first node.
func (s *Side) PID() int { return s.Nodes[0].PID() }

// Ungrouped says why there is no control group, "" where there is one.
func (s *Side) Ungrouped() string { return s.Nodes[0].Ungrouped }

// Running says whether all processes run.
func (s *Side) Running() bool {
	if s == nil {
		return false
	}
	for _, n := range s.Nodes {
		if !n.Running() {
			return false
		}
	}
	return true
}

// CPU is what the processes that run have used so far.
func (s *Side) CPU() (sum time.Duration, err error) {
	for _, n := range s.Nodes {
		if !n.Running() {
			continue
		}
		used, err := n.CPU()
		if err != nil && n.Running() {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// Resident is the resident memory of all nodes in bytes.
func (s *Side) Resident() (sum int64, err error) {
	for _, n := range s.Nodes {
		used, err := n.Resident()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// Stop asks the processes to end, one after the other, and waits until they have; they may be started again.
func (s *Side) Stop() error { return s.each((*Node).Stop) }

// Kill ends the processes at once.
func (s *Side) Kill() error { return s.each((*Node).Kill) }

func (s *Side) each(f func(*Node) error) error {
	var errs []error
	for _, n := range s.Nodes {
		errs = append(errs, f(n))
	}
	return errors.Join(errs...)
}

// Discard kills the processes and deletes what they wrote.
func (s *Side) Discard() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.each((*Node).discard), os.RemoveAll(s.Dir))
}

// Said is the end of what the processes wrote.
func (s *Side) Said(lines int) string {
	var all []string
	for _, n := range s.Nodes {
		all = append(all, n.Said(lines))
	}
	return strings.Join(all, "\n")
}

func dials(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
