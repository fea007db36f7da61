package modern

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// The hashes that Apache Kafka makes of the same topics: test/golden/GroupHash.java prints them.
func TestHashAsKafka(t *testing.T) {
	delta := metadata.NewDelta(metadata.Empty())
	replay := func(r schema.MetadataRecord) {
		t.Helper()
		if err := delta.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	for i, rack := range []string{"", "a", "b", "zürich"} {
		broker := &schema.RegisterBrokerRecord{BrokerID: int32(i + 1)}
		if rack != "" {
			broker.Rack = &rack
		}
		replay(broker)
	}
	topic := func(name string, id kafka.TopicID, partitions ...[]int32) {
		replay(&schema.TopicRecord{Name: name, TopicID: id})
		for p, replicas := range partitions {
			replay(&schema.PartitionRecord{TopicID: id, PartitionID: int32(p), Replicas: replicas, ISR: replicas, Leader: replicas[0]})
		}
	}
	topic("plain", kafka.TopicID{7: 1, 15: 2}, []int32{1}, []int32{1})
	topic("racks", kafka.TopicID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd, 15: 4}, []int32{3, 2}, []int32{4, 1, 3}, []int32{1})
	topic("empty", kafka.TopicID{7: 5, 15: 6})
	env := &Env{Image: delta.Apply(1, 1, 0)}
	for name, want := range map[string]uint64{"plain": 0x55c0910891ce5337, "racks": 0x3cf38935719e9aa6, "empty": 0x58c1805ee9b35be0} {
		if got := hashTopic(env.Image.Topics.ByName(name), env.Image.Cluster); got != want {
			t.Errorf("%s is %x, want %x", name, got, want)
		}
	}
	g := New("g", env)
	if got := g.hashTopics(); got != 0 {
		t.Errorf("a group without topics is %x", got)
	}
	g.Replay(g.memberKey("m"), &said{SubscribedTopicNames: []string{"empty", "missing", "plain"}})
	for range 2 { // the second time from what is remembered
		if got := uint64(g.hashTopics()); got != 0xb02851154f5ec525 {
			t.Errorf("the group is %x", got)
		}
	}
}

// What a program of a regular expression costs is bounded, and so is what it may look like.
func TestRegexBound(t *testing.T) {
	for regex, want := range map[string]string{
		"a.*":               "",
		"(?i)orders|bills":  "",
		"((a{50}){20}){20}": "SubscribedTopicRegex `((a{50}){20}){20}` is not a valid regular expression: invalid repeat count.",
		"[a-z]{900}{1}(x{900}){1}y{900}(([0-9]{90}){11}){1}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}": "…",
		`\p{Nothing}`: "SubscribedTopicRegex `\\p{Nothing}` is not a valid regular expression: invalid character class range.",
	} {
		_, err := compileRegex(regex)
		switch {
		case err == nil && want != "", err != nil && want == "":
			t.Errorf("%s: %v, want %q", regex, err, want)
		case err != nil && want != "…" && err.Description != want:
			t.Errorf("%s: %s", regex, err.Description)
		}
	}
}

// A heartbeat that changes nothing allocates its answer and no more, in a group of any size.
func TestHeartbeatAllocates(t *testing.T) {
	var allocs []float64
	for _, members := range []int{1, 1000} {
		allocs = append(allocs, quietHeartbeats(t, members))
	}
	if allocs[0] > 4 || allocs[1] > allocs[0] {
		t.Errorf("heartbeats allocate %v times", allocs)
	}
}
