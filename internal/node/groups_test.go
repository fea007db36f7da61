package node

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/group/modern"
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
	n := &Node{cfg: &config.Node{}}
	n.image.Store(delta.Apply(1, 1, 0))
	n.commonTimes.Store(new(timesOf(api.SourcesAt(n.cfg, n.image.Load()), nil)))
	for id, want := range map[string]modern.Times{
		"none":  {Session: 45 * time.Second, Heartbeat: 5 * time.Second, AssignmentInterval: 5 * time.Millisecond},
		"own":   {Session: 45 * time.Second, Heartbeat: 5 * time.Second, AssignmentInterval: 7 * time.Millisecond},
		"other": {Session: 50 * time.Second, Heartbeat: 5 * time.Second, AssignmentInterval: 5 * time.Millisecond},
	} {
		if got := n.groupTimes(id); got != want {
			t.Errorf("%s has %+v, want %+v", id, got, want)
		}
	}
}
