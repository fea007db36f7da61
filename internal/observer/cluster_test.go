package observer_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// place makes a topic of one partition with these replicas.
func place(t *testing.T, client *kgo.Client, topic string, replicas ...int32) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, -1, -1
	a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
	a.Replicas = replicas
	rt.ReplicaAssignment = append(rt.ReplicaAssignment, a)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil || resp.Topics[0].ErrorCode != 0 {
		t.Fatalf("create %s: %v, %+v", topic, err, resp)
	}
}

// inSync waits until all replicas of a topic's one partition are in sync.
func inSync(t *testing.T, client *kgo.Client, topic string) {
	t.Helper()
	testkit.Eventually(t, topic+" is in sync", func() bool {
		topics, err := kadm.NewClient(client).ListTopics(t.Context(), topic)
		p := topics[topic].Partitions[0]
		return err == nil && len(p.Replicas) > 0 && len(p.ISR) == len(p.Replicas)
	})
}

func produce(t *testing.T, client *kgo.Client, topic string, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatalf("produce %s: %v", v, err)
		}
	}
}

// describe asks for the state of the quorum.
func describe(t *testing.T, client *kgo.Client) kmsg.DescribeQuorumResponseTopicPartition {
	t.Helper()
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		t.Fatalf("%+v, %v", resp, err)
	}
	return resp.Topics[0].Partitions[0]
}

// TestBrokerWithoutVote: a node that is a broker alone follows the metadata, leads and follows partitions, passes on what its clients ask of the
// controller, and goes on when that one goes.
func TestBrokerWithoutVote(t *testing.T) {
	for _, dynamic := range []bool{false, true} {
		t.Run(fmt.Sprint("dynamic=", dynamic), func(t *testing.T) {
			c := testkit.StartCluster(t, 3, testkit.Options{Dynamic: dynamic})
			own := c.AddBroker().Client(kgo.MetadataMinAge(10 * time.Millisecond))
			place(t, own, "led", 4, 1, 2)
			place(t, own, "followed", 1, 4)
			inSync(t, own, "led")
			inSync(t, own, "followed")
			produce(t, own, "led", "a", "b")
			produce(t, own, "followed", "c")

			state := describe(t, own)
			if len(state.Observers) != 1 || state.Observers[0].ReplicaID != 4 || len(state.CurrentVoters) != 3 {
				t.Errorf("%+v", state)
			}
			c.Stop(int(state.LeaderID))
			place(t, own, "later", 4)
			produce(t, own, "later", "d")
			c.Restart(int(state.LeaderID))
			inSync(t, own, "led")

			c.Stop(4)
			c.Restart(4)
			back := c.Client()
			inSync(t, back, "led")
			inSync(t, back, "followed")
			produce(t, back, "led", "e")
			testkit.Eventually(t, "the replicas are the same", func() bool {
				return bytes.Equal(c.Log(4, "led-0"), c.Log(1, "led-0")) && bytes.Equal(c.Log(4, "followed-0"), c.Log(1, "followed-0"))
			})
			testkit.Eventually(t, "so is the metadata", func() bool {
				return bytes.Equal(c.Log(4, "__cluster_metadata-0"), c.Log(1, "__cluster_metadata-0"))
			})
		})
	}
}

// TestControllersAlone: controllers that are no brokers are given no replicas, and brokers come and go with whichever of them leads.
func TestControllersAlone(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Alone: true})
	own := c.AddBroker().Client(kgo.MetadataMinAge(10 * time.Millisecond))
	c.AddBroker()
	testkit.Eventually(t, "the first broker knows the second, and no other", func() bool {
		brokers, err := kadm.NewClient(own).ListBrokers(t.Context())
		return err == nil && len(brokers) == 2
	})
	place(t, own, "a", 4, 5)
	inSync(t, own, "a")
	produce(t, own, "a", "1")
	for range 2 {
		leader := int(describe(t, own).LeaderID)
		c.Stop(leader)
		place(t, own, fmt.Sprint("without-", leader), 5, 4)
		c.Restart(leader)
	}
	c.Stop(5)
	produce(t, own, "a", "2")
	c.Restart(5)
	inSync(t, own, "a")
	if state := describe(t, own); len(state.CurrentVoters) != 3 || len(state.Observers) != 2 {
		t.Errorf("%+v", state)
	}
}

// TestBrokerBeginsWithASnapshot: a broker that comes when the controllers have the beginning of the log no more fetches their snapshot.
func TestBrokerBeginsWithASnapshot(t *testing.T) {
	short := []string{"metadata.log.max.record.bytes.between.snapshots=2000", "metadata.log.segment.bytes=8388608"}
	c := testkit.StartCluster(t, 3, testkit.Options{Set: short})
	client := c.Client()
	for i := range 40 {
		place(t, client, fmt.Sprint("t", i), 1, 2)
	}
	own := c.AddBroker(short...).Client()
	topics, err := kadm.NewClient(own).ListTopics(t.Context())
	if err != nil || len(topics) != 40 {
		t.Fatalf("%d topics, %v", len(topics), err)
	}
	for i := range 40 {
		place(t, own, fmt.Sprint("u", i), 4, 2)
	}
	c.Stop(4)
	place(t, client, "v", 2)
	c.Restart(4)
	if topics, err := kadm.NewClient(c.Nodes[3].Client()).ListTopics(t.Context()); err != nil || len(topics) != 81 {
		t.Fatalf("%d topics after a restart, %v", len(topics), err)
	}
}
