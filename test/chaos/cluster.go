package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/compat/replicas"
)

const (
	nodes      = 3
	topic      = "chaos"
	partitions = 6
	flushes    = "20" // flush.messages: so often its writers wait for the disk
)

// cluster is three processes, each broker and controller.
type cluster struct {
	*peer.Cluster
	kind   peer.Kind
	dir    string
	net    network
	tracer *exec.Cmd // that slows a node's disk, while it does
	client *kgo.Client
	admin  *kadm.Client
}

// newCluster starts the nodes and makes the topic.
func newCluster(ctx context.Context, o options, binary string, net network) (*cluster, error) {
	c := &cluster{Cluster: &peer.Cluster{}, kind: peer.Kind(o.peer), dir: o.keep, net: net}
	var err error
	if o.keep == "" {
		if c.dir, err = os.MkdirTemp("", "ottla-chaos-"); err != nil {
			return nil, err
		}
	}
	for i := range nodes {
		if err := c.place(i, binary); err != nil {
			return nil, err
		}
	}
	c.Configure(nodes)
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.close(false))
	}
	client, err := kgo.NewClient(append(c.seeds(), kgo.RequestRetries(2))...)
	if err != nil {
		return nil, errors.Join(err, c.close(false))
	}
	c.client, c.admin = client, kadm.NewClient(client)
	_, err = c.admin.CreateTopic(ctx, partitions, nodes, map[string]*string{"flush.messages": kadm.StringPtr(flushes)}, topic)
	return c, err
}

// place makes room for a node, whose metadata log is apart from its data.
func (c *cluster) place(i int, binary string) error {
	folder := filepath.Join(c.dir, fmt.Sprint("node-", i+1))
	o := peer.Options{Dir: filepath.Join(folder, "data"), Binary: binary}
	if err := c.net.disk(o.Dir); err != nil {
		return err
	}
	o, err := c.net.place(i, o)
	if err != nil {
		return err
	}
	own := map[string]string{"metadata.log.dir": filepath.Join(folder, "metadata")}
	maps.Copy(own, o.Properties) // what its place asks for
	o.Properties = own
	return c.Add(c.kind, o)
}

// seeds is how a client comes to the cluster. It does not wait long for a node that is silent, since it tries each request on its way there again: that would
// be measured as the server's.
func (c *cluster) seeds() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(retry), kgo.DialTimeout(silence), kgo.RequestTimeoutOverhead(silence),
		kgo.RetryBackoffFn(func(int) time.Duration { return retry }),
		kgo.AlwaysRetryEOF(), // a node that ends may take a connection and end it; franz-go would take that for a want of SASL, and drop records
	}
}

// wipe takes the data of a node that has ended, and formats its disk anew. The metadata log lies on another one.
func (c *cluster) wipe(ctx context.Context, i int) error {
	o := c.Options(i)
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
	return c.Node(i).Stop(ctx)
}

// stopAll ends all nodes in good order, at once.
func (c *cluster) stopAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stops)
	defer cancel()
	return c.Stop(ctx)
}

// settle waits until every replica is in sync, on every node, and every node knows it: one that stood still believes what was true before.
func (c *cluster) settle(ctx context.Context) error {
	return replicas.Settle(ctx, c.Cluster, settles, func(t kmsg.MetadataResponseTopic) error {
		if len(t.Partitions) != partitions {
			return fmt.Errorf("%d partitions", len(t.Partitions))
		}
		for _, p := range t.Partitions {
			if len(p.ISR) != nodes {
				return fmt.Errorf("in sync of partition %d are %v", p.Partition, p.ISR)
			}
		}
		return nil
	}, topic)
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

// assign gives all partitions their replicas on these nodes.
func (c *cluster) assign(ctx context.Context, ids ...int32) error {
	return replicas.Move(ctx, c.admin, []string{topic}, ids...)
}

// close ends the nodes, whatever state they are in. What is kept of disks that are gone with this process is a copy.
func (c *cluster) close(remove bool) error {
	if c.admin != nil {
		c.admin.Close()
	}
	errs := []error{c.Kill()}
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
	for i := range c.Len() {
		all = append(all, c.Options(i).Dir)
	}
	return all
}
