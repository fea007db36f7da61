package ottla_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla"
)

// Three nodes, a topic, a record in and out again. A test would say ottla.Start(t, …) and need no Close.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Nodes(3), ottla.Topic("orders", 1, 3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.ConsumeTopics("orders"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("one espresso")}).FirstErr(); err != nil {
		log.Fatal(err)
	}
	client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
		fmt.Printf("%s at offset %d\n", r.Value, r.Offset)
	})
	// Output: one espresso at offset 0
}

// The leader of a partition dies, and the producer does not notice.
func ExampleNode_Kill() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Nodes(3), ottla.Topic("orders", 1, 3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.DefaultProduceTopic("orders"), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if err := client.ProduceSync(ctx, kgo.StringRecord("before")).FirstErr(); err != nil {
		log.Fatal(err)
	}
	leader := cluster.Leader("orders", 0)
	cluster.Node(leader).Kill()
	if err := client.ProduceSync(ctx, kgo.StringRecord("after")).FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("another node leads:", cluster.Leader("orders", 0) != leader)

	if err := cluster.Node(leader).Start(ctx); err != nil {
		log.Fatal(err)
	}
	if err := cluster.WaitISR(ctx, "orders", 0, 1, 2, 3); err != nil {
		log.Fatal(err)
	}
	fmt.Println("in sync:", cluster.ISR("orders", 0))
	// Output:
	// another node leads: true
	// in sync: [1 2 3]
}

// A consumer cannot reach the node any more, and then can.
func ExampleCluster_Cut() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Topic("orders", 1, 1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	cluster.Cut(ottla.Clients, 1)
	time.AfterFunc(100*time.Millisecond, cluster.Heal)
	began := time.Now()
	if err := client.ProduceSync(ctx, kgo.StringRecord("late")).FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("it took as long as the cut:", time.Since(began) >= 100*time.Millisecond)
	// Output: it took as long as the cut: true
}

// The disk is full: a producer is told so, and a record that was acknowledged before can still be read.
func ExampleDisk_SetFull() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Topic("orders", 1, 1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.ConsumeTopics("orders"), kgo.DefaultProduceTopic("orders"),
		kgo.DisableIdempotentWrite(), kgo.RecordRetries(1), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if err := client.ProduceSync(ctx, kgo.StringRecord("fits")).FirstErr(); err != nil {
		log.Fatal(err)
	}
	cluster.Node(1).Disk().SetFull(true)
	err = client.ProduceSync(ctx, kgo.StringRecord("does not")).FirstErr()
	fmt.Println(errors.Is(err, kerr.KafkaStorageError))
	client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { fmt.Println(string(r.Value)) })
	// Output:
	// true
	// fits
}

// The power fails: records of a topic that is not flushed are gone, those of one that is are there.
func ExampleNode_PowerCut() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.PowerCuts(), ottla.Topic("fast", 1, 1), ottla.Topic("safe", 1, 1, "flush.messages=1"))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for _, topic := range []string{"fast", "safe"} {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic}).FirstErr(); err != nil {
			log.Fatal(err)
		}
	}
	node := cluster.Node(1)
	if err := node.PowerCut(); err != nil {
		log.Fatal(err)
	}
	if err := node.Start(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.HighWatermark("fast", 0), node.HighWatermark("safe", 0))
	// Output: 0 1
}

// The first two produce requests are refused, and the client tries again.
func ExampleCluster_Fail() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Topic("orders", 1, 1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.DefaultProduceTopic("orders"), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	failed := cluster.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.NotLeaderForPartition, Times: 2})
	err = client.ProduceSync(ctx, kgo.StringRecord("third time lucky")).FirstErr()
	fmt.Println(failed.Hits(), err)
	// Output: 2 <nil>
}

// What is asked for is seen, and answered in the node's place.
func ExampleCluster_Intercept() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	cluster.Intercept(func(r *ottla.Request) (kmsg.Response, error) {
		fmt.Println("asked for topic", r.Body.(*kmsg.CreateTopicsRequest).Topics[0].Topic)
		return ottla.Refusal(r.Body, kerr.PolicyViolation), nil
	}, kmsg.CreateTopics)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, kmsg.CreateTopicsRequestTopic{Topic: "invoices", NumPartitions: 1, ReplicationFactor: 1})
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range resp.Topics {
		fmt.Println(t.Topic, kerr.ErrorForCode(t.ErrorCode))
	}
	// Output:
	// asked for topic invoices
	// invoices POLICY_VIOLATION: Request parameters do not satisfy the configured policy.
}

// A node leaves for good. What it had is on others then, and its id is not given to another one.
func ExampleCluster_RemoveNode() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Nodes(3), ottla.Topic("orders", 3, 2))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	if err := cluster.RemoveNode(ctx, 2); err != nil {
		log.Fatal(err)
	}
	for p := range int32(3) {
		fmt.Println(cluster.ISR("orders", p))
	}
	node, err := cluster.AddNode(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("node", node.ID())
	// Output:
	// [1 3]
	// [1 3]
	// [1 3]
	// node 4
}

// One partition is refused, and the node handles the others of the same request.
func ExampleFailure_partitions() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := ottla.Open(ctx, ottla.Topic("orders", 2, 1))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	cluster.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition})
	req := kmsg.NewPtrListOffsetsRequest()
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = "orders"
	for p := range int32(2) {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p, -1 // the end
		topic.Partitions = append(topic.Partitions, partition)
	}
	req.Topics = append(req.Topics, topic)
	answer, err := client.Broker(1).Request(ctx, req)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range answer.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
		fmt.Println(p.Partition, p.Offset, kerr.ErrorForCode(p.ErrorCode))
	}
	// Output:
	// 0 0 <nil>
	// 1 -1 NOT_LEADER_FOR_PARTITION: This server is not the leader for that topic-partition.
}
