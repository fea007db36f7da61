package replication_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/testkit"
)

// partitionsOf gives the partitions of a topic, as any node knows them.
func partitionsOf(ctx context.Context, t *testing.T, adm *kadm.Client, topic string) kadm.PartitionDetails {
	t.Helper()
	topics, err := adm.ListTopics(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	return topics[topic].Partitions
}

// TestReplication: what is acknowledged by all is on all, byte for byte; with one node gone the others go on without it, with two
// nothing more is taken; whoever comes back catches up and is in sync again.
func TestReplication(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Set: []string{"default.replication.factor=3", "min.insync.replicas=2"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.RequiredAcks(kgo.AllISRAcks()), kgo.DefaultProduceTopic("t"))
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(ctx, 3, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	sent := 0
	produce := func(n int) {
		t.Helper()
		for range n {
			if err := client.ProduceSync(ctx, &kgo.Record{Key: fmt.Append(nil, sent), Value: fmt.Append(nil, "value-", sent)}).FirstErr(); err != nil {
				t.Fatalf("record %d: %v", sent, err)
			}
			sent++
		}
	}
	inSync := func(want int) {
		t.Helper()
		testkit.Eventually(t, fmt.Sprintf("%d in sync", want), func() bool {
			for _, p := range partitionsOf(ctx, t, adm, "t") {
				if len(p.ISR) != want || p.Leader < 0 {
					return false
				}
			}
			return true
		})
	}
	produce(60)
	inSync(3)
	for id := 1; id <= 3; id++ {
		c.Stop(id)
		inSync(2)
		produce(30)
		c.Restart(id)
		inSync(3)
	}
	produce(10)
	consumer := c.Client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]bool{}
	for len(seen) < sent {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if seen[string(r.Key)] {
				t.Errorf("record %s came twice", r.Key)
			}
			seen[string(r.Key)] = true
		})
	}
	for id := 1; id <= 3; id++ {
		c.Stop(id)
	}
	for p := range 3 {
		want := c.Log(1, fmt.Sprintf("t-%d", p))
		for id := 2; id <= 3; id++ {
			if got := c.Log(id, fmt.Sprintf("t-%d", p)); !bytes.Equal(got, want) {
				t.Errorf("partition %d: node %d has %d bytes, node 1 %d, or they differ", p, id, len(got), len(want))
			}
		}
	}
}

// TestGroupsMoveWithTheirLeaders: what a group has committed is there when the node of its coordinator ends, and its members go on at another one.
func TestGroupsMoveWithTheirLeaders(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Set: []string{"default.replication.factor=3", "offsets.topic.replication.factor=3", "offsets.topic.num.partitions=3"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.DefaultProduceTopic("t"))
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	for round := range 4 {
		// A member of its own in each round: one that stays looks for another coordinator with its next heartbeat, seconds later.
		member := c.Client(kgo.ConsumeTopics("t"), kgo.ConsumerGroup("g"), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		adm := kadm.NewClient(c.Client())
		if err := client.ProduceSync(ctx, &kgo.Record{Value: fmt.Append(nil, round)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		fetches := member.PollRecords(ctx, 1)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) != fmt.Sprint(round) {
				t.Fatalf("round %d: got %s", round, r.Value)
			}
		})
		if err := member.CommitUncommittedOffsets(ctx); err != nil {
			t.Fatal(err)
		}
		member.Close()
		coordinator := int(adm.FindGroupCoordinators(ctx, "g")["g"].NodeID)
		c.Stop(coordinator)
		testkit.Eventually(t, "another coordinator has the commit", func() bool {
			fresh := c.Client()
			defer fresh.Close()
			offsets, err := kadm.NewClient(fresh).FetchOffsets(ctx, "g")
			o, ok := offsets.Lookup("t", 0)
			return err == nil && ok && o.At == int64(round+1)
		})
		c.Restart(coordinator)
	}
}
