package modern

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// crowd is a group with members that subscribe to one topic.
type crowd struct {
	g    *Group
	now  time.Time
	turn *shard.Turn
}

func newCrowd(tb testing.TB, members, partitions int) *crowd {
	tb.Helper()
	delta := metadata.NewDelta(metadata.Empty())
	id := kafka.TopicID{15: 1}
	records := []schema.MetadataRecord{&schema.TopicRecord{Name: "t", TopicID: id}}
	for p := range partitions {
		records = append(records, &schema.PartitionRecord{TopicID: id, PartitionID: int32(p), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
	}
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			tb.Fatal(err)
		}
	}
	env := &Env{
		Config: Config{MaxSize: 1 << 20, Assignors: []string{"uniform", "range"}},
		Times: func(string) Times {
			return Times{Session: 45 * time.Second, Heartbeat: 5 * time.Second, AssignmentInterval: time.Second}
		},
		Alarms: shard.NewAlarms[Alarm](), NewID: func() kafka.UUID { return kafka.UUID{} }, Image: delta.Apply(1, 1, 0),
	}
	c := &crowd{g: New("g", env), now: time.UnixMilli(1_000_000)}
	c.next()
	for i := range members {
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Version, req.Group, req.MemberID = 1, "g", fmt.Sprintf("m%05d", i)
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames, req.Topics = 60_000, []string{"t"}, []ownedTopic{}
		c.beat(tb, req)
	}
	return c
}

func (c *crowd) next() {
	c.turn = shard.NewTurn(c.now, func(r shard.Record) { c.g.Replay(r.(schema.GroupRecord).Key, r.(schema.GroupRecord).Value) })
}

func (c *crowd) beat(tb testing.TB, req *kmsg.ConsumerGroupHeartbeatRequest) *kmsg.ConsumerGroupHeartbeatResponse {
	tb.Helper()
	if err := c.g.Check(c.turn, req, shard.Client{ID: "c", Host: "/h"}); err != nil {
		tb.Fatal(err)
	}
	return c.g.Heartbeat(c.turn, req, shard.Client{ID: "c", Host: "/h"})
}

// settle has all members heartbeat until the group is stable, one interval between two rounds, and returns the rounds.
func (c *crowd) settle(tb testing.TB) int {
	tb.Helper()
	for round := range 10 {
		if c.g.State() == "Stable" {
			return round
		}
		c.now = c.now.Add(5 * time.Second)
		c.next()
		for _, id := range c.g.ids() {
			req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
			has := c.g.members[id].has
			req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, "g", id, has.MemberEpoch
			req.Topics = []ownedTopic{}
			for _, p := range has.AssignedPartitions {
				req.Topics = append(req.Topics, ownedTopic{TopicID: p.TopicID, Partitions: p.Partitions})
			}
			c.beat(tb, req)
		}
	}
	tb.Fatalf("not stable after ten rounds:\n%v", c.g)
	return 0
}

// Of members that join at once the first is assigned everything; the next target, an interval later, spreads it, and two
// heartbeats of each more hand the partitions over.
func TestCrowdSettles(t *testing.T) {
	c := newCrowd(t, 500, 1000)
	if rounds := c.settle(t); rounds > 3 {
		t.Errorf("stable after %d rounds", rounds)
	}
	for _, id := range c.g.ids() {
		if n := c.g.targets[id].Len(); n != 2 {
			t.Errorf("%s has %d partitions", id, n)
		}
	}
	if err := c.g.Verify(); err != nil {
		t.Error(err)
	}
}

func quietHeartbeats(tb testing.TB, members int) float64 {
	c := newCrowd(tb, members, members)
	c.settle(tb)
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID = 1, "g", "m00000"
	req.MemberEpoch = c.g.members["m00000"].has.MemberEpoch
	return testing.AllocsPerRun(100, func() { c.beat(tb, req) })
}

func BenchmarkHeartbeat(b *testing.B) {
	c := newCrowd(b, 500, 1000)
	c.settle(b)
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID = 1, "g", "m00000"
	req.MemberEpoch = c.g.members["m00000"].has.MemberEpoch
	b.ReportAllocs()
	for b.Loop() {
		c.beat(b, req)
	}
}

// From the first of 500 members that join to all of them stable on 1,000 partitions.
func BenchmarkJoin500(b *testing.B) {
	for b.Loop() {
		newCrowd(b, 500, 1000).settle(b)
	}
}
