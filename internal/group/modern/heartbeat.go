package modern

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Heartbeat lets a member join or stay, in a group whose Check of the same request in the same turn gave nil.
func (g *Group) Heartbeat(t *shard.Turn, req *kmsg.ConsumerGroupHeartbeatRequest, client shard.Client) *kmsg.ConsumerGroupHeartbeatResponse {
	id := req.MemberID
	if id == "" {
		id = g.env.NewID().String()
	}
	m := g.enter(t, id, req.InstanceID, req.MemberEpoch == joinEpoch)
	before := m.has
	change := g.hear(t, m, m.tell(req, client))
	if change.bump || g.stale {
		g.raise(t, change.bump)
	}
	if !g.retarget(t) || !g.reconcile(t, g.members[id], change.subscription, req.Topics) {
		return Refuse(kerr.UnknownServerError)
	}
	g.keep(t, id, g.times().Session)

	has := g.members[id].has
	resp := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	resp.MemberID = &g.members[id].id
	resp.MemberEpoch = has.MemberEpoch
	resp.HeartbeatIntervalMillis = int32(g.nextHeartbeat(t, has, req.MemberEpoch == joinEpoch).Milliseconds())
	full := req.RebalanceTimeoutMillis != -1 && (req.SubscribedTopicNames != nil || req.SubscribedTopicRegex != nil) && req.Topics != nil
	if req.MemberEpoch == joinEpoch || full || !equalPortions(before.AssignedPartitions, has.AssignedPartitions) {
		resp.Assignment = assignmentOf(has.AssignedPartitions)
	}
	if change.resolve {
		g.resolve(t)
	}
	return resp
}

// nextHeartbeat is after what time a member is to be heard of again: before the group's interval is over if there is
// something for it then. Without that a member that waits for another's partitions learns of them a whole interval late, and
// a group of which all members start at once settles in two.
func (g *Group) nextHeartbeat(t *shard.Turn, has *current, joined bool) time.Duration {
	times := g.times()
	interval := times.Heartbeat
	soon, wait := interval/25, interval
	switch {
	case g.assignmentEpoch < g.epoch:
		wait = time.UnixMilli(g.assignedAt).Add(times.AssignmentInterval).Sub(t.Now)
	case has.State == unreleased:
		wait = soon
	case joined: // who joins is seldom the last
		wait = times.AssignmentInterval
	}
	return min(max(wait, soon), interval)
}

func assignmentOf(list []portion) *kmsg.ConsumerGroupHeartbeatResponseAssignment {
	a := &kmsg.ConsumerGroupHeartbeatResponseAssignment{Topics: make([]kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic, len(list))}
	for i := range list {
		a.Topics[i].TopicID, a.Topics[i].Partitions = list[i].TopicID, list[i].Partitions
	}
	return a
}

// enter returns the member that a request is of: one that the group knows, a new one that nothing is written of yet, or a new
// one that takes the place of a static member.
func (g *Group) enter(t *shard.Turn, id string, instance *string, joining bool) *member {
	old := g.static(instance)
	if joining && old != nil {
		g.replace(t, old, id)
	}
	if m := g.members[id]; m != nil {
		return m
	}
	return newMember(id)
}

// replace gives all that a static member has to one that comes with the same instance id.
func (g *Group) replace(t *shard.Turn, old *member, id string) {
	said, has, target := *old.said, *old.has, targetRecord(g.targets[old.id])
	has.MemberEpoch, has.PreviousMemberEpoch = joinEpoch, 0
	g.clearAlarms(old.id)
	g.drop(t, old.id)
	g.write(t, g.memberKey(id), &said)
	g.write(t, &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: id}, target)
	g.write(t, g.currentKey(id), &has)
}

// drop writes the tombstones of a member.
func (g *Group) drop(t *shard.Turn, id string) {
	g.write(t, g.currentKey(id), nil)
	g.write(t, &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: id}, nil)
	g.write(t, g.memberKey(id), nil)
}

func (g *Group) memberKey(id string) schema.GroupMessage {
	return &schema.ConsumerGroupMemberMetadataKey{GroupID: g.id, MemberID: id}
}

func (g *Group) currentKey(id string) schema.GroupMessage {
	return &schema.ConsumerGroupCurrentMemberAssignmentKey{GroupID: g.id, MemberID: id}
}

// change is what a member's new words mean for its group.
type change struct {
	subscription bool // it subscribes to something else
	bump         bool // the group epoch is to rise
	resolve      bool // regular expressions are to be resolved
}

// hear writes what a member says, if it is new.
func (g *Group) hear(t *shard.Turn, m *member, now *said) change {
	was := m.said
	preferred := g.assignor()
	if now != was || g.members[m.id] == nil {
		g.write(t, g.memberKey(m.id), now)
	}
	if was.ClassicMemberMetadata != nil && now.ClassicMemberMetadata == nil {
		g.env.Alarms.Clear(Alarm{g.id, m.id, Join})
		g.env.Alarms.Clear(Alarm{g.id, m.id, Sync})
	}
	names := !slices.Equal(was.SubscribedTopicNames, now.SubscribedTopicNames)
	regex, known, due := g.hearRegex(t, regexOf(was), regexOf(now))
	return change{
		subscription: names || regex,
		bump:         names || regex && known || g.assignor() != preferred,
		resolve:      due,
	}
}

// raise raises the group epoch, if bump says so or the topics changed.
func (g *Group) raise(t *shard.Turn, bump bool) {
	if hash := g.hashTopics(); bump || hash != g.hash {
		g.writeEpoch(t, hash)
	}
	g.stale = false
	if g.oldTopics {
		g.write(t, &schema.ConsumerGroupPartitionMetadataKey{GroupID: g.id}, nil)
	}
}

func (g *Group) writeEpoch(t *shard.Turn, hash int64) {
	g.write(t, &schema.ConsumerGroupMetadataKey{GroupID: g.id},
		&schema.ConsumerGroupMetadataValue{Epoch: g.epoch + 1, MetadataHash: hash})
}
