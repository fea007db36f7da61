package ottla_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla"
)

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func client(t testing.TB, c *ottla.Cluster, o ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Addrs()...), kgo.Dialer(c.Dial), kgo.MetadataMinAge(10 * time.Millisecond),
		kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second)}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// BenchmarkStart is the time from nothing to three nodes that serve (ready), and to a first record that all three have (first), with a client of
// franz-go's from its beginning. The median says more than the mean where others use the machine too.
func BenchmarkStart(b *testing.B) {
	for name, o := range map[string]ottla.Option{"loopback": ottla.Nodes(3), "in-process": ottla.InProcess()} {
		b.Run(name, func(b *testing.B) {
			var ready, first []time.Duration
			for b.Loop() {
				began := time.Now()
				c := ottla.Start(b, ottla.Nodes(3), ottla.Topic("t", 1, 3), o)
				ready = append(ready, time.Since(began))
				cl := client(b, c)
				produce(b, cl, "t", 1)
				first = append(first, time.Since(began))
				cl.Close()
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
			for what, all := range map[string][]time.Duration{"ready": ready, "first": first} {
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, what+"-p50-ms")
				b.ReportMetric(float64(all[len(all)*9/10].Microseconds())/1000, what+"-p90-ms")
			}
		})
	}
}

// produce writes n records with acks=all and returns when all are acknowledged.
func produce(t testing.TB, cl *kgo.Client, topic string, n int) {
	t.Helper()
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Append(nil, i)})
	}
	if err := cl.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume returns how many records a topic holds, up to n.
func consume(t *testing.T, c *ottla.Cluster, topic string, n int) int {
	t.Helper()
	cl := client(t, c, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	got := 0
	for got < n {
		fetches := cl.PollFetches(testContext(t))
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		got += fetches.NumRecords()
	}
	return got
}

// Every node is killed in turn, under way, and comes back; nothing that was acknowledged is lost.
func TestKillInTurn(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 3, 3))
	cl := client(t, c)
	ctx := testContext(t)
	for i, n := range c.Nodes() {
		produce(t, cl, "t", 100)
		n.Kill()
		if n.Running() {
			t.Fatal("a node that was killed runs")
		}
		produce(t, cl, "t", 100)
		if err := n.Start(ctx); err != nil {
			t.Fatalf("node %d: %v", i+1, err)
		}
		for p := range int32(3) {
			if err := c.WaitISR(ctx, "t", p, 1, 2, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := consume(t, c, "t", 600); got != 600 {
		t.Fatalf("%d records of 600", got)
	}
}

// A rolling restart on a directory: what is there stays, also for the next cluster on it.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	c := ottla.Start(t, ottla.Nodes(3), ottla.Dir(dir), ottla.Topic("t", 1, 3))
	cl := client(t, c)
	ctx := testContext(t)
	for _, n := range c.Nodes() {
		produce(t, cl, "t", 10)
		if err := n.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cl.Close()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = ottla.Start(t, ottla.Nodes(3), ottla.Dir(dir))
	if got := consume(t, c, "t", 30); got != 30 {
		t.Fatalf("%d records of 30", got)
	}
}

// A cluster grows: the new node serves clients and takes replicas, and is not asked for a vote.
func TestAddNode(t *testing.T) {
	for name, o := range map[string]ottla.Option{"loopback": ottla.Nodes(1), "in process": ottla.InProcess()} {
		c := ottla.Start(t, o)
		ctx := testContext(t)
		for want := range int32(2) {
			n, err := c.AddNode(ctx)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n.ID() != want+2 || len(c.Addrs()) != int(want)+2 {
				t.Fatalf("%s: node %d of %v", name, n.ID(), c.Addrs())
			}
		}
		if err := c.CreateTopic(ctx, "t", 1, 3); err != nil {
			t.Fatal(err)
		}
		cl := client(t, c)
		produce(t, cl, "t", 10)
		if err := c.MoveLeader(ctx, "t", 0, 3); err != nil {
			t.Fatal(err)
		}
		c.Node(2).Kill()
		produce(t, cl, "t", 10)
		if err := c.Node(2).Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitISR(ctx, "t", 0, 1, 2, 3); err != nil {
			t.Fatal(err)
		}
		if got := consume(t, c, "t", 20); got != 20 {
			t.Fatalf("%s: %d records of 20", name, got)
		}
	}
	if _, err := ottla.Start(t, ottla.Dir(t.TempDir())).AddNode(testContext(t)); err == nil {
		t.Error("a cluster in a directory grew")
	}
}

// Settings are of all nodes, or of one from its next start on; what is wrong is refused and changes nothing.
func TestSettings(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(2), ottla.InProcess(), ottla.Set("message.max.bytes=1000000"))
	cl, ctx := client(t, c), testContext(t)
	setting := func(id int32) string {
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{
			ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: fmt.Sprint(id), ConfigNames: []string{"message.max.bytes"},
		})
		resp, err := cl.Broker(int(id)).Request(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return *resp.(*kmsg.DescribeConfigsResponse).Resources[0].Configs[0].Value
	}
	if got := fmt.Sprint(c.Node(2)); got != "node 2" {
		t.Errorf("a node is %q in print", got)
	}
	if err := c.Node(2).Set("message.max.bytes=2000000"); err != nil {
		t.Fatal(err)
	}
	if err := c.Node(2).Set("message.max.bytes=many"); err == nil {
		t.Error("many is no number")
	}
	if got := setting(2); got != "1000000" {
		t.Errorf("%s before the restart", got)
	}
	if err := c.Node(2).Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if one, two := setting(1), setting(2); one != "1000000" || two != "2000000" {
		t.Errorf("%s and %s", one, two)
	}
}

// Nodes leave for good, whether they lead the metadata, follow or are dead: what they had is elsewhere, and those that are left go on without them.
func TestRemoveNode(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(4), ottla.InProcess(), quick, ottla.Topic("t", 4, 3), ottla.Topic("two", 2, 2, "min.insync.replicas=1"))
	cl, ctx := client(t, c), testContext(t)
	produce(t, cl, "t", 20)
	produce(t, cl, "two", 20)
	leader := c.Controller()
	if err := c.RemoveNode(ctx, leader); err != nil {
		t.Fatal(err)
	}
	if got := len(c.Addrs()); got != 3 {
		t.Fatalf("%d nodes are left", got)
	}
	produce(t, cl, "t", 20)
	next := c.Controller()
	if err := c.RemoveNode(ctx, next); !errors.Is(err, kerr.InvalidReplicaAssignment) || !c.Node(next).Running() {
		t.Fatalf("a replica of t had nowhere to go: %v", err)
	}
	added, err := c.AddNode(ctx)
	if err != nil || added.ID() != 5 {
		t.Fatalf("node %d, %v", added.ID(), err)
	}
	follower := c.Nodes()[0]
	if follower.ID() == c.Controller() {
		follower = c.Nodes()[1]
	}
	follower.Kill()
	if err := c.RemoveNode(ctx, follower.ID()); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, "t", 20)
	for topic, want := range map[string]int{"t": 60, "two": 20} {
		if got := consume(t, c, topic, want); got != want {
			t.Errorf("%s: %d records of %d", topic, got, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("there is a node that was removed")
		}
	}()
	c.Node(leader)
}

