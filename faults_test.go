package ottla_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla"
)

// quick has nodes that are silent noticed sooner.
var quick = ottla.Set("broker.session.timeout.ms=1000", "replica.lag.time.max.ms=1000")

// A leader that is cut off from the other nodes loses what it leads, though clients reach it; when the cut heals it follows again.
func TestIsolatedLeader(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), quick, ottla.Topic("t", 1, 3))
	cl, ctx := client(t, c), testContext(t)
	produce(t, cl, "t", 10)
	old := c.Leader("t", 0)
	c.Isolate(old)
	produce(t, cl, "t", 10) // acknowledged by others
	leader, err := c.WaitLeader(ctx, "t", 0)
	if err != nil || leader == old {
		t.Fatalf("node %d leads, %v", leader, err)
	}
	c.Heal()
	if err := c.WaitISR(ctx, "t", 0, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if got := consume(t, c, "t", 20); got != 20 {
		t.Fatalf("%d records of 20", got)
	}
}

// A follower that does not hear from its leader leaves the in-sync set; what goes the other way does not help it. Neither is the controller,
// whose own links would tell of more.
func TestOneWayCut(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), quick, ottla.Topic("t", 3, 3))
	cl, ctx := client(t, c, kgo.RecordPartitioner(kgo.ManualPartitioner())), testContext(t)
	controller := c.Controller()
	p := int32(0)
	for c.Leader("t", p) == controller {
		p++
	}
	leader := c.Leader("t", p)
	c.CutOneWay(leader, 6-leader-controller)
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "t", Partition: p}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitISR(ctx, "t", p, leader, controller); err != nil {
		t.Fatal(err)
	}
	c.Heal()
	if err := c.WaitISR(ctx, "t", p, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
}

// Clients that are cut off from a node go on when the cut heals, over the connections that they have.
func TestClientsCutOff(t *testing.T) {
	for _, o := range []ottla.Option{ottla.Nodes(1), ottla.InProcess()} {
		c := ottla.Start(t, ottla.Topic("t", 1, 1), o)
		cl := client(t, c)
		produce(t, cl, "t", 1)
		c.Cut(ottla.Clients, 1)
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := cl.ProduceSync(short, kgo.KeyStringRecord("t", "x")).FirstErr(); err == nil {
			t.Fatal("a record was acknowledged across a cut")
		}
		c.Heal()
		produce(t, cl, "t", 1)
	}
}

// A node that stands still is fenced, and comes back by itself when it goes on.
func TestPause(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), quick, ottla.Topic("t", 1, 3))
	cl, ctx := client(t, c), testContext(t)
	produce(t, cl, "t", 1)
	n := c.Node(c.Leader("t", 0))
	n.Pause()
	produce(t, cl, "t", 1)
	if id := c.Leader("t", 0); id == n.ID() {
		t.Fatalf("node %d stands still and leads", id)
	}
	n.Resume()
	if err := c.WaitISR(ctx, "t", 0, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
}

// A full disk refuses records and loses none; when there is room again it takes them.
func TestFullDisk(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 1, 1))
	cl := client(t, c, kgo.RecordRetries(1), kgo.RequestRetries(1), kgo.DisableIdempotentWrite())
	produce(t, cl, "t", 10)
	c.Node(1).Disk().SetFull(true)
	if err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: "t"}).FirstErr(); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("on a full disk: %v", err)
	}
	c.Node(1).Disk().SetFull(false)
	produce(t, cl, "t", 10)
	if got := consume(t, c, "t", 20); got != 20 {
		t.Fatalf("%d records of 20", got)
	}
}

// A slow disk takes its time, and all is done in the end.
func TestSlowDisk(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 1, 1))
	cl := client(t, c)
	produce(t, cl, "t", 1)
	c.Node(1).Disk().SetDelay(50 * time.Millisecond)
	began := time.Now()
	produce(t, cl, "t", 1)
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Fatalf("a write took %v", took)
	}
}

