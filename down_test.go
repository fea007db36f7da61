package ottla_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ottla/ottla"
)

// withOneDown is a cluster of three with a partition whose in-sync replicas are the two nodes that run, and the node that does not.
func withOneDown(t *testing.T) (*ottla.Cluster, *ottla.Node) {
	t.Helper()
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), quick, ottla.Topic("t", 1, 3))
	down := c.Node(c.Leader("t", 0))
	down.Kill()
	if err := c.WaitISR(testContext(t), "t", 0, others(down.ID())...); err != nil {
		t.Fatal(err)
	}
	return c, down
}

// A node that is down keeps nobody from what the others do: what is asked of the cluster is done when those that run have it.
func TestAdminWithANodeDown(t *testing.T) {
	for name, do := range map[string]func(context.Context, *ottla.Cluster) error{
		"create a topic": func(ctx context.Context, c *ottla.Cluster) error { return c.CreateTopic(ctx, "u", 3, 2) },
		"move a leader": func(ctx context.Context, c *ottla.Cluster) error {
			isr := c.ISR("t", 0)
			return c.MoveLeader(ctx, "t", 0, isr[0]+isr[1]-c.Leader("t", 0))
		},
		"shuffle leaders": func(ctx context.Context, c *ottla.Cluster) error { return c.ShuffleLeaders(ctx) },
		"add a node": func(ctx context.Context, c *ottla.Cluster) error {
			_, err := c.AddNode(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, down := withOneDown(t)
			if err := do(testContext(t), c); err != nil {
				t.Error(err)
			}
			if down.Running() {
				t.Error("the node that was down runs")
			}
		})
	}
}

// Leaders are shuffled among the nodes that run, also while one that does not is in sync still.
func TestShuffleLeadersToWhoRuns(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 3, 3))
	ctx := testContext(t)
	c.Node(3).Kill()
	for range 3 {
		if err := c.ShuffleLeaders(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// When no node runs, whatever is asked of the cluster says so.
func TestAdminWithAllDown(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(2), ottla.InProcess(), ottla.Topic("t", 1, 2))
	ctx := testContext(t)
	for _, n := range c.Nodes() {
		n.Kill()
	}
	for name, err := range map[string]error{
		"create a topic":  c.CreateTopic(ctx, "u", 1, 1),
		"move a leader":   c.MoveLeader(ctx, "t", 0, 2),
		"shuffle leaders": c.ShuffleLeaders(ctx),
	} {
		if !errors.Is(err, ottla.ErrDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cluster is closed while a node starts, over the loopback, whose sockets both have an eye on.
func TestCloseWhileANodeStarts(t *testing.T) {
	c, err := ottla.Open(testContext(t), ottla.Nodes(2))
	if err != nil {
		t.Fatal(err)
	}
	c.Node(2).Kill()
	started := make(chan error)
	go func() { started <- c.Node(2).Start(testContext(t)) }()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-started; err == nil {
		t.Log("it served before it was closed")
	}
	if c.Node(1).Running() {
		t.Error("a node of a closed cluster runs")
	}
}

// Whoever waits for a turn with a node, while it starts, waits as long as its context: a start gives up, a stop kills.
func TestTurnsHonourContexts(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess())
	ctx := testContext(t)
	for _, n := range c.Nodes() {
		n.Kill()
	}
	n := c.Node(1)
	started := make(chan error)
	go func() { started <- n.Start(ctx) }() // takes a quorum, which there is not
	for !n.Running() {
		<-time.After(time.Millisecond)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := n.Start(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second start: %v", err)
	}
	if err := c.StartAll(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a start of all: %v", err)
	}
	if err := n.Stop(short); !errors.Is(err, context.DeadlineExceeded) || n.Running() {
		t.Errorf("a stop: %v", err)
	}
	if err := <-started; err == nil {
		t.Error("one node of three serves")
	}
}
