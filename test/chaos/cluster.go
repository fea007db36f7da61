package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/peer"
)

const (
	nodes      = 3
	topic      = "chaos"
	partitions = 6
)

// cluster is three processes, each broker and controller.
type cluster struct {
	dir     string
	options []peer.Options
	nodes   []*peer.Peer
	admin   *kadm.Client
}

// newCluster starts the nodes and makes the topic.
func newCluster(ctx context.Context, dir string) (*cluster, error) {
	c := &cluster{dir: dir, nodes: make([]*peer.Peer, nodes)}
	var err error
	if dir == "" {
		if c.dir, err = os.MkdirTemp("", "ottla-chaos-"); err != nil {
			return nil, err
		}
	}
	binary, err := peer.BuildOttla(ctx)
	if err != nil {
		return nil, err
	}
	var voters []string
	for i := range nodes {
		o, err := peer.Reserve(peer.Options{Dir: filepath.Join(c.dir, fmt.Sprint("node-", i+1)), Binary: binary})
		if err != nil {
			return nil, err
		}
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, o.Controller))
		c.options = append(c.options, o)
	}
	for i := range c.options {
		c.options[i].Properties = map[string]string{
			"node.id": fmt.Sprint(i + 1), "controller.quorum.voters": strings.Join(voters, ","),
			"default.replication.factor": "3", "min.insync.replicas": "2",
		}
		if c.nodes[i], err = peer.Spawn(ctx, peer.Ottla, c.options[i]); err != nil {
			return nil, errors.Join(err, c.close(false))
		}
	}
	for _, n := range c.nodes {
		if err := n.Ready(ctx); err != nil {
			return nil, errors.Join(err, c.close(false))
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addresses()...), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, errors.Join(err, c.close(false))
	}
	c.admin = kadm.NewClient(client)
	_, err = c.admin.CreateTopic(ctx, partitions, nodes, nil, topic)
	return c, err
}

func (c *cluster) addresses() []string {
	var all []string
	for _, o := range c.options {
		all = append(all, o.Listen)
	}
	return all
}

// start brings a node back that has ended.
func (c *cluster) start(ctx context.Context, i int) (err error) {
	c.nodes[i], err = peer.Start(ctx, peer.Ottla, c.options[i])
	return err
}

// settle waits until every replica is in sync.
func (c *cluster) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	for {
		topics, err := c.admin.ListTopics(ctx, topic)
		if err == nil && inSync(topics[topic].Partitions) {
			return nil
		}
		if wait(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("not all replicas are in sync again after %v: %v, %w", settles, topics[topic].Partitions, err)
		}
	}
}

func inSync(all kadm.PartitionDetails) bool {
	for _, p := range all {
		if len(p.ISR) < nodes || p.Leader < 0 {
			return false
		}
	}
	return len(all) == partitions
}

// close ends the nodes, whatever state they are in.
func (c *cluster) close(remove bool) error {
	if c.admin != nil {
		c.admin.Close()
	}
	var errs []error
	for _, n := range c.nodes {
		if n != nil {
			errs = append(errs, n.Kill())
		}
	}
	if remove {
		errs = append(errs, os.RemoveAll(c.dir))
	} else {
		fmt.Println("the nodes' directories and logs are in", c.dir)
	}
	return errors.Join(errs...)
}