// A node whose only disk breaks ends by itself, and says why; the others take over.
func TestBrokenDisk(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 1, 3))
	cl, ctx := client(t, c), testContext(t)
	produce(t, cl, "t", 1)
	n := c.Node(c.Leader("t", 0))
	n.Disk().SetBroken(true)
	produce(t, cl, "t", 10)
	if err := n.WaitDown(ctx); err != nil {
		t.Fatal(err)
	}
	if n.Err() == nil {
		t.Error("it does not say why")
	}
	n.Disk().SetBroken(false)
	if err := n.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitISR(ctx, "t", 0, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
}

// After a power cut of all machines at once, records that were not flushed may be gone; those of a topic that flushes are there.
func TestPowerCut(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.PowerCuts(),
		ottla.Topic("memory", 1, 3), ottla.Topic("flushed", 1, 3, "flush.messages=1"))
	cl, ctx := client(t, c), testContext(t)
	produce(t, cl, "memory", 10)
	produce(t, cl, "flushed", 10)
	for _, n := range c.Nodes() {
		if err := n.PowerCut(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.StartAll(ctx); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int64{"memory": 0, "flushed": 10} {
		if _, err := c.WaitLeader(ctx, topic, 0); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitHighWatermark(ctx, topic, 0, want); err != nil {
			t.Fatal(err)
		}
		if hw := c.HighWatermark(topic, 0); hw != want {
			t.Errorf("%s: %d records after the power cut, want %d", topic, hw, want)
		}
	}
}

// A node that waits for others, or stands still, can be killed all the same, and whoever waits for it is told.
func TestKillWhoWaits(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess())
	ctx := testContext(t)
	for _, n := range c.Nodes() {
		n.Kill()
	}
	started := make(chan error)
	go func() { started <- c.Node(1).Start(ctx) }()
	for !c.Node(1).Running() {
		runtime.Gosched()
	}
	c.Node(1).Kill()
	if err := <-started; err == nil {
		t.Fatal("one node of three serves")
	}
	if err := c.StartAll(ctx); err != nil {
		t.Fatal(err)
	}
	n := c.Node(2)
	n.Pause()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := n.Stop(short); !errors.Is(err, context.DeadlineExceeded) || n.Running() {
		t.Fatalf("a stop of a node that stands still: %v", err)
	}
	n.Resume()
	if err := n.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

// What can't be done is said, not done by half.
func TestRefusals(t *testing.T) {
	ctx := testContext(t)
	for name, o := range map[string][]ottla.Option{
		"no nodes":               {ottla.Nodes(0)},
		"an unknown value":       {ottla.Set("num.partitions=many")},
		"no setting":             {ottla.Topic("t", 1, 1, "cleanup.policy")},
		"more replicas than":     {ottla.Topic("t", 1, 2)},
		"power cuts of an OS":    {ottla.Dir(t.TempDir()), ottla.PowerCuts()},
		"a topic without a name": {ottla.Topic("", 1, 1)},
	} {
		if c, err := ottla.Open(ctx, append(o, ottla.InProcess())...); err == nil {
			t.Errorf("%s: started %v", name, c.Addrs())
		}
	}
	c := ottla.Start(t, ottla.InProcess())
	n := c.Node(1)
	if err := n.PowerCut(); err == nil {
		t.Error("a power cut without PowerCuts")
	}
	if err := n.Start(ctx); !errors.Is(err, ottla.ErrRunning) {
		t.Errorf("start twice: %v", err)
	}
	n.Kill()
	n.Kill()
	if err := n.Stop(ctx); !errors.Is(err, ottla.ErrDown) {
		t.Errorf("stop of one that is down: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := c.WaitISR(short, "none", 0, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for nothing: %v", err)
	}
	fmt.Fprintln(t.Output(), c.WaitHighWatermark(short, "none", 0, 1))
}

// Of a node that was killed while it was paused nothing stays paused: it starts again, as after SIGSTOP and SIGKILL.
func TestKillWhilePaused(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), quick)
	n := c.Node(2)
	n.Pause()
	n.Kill()
	if err := n.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
}
