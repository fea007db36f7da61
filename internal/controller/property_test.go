package controller

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// play runs random commands and returns the whole transcript: records, answers, and the state.
func play(t *testing.T, seed uint64, steps int) string {
	w := newWorld(t, seed)
	rng := rand.New(rand.NewPCG(seed, 99))
	w.do(Activate{})
	for range steps {
		w.now = w.now.Add(time.Duration(rng.IntN(4000)) * time.Millisecond)
		w.step(rng)
		w.check()
	}
	fmt.Fprintln(&w.out, dump(w.c.Image()))
	return w.out.String()
}

func (w *world) step(rng *rand.Rand) {
	id := int32(1 + rng.IntN(4))
	topic := fmt.Sprintf("t%d", rng.IntN(6))
	switch rng.IntN(15) {
	case 0, 1:
		req := kmsg.NewPtrBrokerRegistrationRequest()
		req.BrokerID, req.ClusterID, req.PreviousBrokerEpoch = id, "cluster", -1
		if rng.IntN(2) == 0 {
			req.PreviousBrokerEpoch = w.epoch[id]
		}
		req.IncarnationID = [16]byte{0: byte(id), 1: byte(rng.IntN(250)), 6: 0x40, 15: 1}
		req.LogDirs = [][16]byte{dirID(fmt.Sprint("a", id)), dirID(fmt.Sprint("b", id))}[:1+rng.IntN(2)]
		for _, name := range sortedKeys(DefaultSupported()) {
			r := DefaultSupported()[name]
			req.Features = append(req.Features, kmsg.BrokerRegistrationRequestFeature{Name: name, MinSupportedVersion: int16(r.Min), MaxSupportedVersion: int16(r.Max)})
		}
		response := w.do(RegisterBroker{Request: req, PreviousDead: rng.IntN(3) == 0}).(*kmsg.BrokerRegistrationResponse)
		if response.ErrorCode == 0 {
			w.epoch[id] = response.BrokerEpoch
		}
	case 2, 3, 4, 5:
		req := kmsg.NewPtrBrokerHeartbeatRequest()
		req.BrokerID, req.BrokerEpoch, req.CurrentMetadataOffset = id, w.epoch[id], int64(w.next-1)-int64(rng.IntN(2))
		req.WantFence, req.WantShutdown = rng.IntN(12) == 0, rng.IntN(8) == 0
		if rng.IntN(10) == 0 {
			req.OfflineLogDirs = [][16]byte{dirID(fmt.Sprint("a", id))}
		}
		w.answer(w.do(Heartbeat{Request: req}))
	case 12:
		w.do(Disconnected{Broker: id, Epoch: w.epoch[id], Gone: rng.IntN(2) == 0})
	case 6, 7:
		req := kmsg.NewPtrCreateTopicsRequest()
		one := kmsg.NewCreateTopicsRequestTopic()
		one.Topic, one.NumPartitions, one.ReplicationFactor = topic, int32(1+rng.IntN(3)), int16(1+rng.IntN(3))
		req.Topics = append(req.Topics, one)
		w.answer(w.do(CreateTopics{Request: req}))
	case 8:
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.TopicNames = []string{topic}
		w.answer(w.do(DeleteTopics{Request: req}))
	case 9:
		w.alterISR(rng, topic)
	case 10:
		req := kmsg.NewPtrElectLeadersRequest()
		req.ElectionType = int8(rng.IntN(2))
		req.Topics = nil
		w.answer(w.do(ElectLeaders{Request: req}))
	case 13, 14:
		part := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		if rng.IntN(4) > 0 {
			for _, n := range rng.Perm(4)[:1+rng.IntN(3)] {
				part.Replicas = append(part.Replicas, int32(n+1))
			}
		}
		req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
		req.Topics = []kmsg.AlterPartitionAssignmentsRequestTopic{{Topic: topic, Partitions: []kmsg.AlterPartitionAssignmentsRequestTopicPartition{part}}}
		w.answer(w.do(AlterPartitionReassignments{Request: req}))
	case 11:
		value := fmt.Sprint(1 + rng.IntN(3))
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: minInSyncReplicas, Value: &value}},
		}}
		w.answer(w.do(IncrementalAlterConfigs{Request: req}))
	}
	for due := w.c.Deadline(); !due.IsZero() && !due.After(w.now); due = w.c.Deadline() {
		w.do(Expire{})
	}
}

// alterISR lets the leader of a partition propose some of its replicas.
func (w *world) alterISR(rng *rand.Rand, topic string) {
	t := w.c.Image().Topics.ByName(topic)
	if t == nil || t.Partition(0).Leader < 0 {
		return
	}
	p := t.Partition(0)
	leader := int32(p.Leader)
	asked := kmsg.NewAlterPartitionRequestTopicPartition()
	asked.LeaderEpoch, asked.PartitionEpoch = int32(p.LeaderEpoch), int32(p.PartitionEpoch)
	for _, n := range p.Replicas {
		if n == leader || rng.IntN(2) == 0 {
			asked.NewEpochISR = append(asked.NewEpochISR, kmsg.AlterPartitionRequestTopicPartitionNewEpochISR{BrokerID: n, BrokerEpoch: w.epoch[n]})
		}
	}
	req := kmsg.NewPtrAlterPartitionRequest()
	req.Version, req.BrokerID, req.BrokerEpoch = 3, leader, w.epoch[leader]
	req.Topics = []kmsg.AlterPartitionRequestTopic{{TopicID: t.ID, Partitions: []kmsg.AlterPartitionRequestTopicPartition{asked}}}
	w.answer(w.do(AlterPartition{Request: req}))
}

// TestRandomCommands: whatever comes, the invariants of every partition hold and the log alone gives the state
// (both are checked after each step), and the same seed gives the same bytes.
func TestRandomCommands(t *testing.T) {
	for seed := range uint64(20) {
		first := play(t, seed, 100)
		if again := play(t, seed, 100); again != first {
			a, b := strings.Split(first, "\n"), strings.Split(again, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("seed %d: line %d is\n%s\nand then\n%s", seed, i, a[i], b[i])
				}
			}
			t.Fatalf("seed %d: two runs differ in length", seed)
		}
	}
}

// A placer without brokers refuses every number of replicas.
func TestPlacementOnNothing(t *testing.T) {
	none := newPlacer(rand.New(rand.NewPCG(1, 1)), nil)
	for _, replicas := range []int16{-1, 0, 1} {
		if none.check(replicas) == nil {
			t.Errorf("%d replicas on no broker", replicas)
		}
	}
}
