package node_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/testkit"
)

// TestAllStopAtOnce: nodes that are asked to end at the same time do not wait for a quorum that will not come again.
func TestAllStopAtOnce(t *testing.T) {
	for range 2 {
		c := testkit.StartCluster(t, 3, testkit.Options{})
		c.Nodes[0].Dial().Create("a", 6)
		began := time.Now()
		c.StopAll()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("three nodes took %v to end", took)
		}
		var all sync.WaitGroup
		for id := 1; id <= 3; id++ {
			all.Go(func() { c.Restart(id) })
		}
		all.Wait()
		c.StopAll()
	}
}

// TestKillAfterTheControllerChanged: a node that ends is noticed by a controller that has led for a moment only, long before its session or its next
// heartbeat.
func TestKillAfterTheControllerChanged(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Set: []string{"broker.heartbeat.interval.ms=20000", "broker.session.timeout.ms=30000"}})
	client := c.Client()
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(t.Context(), 3, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	first := c.Controller(client)
	c.Stop(first)
	c.Restart(first)
	last := 6 - first - c.Controller(client)
	c.Kill(last)
	began := time.Now()
	testkit.Eventually(t, "the others lead", func() bool {
		topics, err := adm.ListTopics(t.Context(), "t")
		return err == nil && !slices.ContainsFunc(topics["t"].Partitions.Sorted(), func(p kadm.PartitionDetail) bool { return p.Leader < 0 || p.Leader == int32(last) })
	})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end of a node was noticed after %v", took)
	}
}

// TestWhoLeadsStopsAtOnce: a node that hands over what it leads waits until the others know, and these say so at once, not with their next heartbeat.
func TestWhoLeadsStopsAtOnce(t *testing.T) {
	rare := []string{"broker.heartbeat.interval.ms=20000", "broker.session.timeout.ms=60000"}
	c := testkit.StartCluster(t, 3, testkit.Options{Set: rare})
	alone := c.AddBroker(rare...)
	if _, err := kadm.NewClient(alone.Client()).CreateTopic(t.Context(), 8, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	for id := 4; id >= 3; id-- {
		began := time.Now()
		c.Stop(id)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("node %d took %v to end", id, took)
		}
	}
}
