package metadata

import (
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// TestLiveness has brokers in every state: 1 is well, 2 is fenced, 3 has no such listener, 4 reports its directories, 5 is not registered.
func TestLiveness(t *testing.T) {
	online, other := kafka.UUID{1}, kafka.UUID{2}
	delta := NewDelta(Empty())
	replay := func(r schema.MetadataRecord) {
		t.Helper()
		if err := delta.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	broker := func(id int32, listener string, fenced bool, dirs ...kafka.UUID) {
		replay(&schema.RegisterBrokerRecord{
			BrokerID: id, Fenced: fenced, LogDirs: dirs,
			EndPoints: []schema.BrokerEndpoint{{Name: listener, Host: "h", Port: 9092}},
		})
	}
	broker(1, "CLIENTS", false)
	broker(2, "CLIENTS", true)
	broker(3, "INTERNAL", false)
	broker(4, "CLIENTS", false, online)
	topic := kafka.UUID{9}
	replay(&schema.TopicRecord{Name: "t", TopicID: topic})
	all := []int32{1, 2, 3, 4, 5}
	partition := func(id int32, on4 kafka.UUID) {
		replay(&schema.PartitionRecord{
			TopicID: topic, PartitionID: id, Replicas: all, ISR: all, Leader: 1, Directories: []kafka.UUID{{}, {}, {}, on4, {}},
		})
	}
	partition(0, online)
	partition(1, other)
	partition(2, kafka.UnassignedDirectory)
	partition(3, kafka.LostDirectory)
	image := delta.Apply(1, 1, 0)

	f := func(listener string, want []int32) {
		t.Helper()
		if got := image.Alive(listener, all); !slices.Equal(got, want) {
			t.Errorf("alive on %s: %v, want %v", listener, got, want)
		}
	}
	f("CLIENTS", []int32{1, 4})
	f("INTERNAL", []int32{3})
	f("NONE", []int32{})
	for id, want := range [][]int32{{2, 3, 5}, {2, 3, 4, 5}, {2, 3, 5}, {2, 3, 4, 5}} {
		if got := image.OfflineReplicas("CLIENTS", image.Topics.ByID(topic).Partition(int32(id))); !slices.Equal(got, want) {
			t.Errorf("offline replicas of partition %d: %v, want %v", id, got, want)
		}
	}
	if got := image.OfflineReplicas("CLIENTS", &Partition{}); got == nil || len(got) != 0 {
		t.Errorf("of a partition without replicas: %#v", got)
	}
}
