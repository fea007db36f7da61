package classic

import (
	"bytes"
	"time"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// recordVersion is the version of the GroupMetadata records that Apache Kafka 4.4 writes.
const recordVersion = 3

// EmptyRecord is what a group begins with.
func EmptyRecord(id string, now time.Time) schema.GroupRecord {
	return groupRecord(id, &schema.GroupMetadataValue{CurrentStateTimestamp: now.UnixMilli()})
}

func groupRecord(id string, value *schema.GroupMetadataValue) schema.GroupRecord {
	return schema.GroupRecord{Key: &schema.GroupMetadataKey{Group: id}, Value: value, Version: recordVersion}
}

// emptied is the record of a group that lost its last member.
func (g *Group) emptied(now time.Time) schema.GroupRecord {
	return groupRecord(g.id, &schema.GroupMetadataValue{
		ProtocolType: g.protocolType, Generation: g.generation + 1, CurrentStateTimestamp: now.UnixMilli(),
	})
}

// record is the record of a group with its members and their assignments.
func (g *Group) record(generation int32) schema.GroupRecord {
	value := &schema.GroupMetadataValue{
		ProtocolType: g.protocolType, Generation: generation, Protocol: g.protocol, CurrentStateTimestamp: g.since,
		Members: make([]schema.MemberMetadata, 0, len(g.members)),
	}
	if g.leader != "" {
		leader := g.leader
		value.Leader = &leader
	}
	for m := range g.all() {
		value.Members = append(value.Members, schema.MemberMetadata{
			MemberID: m.id, GroupInstanceID: m.instance, ClientID: m.clientID, ClientHost: m.host,
			RebalanceTimeout: int32(m.rebalanceTimeout / time.Millisecond), SessionTimeout: int32(m.sessionTimeout / time.Millisecond),
			Subscription: m.metadata(g.protocol), Assignment: m.assignment,
		})
	}
	return groupRecord(g.id, value)
}

// Replay brings the group to what a record says, from any state: members that the record does not name go, those that it
// names get its assignments. What it does not tell of a member is kept if the member is the one that it means.
func (g *Group) Replay(v *schema.GroupMetadataValue) {
	g.generation, g.protocolType, g.since = v.Generation, v.ProtocolType, v.CurrentStateTimestamp
	g.protocol = v.Protocol
	named := make(map[string]bool, len(v.Members))
	for i := range v.Members {
		named[v.Members[i].MemberID] = true
	}
	for m := range g.all() {
		if !named[m.id] {
			g.drop(m)
		}
	}
	g.order = make([]*member, 0, len(v.Members))
	for i := range v.Members {
		if r := &v.Members[i]; named[r.MemberID] {
			named[r.MemberID] = false // a second one of the id is damage
			g.replayMember(v.Protocol, r)
		}
	}
	if g.leader = ""; v.Leader != nil {
		g.leader = *v.Leader
	}
	g.state = Stable
	if len(g.members) == 0 {
		g.state = Empty
	}
	g.topics = g.subscriptions()
}

func (g *Group) replayMember(protocolName *string, r *schema.MemberMetadata) {
	m := g.members[r.MemberID]
	if m == nil {
		m = &member{id: r.MemberID, instance: r.GroupInstanceID, clientID: r.ClientID, host: r.ClientHost}
		g.add(m)
	} else {
		g.order = append(g.order, m)
	}
	m.sessionTimeout, m.rebalanceTimeout = milliseconds(r.SessionTimeout), milliseconds(r.RebalanceTimeout)
	if r.RebalanceTimeout == -1 { // of a record before version 1
		m.rebalanceTimeout = m.sessionTimeout
	}
	m.assignment = r.Assignment
	if protocolName == nil || len(m.protocols) > 0 && bytes.Equal(m.metadata(protocolName), r.Subscription) {
		return
	}
	g.count(m, -1)
	m.protocols = []protocol{{*protocolName, r.Subscription}}
	g.count(m, 1)
}

// Loaded begins the sessions of all members. A group that is larger than it may be now rebalances, so that members get to
// commit before some are refused.
func (g *Group) Loaded(t *shard.Turn) {
	for m := range g.all() {
		g.renew(t, m)
	}
	if len(g.members) > g.env.Config.MaxSize {
		g.prepare(t)
	}
}