// The last vote stays, and so does its node.
func TestRemoveLastNode(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess())
	ctx := testContext(t)
	if _, err := c.AddNode(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveNode(ctx, 1); err == nil || !c.Node(1).Running() {
		t.Fatalf("the only voter has left: %v", err)
	}
	if err := c.RemoveNode(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic(ctx, "t", 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := ottla.Start(t, ottla.Dir(t.TempDir())).RemoveNode(ctx, 1); err == nil {
		t.Error("a cluster in a directory shrank")
	}
}

// TestInSyncAtOnce: a node that comes back and has missed nothing is in sync when it is let in, and not with its next fetch only, which here comes after a
// quarter of an hour.
func TestInSyncAtOnce(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.Topic("t", 6, 3), ottla.Set("replica.fetch.wait.max.ms=900000", "replica.socket.timeout.ms=900000", "replica.lag.time.max.ms=900000"))
	ctx := testContext(t)
	for id := int32(1); id <= 3; id++ {
		if err := c.Node(id).Restart(ctx); err != nil {
			t.Fatal(err)
		}
		for p := range int32(6) {
			if err := c.WaitISR(ctx, "t", p, 1, 2, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What the nodes do is told to whoever wants it, a line at a time, with the node's id; nothing is once the cluster is closed.
func TestLog(t *testing.T) {
	var told bytes.Buffer
	c, err := ottla.Open(testContext(t), ottla.Nodes(2), ottla.InProcess(), ottla.Log(&told))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for line := range strings.Lines(told.String()) {
		for _, n := range c.Nodes() {
			if id := fmt.Sprint(" node=", n.ID()); strings.HasPrefix(line, "time=") && strings.Contains(line, id) {
				said[id]++
			}
		}
	}
	if len(said) != 2 {
		t.Errorf("%v of:\n%s", said, told.String())
	}
}

// One node's address is enough for a client, and stays what it is while the node is down.
func TestAddr(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(2), ottla.Topic("t", 1, 2))
	n := c.Node(2)
	before := n.Addr()
	cl := client(t, c, kgo.SeedBrokers(before))
	produce(t, cl, "t", 1)
	if err := n.Restart(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if n.Addr() != before || c.Addrs()[1] != before {
		t.Errorf("%s, %v after %s", n.Addr(), c.Addrs(), before)
	}
	produce(t, cl, "t", 1)
}

// Set refuses what is no line of a configuration, and what the cluster itself decides, in its own words.
func TestSetRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"num.partitions":  `Set: "num.partitions": want key=value`,
		"node.id=7":       "Set: node.id is the cluster's own to choose: see Nodes and Dir",
		"log.dirs=/tmp":   "Set: log.dirs is the cluster's own to choose: see Nodes and Dir",
		"num.partition=3": "Set: no such key: num.partition",
	} {
		if _, err := ottla.Open(testContext(t), ottla.InProcess(), ottla.Set(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
