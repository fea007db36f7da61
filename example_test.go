package ottla_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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
