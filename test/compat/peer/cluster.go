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

// Cluster is several peers of one kind that know each other, each of them broker and controller. Node i, from 0 on, has the id i+1.
type Cluster struct {
	kind    Kind
	options []Options
	nodes   []*Peer
}

// ReserveCluster gives the options of the n nodes of a cluster, addresses too: the directories are node-1 and so on below o.Dir.
// Every topic, an internal one too, gets a replica on each node, and all but one of them must be in sync. What o.Properties say
// is stronger. A cluster of one node is what Start starts.
func ReserveCluster(n int, o Options) ([]Options, error) {
	all, quorum := strconv.Itoa(n), strconv.Itoa(max(1, n-1))
	nodes := make([]Options, n)
	var voters []string
	for i := range nodes {
		var err error
		if nodes[i], err = Reserve(o.node(i)); err != nil {
			return nil, err
		}
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, nodes[i].Controller))
	}
	if n == 1 {
		return nodes, nil
	}
	for i := range nodes {
		nodes[i].Properties = map[string]string{
			"node.id": strconv.Itoa(i + 1), "controller.quorum.voters": strings.Join(voters, ","),
			"default.replication.factor": all, "min.insync.replicas": quorum, "offsets.topic.replication.factor": all,
			"transaction.state.log.replication.factor": all, "transaction.state.log.min.isr": quorum,
			"share.coordinator.state.topic.replication.factor": all, "share.coordinator.state.topic.min.isr": quorum,
		}
		maps.Copy(nodes[i].Properties, o.Properties)
	}
	return nodes, nil
}

// node gives the options of one node of a cluster, addresses of its own not yet chosen.
func (o Options) node(i int) Options {
	o.Dir = filepath.Join(o.Dir, fmt.Sprint("node-", i+1))
	o.Listen, o.Controller, o.Log = "", "", ""
	return o
}

// StartCluster starts n peers below o.Dir and waits until each answers. They may not have found each other yet.
func StartCluster(ctx context.Context, kind Kind, n int, o Options) (*Cluster, error) {
	if kind == Ottla && o.Binary == "" {
		var err error
		if o.Binary, err = BuildOttla(ctx); err != nil {
			return nil, err
		}
	}
	options, err := ReserveCluster(n, o)
	if err != nil {
		return nil, err
	}
	return openCluster(ctx, kind, options)
}

// openCluster starts nodes whose addresses are known.
func openCluster(ctx context.Context, kind Kind, options []Options) (*Cluster, error) {
	c := &Cluster{kind: kind, options: options, nodes: make([]*Peer, len(options))}
	for i, o := range options {
		var err error
		if c.nodes[i], err = Spawn(ctx, kind, o); err != nil {
			return nil, errors.Join(err, c.Kill())
		}
	}
	for _, n := range c.nodes {
		if err := n.Ready(ctx); err != nil {
			return nil, errors.Join(err, c.Kill())
		}
	}
	return c, nil
}

// Takeover starts servers of a kind on the directories of a cluster that has stopped.
func (c *Cluster) Takeover(ctx context.Context, kind Kind) (*Cluster, error) {
	options := make([]Options, len(c.options))
	for i, o := range c.options {
		o.Log = o.Dir + ".takeover.log"
		options[i] = o
	}
	return openCluster(ctx, kind, options)
}

// Len is how many nodes there are.
func (c *Cluster) Len() int { return len(c.nodes) }

// Node gives a node as it was started last.
func (c *Cluster) Node(i int) *Peer { return c.nodes[i] }

// Options are those that a node was started with.
func (c *Cluster) Options(i int) Options { return c.options[i] }

// Addrs are the broker listeners of all nodes.
func (c *Cluster) Addrs() []string {
	var all []string
	for _, o := range c.options {
		all = append(all, o.Listen)
	}
	return all
}

// Restart starts a node again that has ended, and waits until it answers.
func (c *Cluster) Restart(ctx context.Context, i int) error {
	p, err := Start(ctx, c.kind, c.options[i])
	if err == nil {
		c.nodes[i] = p
	}
	return err
}

// Stop asks all nodes to end in order, at once, and waits.
func (c *Cluster) Stop(ctx context.Context) error {
	ended := make(chan error, len(c.nodes))
	for _, n := range c.nodes {
		go func() { ended <- n.Stop(ctx) }()
	}
	var errs []error
	for range c.nodes {
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
