package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/compat/peer"
)

const (
	nodes      = 3
	topic      = "chaos"
	partitions = 6
	flushes    = "20" // flush.messages: so often its writers wait for the disk
)

// cluster is three processes, each broker and controller.
type cluster struct {
	dir     string
	net     network
	tracer  *exec.Cmd // that slows a node's disk, while it does
	options []peer.Options
	nodes   []*peer.Peer
	client  *kgo.Client
	admin   *kadm.Client
}

// newCluster starts the nodes and makes the topic. Each node has its metadata log apart from its data.
func newCluster(ctx context.Context, dir, binary string, net network) (*cluster, error) {
	c := &cluster{dir: dir, net: net, nodes: make([]*peer.Peer, nodes)}
	var err error
	if dir == "" {
		if c.dir, err = os.MkdirTemp("", "ottla-chaos-"); err != nil {
			return nil, err
		}
	}
	var voters []string
	for i := range nodes {
		o := peer.Options{Dir: filepath.Join(c.dir, fmt.Sprint("node-", i+1), "data"), Binary: binary}
		if err := net.disk(o.Dir); err != nil {
			return nil, err
		}
		if o, err = net.place(i, o); err != nil {
			return nil, err
		}
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, o.Controller))
		c.options = append(c.options, o)
	}
	for i := range c.options {
		own := map[string]string{
			"node.id": fmt.Sprint(i + 1), "controller.quorum.voters": strings.Join(voters, ","),
			"metadata.log.dir":           filepath.Join(filepath.Dir(c.options[i].Dir), "metadata"),
			"default.replication.factor": "3", "min.insync.replicas": "2",
		}
		maps.Copy(own, c.options[i].Properties) // what its place asks for
		c.options[i].Properties = own
		if c.nodes[i], err = peer.Spawn(ctx, peer.Ottla, c.options[i]); err != nil {
			return nil, errors.Join(err, c.close(false))
		}
	}
	for _, n := range c.nodes {
		if err := n.Ready(ctx); err != nil {
			return nil, errors.Join(err, c.close(false))
		}
	}
	client, err := kgo.NewClient(append(c.seeds(), kgo.RequestRetries(2))...)
	if err != nil {
		return nil, errors.Join(err, c.close(false))
	}
	c.client, c.admin = client, kadm.NewClient(client)
	_, err = c.admin.CreateTopic(ctx, partitions, nodes, map[string]*string{"flush.messages": kadm.StringPtr(flushes)}, topic)
	return c, err
}

// seeds is how a client comes to the cluster. It does not wait long for a node that is silent, since it tries each request on its way there again: that would
// be measured as the server's.
func (c *cluster) seeds() []kgo.Opt {
	var all []string
	for _, o := range c.options {
		all = append(all, o.Listen)
	}
	return []kgo.Opt{
		kgo.SeedBrokers(all...), kgo.MetadataMinAge(retry), kgo.DialTimeout(silence), kgo.RequestTimeoutOverhead(silence),
		kgo.RetryBackoffFn(func(int) time.Duration { return retry }),
	}
}

// start brings a node back that has ended.
func (c *cluster) start(ctx context.Context, i int) (err error) {
	c.nodes[i], err = peer.Start(ctx, peer.Ottla, c.options[i])
	return err
}

// spawn is start without the wait: the others may have to come first.
func (c *cluster) spawn(ctx context.Context, i int) (err error) {
	c.nodes[i], err = peer.Spawn(ctx, peer.Ottla, c.options[i])
	return err
}

// wipe takes the data of a node that has ended, and formats its disk anew. The metadata log lies on another one.
func (c *cluster) wipe(ctx context.Context, i int) error {
	o := c.options[i]
	entries, err := os.ReadDir(o.Dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(o.Dir, e.Name())))
	}
	if err != nil {
		return err
	}
	return run(ctx, o.Binary, "storage", "format", "--ignore-formatted", "-t", peer.ClusterID, "-c", o.Dir+".properties")
}

// stop ends a node in good order.
func (c *cluster) stop(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, stops)
	defer cancel()
	return c.nodes[i].Stop(ctx)
}

// settle waits until every replica is in sync, and every node knows it: one that stood still believes what was true before.
func (c *cluster) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	for {
		why := c.unsettled(ctx)
		if why == nil {
			return nil
		}
		for i, n := range c.nodes {
			if n.Ended() {
				return fmt.Errorf("node %d has ended, and nobody asked it to: see %s", i+1, c.options[i].Log)
			}
		}
		if wait(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("not all replicas are in sync again after %v: %w", settles, why)
		}
	}
}

// unsettled says what is not in sync, or whose view of it is another one.
func (c *cluster) unsettled(ctx context.Context) error {
	var first []kmsg.MetadataResponseTopicPartition
	for id := 1; id <= nodes; id++ {
		req := kmsg.NewPtrMetadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
		answer, err := c.client.Broker(id).Request(ctx, req)
		if err != nil {
			return fmt.Errorf("node %d: %w", id, err)
		}
		known := answer.(*kmsg.MetadataResponse).Topics[0].Partitions
		slices.SortFunc(known, func(a, b kmsg.MetadataResponseTopicPartition) int { return cmp.Compare(a.Partition, b.Partition) })
		if id == 1 {
			first = known
		}
		if len(known) != partitions || len(first) != partitions {
			return fmt.Errorf("node %d knows %d partitions", id, len(known))
		}
		for i, p := range known {
			if len(p.ISR) < nodes || p.Leader < 0 || p.Leader != first[i].Leader || p.LeaderEpoch != first[i].LeaderEpoch {
				return fmt.Errorf("node %d knows of partition %d: leader %d in epoch %d, in sync %v", id, i, p.Leader, p.LeaderEpoch, p.ISR)
			}
		}
	}
	return nil
}

// leads reports whether a node is the active controller; false also if nobody tells.
func (c *cluster) leads(ctx context.Context, i int) bool {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic, t.Partitions = "__cluster_metadata", []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c.client)
	return err == nil && len(resp.Topics) == 1 && len(resp.Topics[0].Partitions) == 1 && resp.Topics[0].Partitions[0].LeaderID == int32(i+1)
}

// assign gives the partitions other replicas.
func (c *cluster) assign(ctx context.Context, replicas func(p int) []int32) error {
	var req kadm.AlterPartitionAssignmentsReq
	for p := range partitions {
		req.Assign(topic, int32(p), replicas(p))
	}
	answers, err := c.admin.AlterPartitionAssignments(ctx, req)
	if err == nil {
		err = answers.Error()
	}
	return err
}

// close ends the nodes, whatever state they are in. What is kept of disks that are gone with this process is a copy.
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
		errs = append(errs, c.net.free(c.disks()...), os.RemoveAll(c.dir))
	} else {
		for _, disk := range c.disks() {
			errs = append(errs, os.CopyFS(disk+"-copy", os.DirFS(disk)))
		}
		fmt.Println("the nodes' directories and logs are in", c.dir)
	}
	return errors.Join(errs...)
}

// disks are the folders of data.
func (c *cluster) disks() []string {
	var all []string
	for _, o := range c.options {
		all = append(all, o.Dir)
	}
	return all
}
