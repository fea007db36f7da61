package replication_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

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

// reads counts the fetches that a node answered.
type reads struct{ byNode [4]atomic.Int64 }

func (r *reads) OnBrokerRead(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == 1 && err == nil && meta.NodeID > 0 {
		r.byNode[meta.NodeID].Add(1)
	}
}

// TestReadsFromItsRack: a consumer with a rack reads from the replica there, as it comes, also when that node was away (KIP-392).
func TestReadsFromItsRack(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Set: []string{"default.replication.factor=3", "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.DefaultProduceTopic("t"))
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(ctx, 1, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	var leader int
	testkit.Eventually(t, "all are in sync", func() bool {
		p := partitionsOf(ctx, t, adm, "t")[0]
		leader = int(p.Leader)
		return len(p.ISR) == 3
	})
	near := leader%3 + 1
	var count reads
	consumer := c.Client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Rack(fmt.Sprint("rack-", near)), kgo.WithHooks(&count), kgo.FetchMaxWait(200*time.Millisecond))
	round := func(i int) {
		t.Helper()
		if err := client.ProduceSync(ctx, &kgo.Record{Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 1; {
			fetches := consumer.PollFetches(ctx)
			if ctx.Err() != nil {
				t.Fatal(ctx.Err())
			}
			fetches.EachRecord(func(r *kgo.Record) {
				if n++; string(r.Value) != fmt.Sprint(i) {
					t.Fatalf("record %d is %s", i, r.Value)
				}
			})
		}
	}
	for i := range 10 {
		round(i)
	}
	if n := count.byNode[near].Load(); n < 5 {
		t.Errorf("%d fetches from the node of its rack, %d from the leader", n, count.byNode[leader].Load())
	}
	c.Stop(near) // the client stays with who was named, and waits for it
	c.Restart(near)
	for i := range 5 {
		round(10 + i)
	}
}

// TestReassignment: a partition moves to other nodes while it is written to: nobody sees an error, nothing is lost, and the node that it left keeps nothing.
func TestReassignment(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.RequiredAcks(kgo.AllISRAcks()), kgo.DefaultProduceTopic("t"), kgo.RecordRetries(20))
	adm := kadm.NewClient(client)
	create := kmsg.NewPtrCreateTopicsRequest()
	create.TimeoutMillis = 10_000
	made := kmsg.NewCreateTopicsRequestTopic()
	made.Topic, made.NumPartitions, made.ReplicationFactor = "t", -1, -1
	made.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{1}}}
	create.Topics = append(create.Topics, made)
	if _, err := create.RequestWith(ctx, client); err != nil {
		t.Fatal(err)
	}
	sent := 0
	produce := func(n int) {
		t.Helper()
		for range n {
			if err := client.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(sent))).FirstErr(); err != nil {
				t.Fatalf("record %d: %v", sent, err)
			}
			sent++
		}
	}
	produce(50)
	for _, to := range [][]int32{{2, 3}, {3, 1, 2}, {2}} {
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign("t", 0, to)
		answers, err := adm.AlterPartitionAssignments(ctx, req)
		if err == nil {
			err = answers.Error()
		}
		if err != nil {
			t.Fatalf("to %v: %v", to, err)
		}
		testkit.Eventually(t, fmt.Sprintf("it is at %v", to), func() bool {
			produce(1)
			p := partitionsOf(ctx, t, adm, "t")[0]
			return slices.Equal(p.Replicas, to) && len(p.ISR) == len(to)
		})
		var of kadm.TopicsSet
		of.Add("t", 0)
		if left, err := adm.ListPartitionReassignments(ctx, of); err != nil || len(left) > 0 {
			t.Errorf("at %v: %v are still in flight, %v", to, left, err)
		}
		produce(10)
	}
	consumer := c.Client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for next := 0; next < sent; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) != fmt.Sprint(next) {
				t.Fatalf("record %d is %s", next, r.Value)
			}
			next++
		})
	}
}

// TestThrottledReplication: what a reassignment copies waits for the rates of leader and follower, each alone; writers don't.
func TestThrottledReplication(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := c.Client(kgo.DefaultProduceTopic("t"))
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(ctx, 1, 1, map[string]*string{
		"leader.replication.throttled.replicas": kadm.StringPtr("*"), "follower.replication.throttled.replicas": kadm.StringPtr("*"),
	}, "t"); err != nil {
		t.Fatal(err)
	}
	set := func(key string, op kadm.IncrementalOp) {
		t.Helper()
		answers, err := adm.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: key, Value: kadm.StringPtr("0")}})
		if err == nil {
			err = answers[0].Err
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	produce := func() {
		t.Helper()
		for range 100 {
			if err := client.ProduceSync(ctx, kgo.StringRecord("value")).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce() // who has to copy nothing is in sync at once
	at := []int32{1, 2, 3}
	for i, key := range []string{"leader.replication.throttled.rate", "follower.replication.throttled.rate"} {
		set(key, kadm.SetConfig)
		leader := partitionsOf(ctx, t, adm, "t")[0].Leader
		to := []int32{leader, at[(int(leader)+i)%3]}
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign("t", 0, to)
		if answers, err := adm.AlterPartitionAssignments(ctx, req); err != nil || answers.Error() != nil {
			t.Fatal(err, answers)
		}
		produce()
		if p := partitionsOf(ctx, t, adm, "t")[0]; len(p.ISR) > 1 {
			t.Errorf("%s=0: in sync are %v", key, p.ISR)
		}
		set(key, kadm.DeleteConfig)
		testkit.Eventually(t, "both are in sync", func() bool { return len(partitionsOf(ctx, t, adm, "t")[0].ISR) == 2 })
		req.Assign("t", 0, to[:1])
		if answers, err := adm.AlterPartitionAssignments(ctx, req); err != nil || answers.Error() != nil {
			t.Fatal(err, answers)
		}
		testkit.Eventually(t, "one is left", func() bool { return len(partitionsOf(ctx, t, adm, "t")[0].Replicas) == 1 })
	}
}
