package forward_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
)

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestThreeNodes: three nodes elect a controller and know each other, whichever is asked does what only the controller can, and
// partitions of one replica lie on all.
func TestThreeNodes(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx := testContext(t)
	client := c.Client(kgo.ManualFlushing(), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	adm := kadm.NewClient(client)
	testkit.Eventually(t, "the node that is asked knows all", func() bool {
		brokers, err := adm.ListBrokers(ctx)
		return err == nil && len(brokers) == 3
	})
	if _, err := adm.CreateTopic(ctx, 6, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "all lead", func() bool {
		topics, err := adm.ListTopics(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		leads := map[int32]int{}
		for _, p := range topics["t"].Partitions {
			leads[p.Leader]++
		}
		return len(leads) == 3
	})
	for i := range 60 {
		client.Produce(ctx, &kgo.Record{Topic: "t", Value: fmt.Append(nil, i)}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	consumer := c.Client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for got := 0; got < 60; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		got += fetches.NumRecords()
	}
}

// TestControllerGoes: when the node that is the active controller stops, another takes over, and the one that comes back follows.
func TestControllerGoes(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx := testContext(t)
	client := c.Client()
	adm := kadm.NewClient(client)
	for round := range 3 {
		leader := c.Controller(client)
		for id := 1; id <= 3; id++ {
			if other := c.Controller(c.Nodes[id-1].Client()); other != leader {
				t.Fatalf("node %d says that %d leads, another one %d", id, other, leader)
			}
		}
		c.Stop(leader)
		if _, err := adm.CreateTopic(ctx, 1, 1, nil, fmt.Sprint("while-", leader, "-is-away-", round)); err != nil {
			t.Fatal(err)
		}
		c.Restart(leader)
	}
}

// TestAskedWhileNobodyLeads: what is asked of a node that has lost its majority waits, and is done when there is a controller again.
func TestAskedWhileNobodyLeads(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx := testContext(t)
	adm := kadm.NewClient(c.Nodes[0].Client(kgo.RetryTimeout(time.Minute)))
	adm.SetTimeoutMillis(60_000)
	c.Kill(2)
	c.Kill(3)
	testkit.Eventually(t, "nobody leads", func() bool {
		leader, _ := c.Nodes[0].ActiveController()
		return leader == kafka.NoNode
	})
	made := make(chan error, 1)
	go func() {
		_, err := adm.CreateTopic(ctx, 1, 1, nil, "later")
		made <- err
	}()
	node := c.Nodes[0].Dial()
	c.Restart(2)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the topic is there", func() bool { return len(node.Topics()) == 1 })
}

// TestEachNodeTakesWhatIsTheControllers: whatever only the active controller can do is done by whichever node is asked, and seen by all.
func TestEachNodeTakesWhatIsTheControllers(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	ctx := testContext(t)
	ids := map[int64]bool{}
	for id := 1; id <= 3; id++ {
		node := c.Nodes[id-1].Dial()
		topic := fmt.Sprint("of-", id)
		node.Create(topic, 3)
		adm := kadm.NewClient(c.Nodes[id-1].Client())
		responses, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("1000")}}, topic)
		if err != nil || responses[0].Err != nil {
			t.Fatalf("node %d: %v, %v", id, err, responses)
		}
		testkit.Eventually(t, "the node knows its topic", func() bool { // as with Kafka, an answer may be ahead of the node
			topics, err := adm.ListTopics(ctx, topic)
			return err == nil && len(topics[topic].Partitions) == 3
		})
		if more, err := adm.CreatePartitions(ctx, 2, topic); err != nil || more[topic].Err != nil {
			t.Fatalf("node %d: %v, %v", id, err, more)
		}
		req := kmsg.NewPtrInitProducerIDRequest()
		resp := testkit.Ask[*kmsg.InitProducerIDResponse](node, req, 4)
		if resp.ErrorCode != 0 || ids[resp.ProducerID] {
			t.Fatalf("node %d: producer id %d, error %d", id, resp.ProducerID, resp.ErrorCode)
		}
		ids[resp.ProducerID] = true
	}
	for id := 1; id <= 3; id++ {
		adm := kadm.NewClient(c.Nodes[id-1].Client())
		testkit.Eventually(t, "all nodes know all topics", func() bool {
			topics, err := adm.ListTopics(ctx, "of-1", "of-2", "of-3")
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range topics {
				if len(d.Partitions) != 5 {
					return false
				}
			}
			return true
		})
		testkit.Eventually(t, "all nodes know their configurations", func() bool {
			configs, err := adm.DescribeTopicConfigs(ctx, "of-1", "of-2", "of-3")
			if err != nil {
				t.Fatal(err)
			}
			set := 0
			for _, r := range configs {
				for _, entry := range r.Configs {
					if entry.Key == "retention.ms" && entry.MaybeValue() == "1000" {
						set++
					}
				}
			}
			return set == 3
		})
	}
	adm := kadm.NewClient(c.Nodes[0].Client())
	if _, err := adm.DeleteTopics(ctx, "of-1", "of-2", "of-3"); err != nil {
		t.Fatal(err)
	}
}
