package modern

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Leave answers a heartbeat with the epoch of one that leaves. The member that it returns is to be removed, "" for none: a
// static member that leaves for a while keeps its place until its session ends.
func (g *Group) Leave(t *shard.Turn, req *kmsg.ConsumerGroupHeartbeatRequest) (*kmsg.ConsumerGroupHeartbeatResponse, string) {
	m, err := g.know(req.MemberID, req.InstanceID)
	if err != nil {
		return Refuse(err), ""
	}
	resp := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	resp.MemberID, resp.MemberEpoch = &req.MemberID, req.MemberEpoch
	if req.InstanceID == nil || req.MemberEpoch != awayEpoch {
		return resp, m.id
	}
	away := *m.has
	away.MemberEpoch, away.PartitionsPendingRevocation, away.AssignedPartitions = awayEpoch, nil, nil
	for _, p := range m.has.AssignedPartitions {
		p.AssignmentEpochs = make([]int32, len(p.Partitions)) // whoever comes back may commit what this one read
		away.AssignedPartitions = append(away.AssignedPartitions, p)
	}
	g.env.Alarms.Clear(Alarm{g.id, m.id, Rebalance})
	g.write(t, g.currentKey(m.id), &away)
	return resp, ""
}

// Remove takes members out, of which the group has at least one.
func (g *Group) Remove(t *shard.Turn, ids []string) {
	regexes := make(map[string]struct{})
	for _, id := range ids {
		if m := g.members[id]; m != nil {
			regexes[m.regex()] = struct{}{}
			g.clearAlarms(id)
			g.drop(t, id)
		}
	}
	for _, regex := range slices.Sorted(maps.Keys(regexes)) {
		g.dropRegex(t, regex)
	}
	g.writeEpoch(t, g.hashTopics())
	if len(g.members) == 0 {
		g.writeAssignmentEpoch(t, g.epoch, 0)
	}
}

// Has says whether the group has a member.
func (g *Group) Has(id string) bool { return g.members[id] != nil }

// IsClassic says whether a member speaks the classic protocol.
func (g *Group) IsClassic(id string) bool { return g.Has(id) && g.members[id].classic() }

// Delete writes the tombstones of the group's records.
func (g *Group) Delete(t *shard.Turn) {
	ids := g.ids()
	for _, id := range ids {
		g.write(t, g.currentKey(id), nil)
	}
	for _, id := range ids {
		g.write(t, &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: id}, nil)
	}
	g.write(t, &schema.ConsumerGroupTargetAssignmentMetadataKey{GroupID: g.id}, nil)
	for _, id := range ids {
		g.write(t, g.memberKey(id), nil)
	}
	for _, regex := range slices.Sorted(maps.Keys(g.resolved)) {
		g.write(t, &schema.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: regex}, nil)
	}
	g.write(t, &schema.ConsumerGroupPartitionMetadataKey{GroupID: g.id}, nil)
	g.write(t, &schema.ConsumerGroupMetadataKey{GroupID: g.id}, nil)
}
