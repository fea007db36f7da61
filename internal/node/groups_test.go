package node

import (
	"maps"
	"testing"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// What is set for the cluster holds for a group that sets nothing nearer.
func TestGroupsFollowTheCluster(t *testing.T) {
	set := func(r metadata.ResourceType, name, key, value string) *schema.ConfigRecord {
		return &schema.ConfigRecord{ResourceType: int8(r), ResourceName: name, Name: key, Value: &value}
	}
	const key = "consumer.assignment.interval.ms"
	delta := metadata.NewDelta(metadata.Empty())
	for _, r := range []*schema.ConfigRecord{
		set(metadata.BrokerResource, "", "group."+key, "5"),
		set(metadata.GroupResource, "own", key, "7"),
		set(metadata.GroupResource, "other", "consumer.session.timeout.ms", "50000"),
	} {
		if err := delta.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	n := &Node{}
	n.applied.Store(delta.Apply(1, 1, 0))
	for id, want := range map[string]map[string]string{
		"none": {key: "5"}, "own": {key: "7"}, "other": {key: "5", "consumer.session.timeout.ms": "50000"},
	} {
		if got := n.groupOverrides(id); !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", id, got, want)
		}
	}
}
