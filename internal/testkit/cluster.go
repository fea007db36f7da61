package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// Cluster is nodes that are broker and controller in one each, with ids from 1 on and a quorum of all, static unless Options say otherwise.
type Cluster struct {
	t       testing.TB
	quorum  string  // the line of the configuration that says where the controllers are
	Nodes   []*Node // by id, from 1 on: the first is Nodes[0]; nil while it is down
	options []Options
}

// StartCluster starts so many nodes and waits until all serve. O is of each; files are in memory.
func StartCluster(t testing.TB, size int, o Options) *Cluster {
	t.Helper()
	c := &Cluster{t: t, Nodes: make([]*Node, size)}
	var voters, addresses []string
	var initial []storage.Voter
	for i := range size {
		own := o
		own.FS = vfs.NewMem()
		own.sockets = &sockets{}
		own.ports = [2]int{own.sockets.reserve(t), own.sockets.reserve(t)}
		addresses = append(addresses, loopback(own.ports[1]))
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, loopback(own.ports[1])))
		initial = append(initial, storage.Voter{ID: kafka.NodeID(i + 1), Directory: Directory(i + 1), Host: "127.0.0.1", Port: own.ports[1]})
		c.options = append(c.options, own)
	}
	for i := range c.options {
		own := &c.options[i]
		quorum := "controller.quorum.voters=" + strings.Join(voters, ",")
		if o.Dynamic {
			quorum = "controller.quorum.bootstrap.servers=" + strings.Join(addresses, ",")
			own.initial = initial
		}
		c.quorum = quorum
		own.Set = append([]string{fmt.Sprintf("node.id=%d", i+1), fmt.Sprintf("broker.rack=rack-%d", i+1), quorum}, o.Set...)
		if o.Alone {
			at := "listeners=CONTROLLER://" + loopback(own.ports[1])
			own.Set = append(own.Set, "process.roles=controller", at, "advertised."+at)
		}
		own.cluster = "cluster"
	}
	var all sync.WaitGroup
	for i := range size {
		all.Go(func() { c.start(i, TryStart) })
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return c
}

// Directory is the id of the metadata directory of node id in a dynamic quorum.
func Directory(id int) kafka.UUID { return kafka.UUID{6: 0x40, 8: 0x80, 15: byte(id)} }

func (c *Cluster) start(i int, start func(testing.TB, Options) (*Node, error)) {
	n, err := start(c.t, c.options[i])
	if err != nil {
		c.t.Errorf("start node %d: %v", i+1, err)
		return
	}
	c.Nodes[i] = n
}

// Join starts one more node with so far no vote in a dynamic quorum, and returns its id.
func (c *Cluster) Join() int {
	c.t.Helper()
	i := len(c.Nodes)
	own := c.options[0]
	own.FS, own.initial, own.sockets = vfs.NewMem(), nil, &sockets{}
	own.ports = [2]int{own.sockets.reserve(c.t), own.sockets.reserve(c.t)}
	own.Set = append(slices.Clone(own.Set), fmt.Sprintf("node.id=%d", i+1), fmt.Sprintf("broker.rack=rack-%d", i+1))
	c.options, c.Nodes = append(c.options, own), append(c.Nodes, nil)
	c.start(i, TryStart)
	return i + 1
}

// Client is a client of the franz-go library, closed when the test ends.
func (c *Cluster) Client(o ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Bootstrap()...), kgo.MetadataMinAge(10 * time.Millisecond)}, o...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(client.Close)
	return client
}

// Controller asks whichever node a client likes for the id of the active controller.
func (c *Cluster) Controller(client *kgo.Client) int {
	c.t.Helper()
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic, topic.Partitions = "__cluster_metadata", append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(c.t.Context(), client)
	if err != nil {
		c.t.Fatal(err)
	}
	return int(resp.Topics[0].Partitions[0].LeaderID)
}

// Bootstrap are the addresses for clients.
func (c *Cluster) Bootstrap() []string {
	var all []string
	for _, o := range c.options {
		all = append(all, loopback(o.ports[0]))
	}
	return all
}

// Stop stops node id, in good order.
func (c *Cluster) Stop(id int) {
	c.t.Helper()
	c.Nodes[id-1].Stop()
	c.Nodes[id-1] = nil
}

// Kill ends node id without its handing over anything, as if its process were killed; its files are those of a node that has ended, though.
func (c *Cluster) Kill(id int) {
	c.t.Helper()
	n := c.Nodes[id-1]
	c.Nodes[id-1] = nil
	n.stopping.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = n.Node.Stop(ctx) // it had no time for anything
	})
}

// StopAll stops all nodes that run, in good order and at the same time.
func (c *Cluster) StopAll() {
	c.t.Helper()
	var all sync.WaitGroup
	for i, n := range c.Nodes {
		if n != nil {
			c.Nodes[i] = nil
			all.Go(n.Stop)
		}
	}
	all.Wait()
}

// Restart starts node id, which was stopped, on its files and addresses.
func (c *Cluster) Restart(id int) {
	c.t.Helper()
	c.reserve(id)
	c.start(id-1, Open)
}

// TryRestart is Restart of a node that does not start, and returns why.
func (c *Cluster) TryRestart(id int) error {
	c.t.Helper()
	c.reserve(id)
	_, err := Open(c.t, c.options[id-1])
	return err
}

// reserve takes the addresses of a node that was stopped.
func (c *Cluster) reserve(id int) {
	c.t.Helper()
	o := &c.options[id-1]
	o.sockets = &sockets{}
	for _, port := range o.ports {
		o.sockets.reserveAt(c.t, port)
	}
}

// Wipe removes a log directory of node id, which was stopped, and formats it anew: it comes back under another directory id.
func (c *Cluster) Wipe(id int, dir string) {
	c.t.Helper()
	o := c.options[id-1]
	if err := vfs.RemoveAll(o.FS, dir); err != nil {
		c.t.Fatal(err)
	}
	o.setDefaults()
	world := storage.World{FS: o.FS, Now: o.Now, Random: rand.Reader}
	if err := world.Format(storage.Request{Node: Config(c.t, o), ClusterID: o.cluster, IgnoreFormatted: true, NoInitialVoters: o.Dynamic}, io.Discard); err != nil {
		c.t.Fatal(err)
	}
}

// Log returns the bytes of the segments of a partition's folder at node id, one after the other.
func (c *Cluster) Log(id int, folder string) []byte {
	c.t.Helper()
	fs := c.options[id-1].FS
	entries, err := fs.ReadDir("/data/" + folder)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []byte
	for _, e := range entries { // sorted by name, and so by offset
		if !strings.HasSuffix(e.Name, ".log") {
			continue
		}
		b, err := vfs.ReadFile(fs, "/data/"+folder+"/"+e.Name)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
