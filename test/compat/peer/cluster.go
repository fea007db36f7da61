package peer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
)

// Cluster is several peers that know each other. Node i, from 0 on, has the id i+1.
type Cluster struct {
	kinds   []Kind
	options []Options
	nodes   []*Peer // nil: never started
}

// Add gives a cluster one more node, which does not run yet. All are added before the first one starts.
func (c *Cluster) Add(kind Kind, o Options) error {
	o, err := Reserve(o)
	if err == nil {
		c.kinds, c.options, c.nodes = append(c.kinds, kind), append(c.options, o), append(c.nodes, nil)
	}
	return err
}

// Configure gives all nodes what makes them know each other, and their topics so many replicas by default of which all but one must be in sync.
// What their own properties say is stronger.
func (c *Cluster) Configure(replicas int) {
	all, quorum := strconv.Itoa(replicas), strconv.Itoa(max(1, replicas-1))
	var voters []string
	for i, o := range c.options {
		if !o.BrokerOnly {
			voters = append(voters, fmt.Sprintf("%d@%s", i+1, o.Controller))
		}
	}
	for i := range c.options {
		p := map[string]string{
			"node.id": strconv.Itoa(i + 1), "controller.quorum.voters": strings.Join(voters, ","),
			"default.replication.factor": all, "min.insync.replicas": quorum, "offsets.topic.replication.factor": all,
			"transaction.state.log.replication.factor": all, "transaction.state.log.min.isr": quorum,
			"share.coordinator.state.topic.replication.factor": all, "share.coordinator.state.topic.min.isr": quorum,
		}
		maps.Copy(p, c.options[i].Properties)
		c.options[i].Properties = p
	}
}

// StartCluster starts n peers below o.Dir, in node-1 and so on, each broker and controller, and waits until each answers. They may not have
// found each other yet. Every topic, an internal one too, gets a replica on each node, and all but one of them must be in sync. What
// o.Properties say is stronger. A cluster of one node is what Start starts.
func StartCluster(ctx context.Context, kind Kind, n int, o Options) (*Cluster, error) {
	if kind == Ottla && o.Binary == "" {
		var err error
		if o.Binary, err = BuildOttla(ctx); err != nil {
			return nil, err
		}
	}
	c := &Cluster{}
	for i := range n {
		if err := c.Add(kind, o.node(i)); err != nil {
			return nil, err
		}
	}
	if n > 1 {
		c.Configure(n)
	}
	return c, c.startOrKill(ctx)
}

// node gives the options of one node of a cluster, addresses of its own not yet chosen.
func (o Options) node(i int) Options {
	o.Dir = filepath.Join(o.Dir, fmt.Sprint("node-", i+1))
	o.Listen, o.Controller, o.Log = "", "", ""
	return o
}

func (c *Cluster) startOrKill(ctx context.Context) error {
	err := c.Start(ctx)
	if err != nil {
		err = errors.Join(err, c.Kill())
	}
	return err
}

// Takeover starts servers of a kind on the directories of a cluster that has stopped.
func (c *Cluster) Takeover(ctx context.Context, kind Kind) (*Cluster, error) {
	next := &Cluster{nodes: make([]*Peer, len(c.nodes))}
	for _, o := range c.options {
		o.Log = o.Dir + ".takeover.log"
		next.kinds, next.options = append(next.kinds, kind), append(next.options, o)
	}
	return next, next.startOrKill(ctx)
}

// Len is how many nodes there are.
func (c *Cluster) Len() int { return len(c.nodes) }

// Node gives a node as it was started last, nil if it never was.
func (c *Cluster) Node(i int) *Peer { return c.nodes[i] }

// Options are those that a node is started with.
func (c *Cluster) Options(i int) Options { return c.options[i] }

// Addrs are the broker listeners of all nodes.
func (c *Cluster) Addrs() []string {
	var all []string
	for _, o := range c.options {
		all = append(all, o.Listen)
	}
	return all
}

// Up are the nodes that run: those that were started, and that nobody has had end. An error says that one of them has ended all the same.
func (c *Cluster) Up() (up []int, err error) {
	for i, n := range c.nodes {
		if n == nil {
			continue
		}
		ended, asked := n.Ended(), n.asked.Load()
		if ended && !asked {
			err = errors.Join(err, fmt.Errorf("node %d has ended, and nobody asked it to: see %s", i+1, c.options[i].Log))
		}
		if !asked {
			up = append(up, i)
		}
	}
	return up, err
}

// Start starts nodes that do not run, at once, and waits until each answers. None named are all.
func (c *Cluster) Start(ctx context.Context, nodes ...int) error {
	if len(nodes) == 0 {
		nodes = c.all()
	}
	for _, i := range nodes {
		if err := c.Spawn(ctx, i); err != nil {
			return err
		}
	}
	for _, i := range nodes {
		if err := c.nodes[i].Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) all() (all []int) {
	for i := range c.nodes {
		all = append(all, i)
	}
	return all
}

// Spawn is Start of one node without the wait: others may have to come before it can answer.
func (c *Cluster) Spawn(ctx context.Context, i int) error {
	p, err := Spawn(ctx, c.kinds[i], c.options[i])
	if err == nil {
		c.nodes[i] = p
	}
	return err
}

// Stop asks all nodes that run to end in order, at once, and waits.
func (c *Cluster) Stop(ctx context.Context) error {
	up, _ := c.Up() // one that has ended by itself says so when it is asked to
	ended := make(chan error, len(up))
	for _, i := range up {
		go func() { ended <- c.nodes[i].Stop(ctx) }()
	}
	var errs []error
	for range up {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

// Kill ends all nodes, whatever state they are in.
func (c *Cluster) Kill() error {
	var errs []error
	for _, n := range c.nodes {
		if n != nil {
			errs = append(errs, n.Kill())
		}
	}
	return errors.Join(errs...)
}
