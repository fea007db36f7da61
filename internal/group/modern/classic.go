package modern

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Members of the classic protocol in a consumer group. The server assigns for them as well: a member joins to learn its epoch,
// which it takes for a generation, syncs to learn its partitions, and is told by its heartbeats when to join again.

// consumerType is the protocol type of consumers.
const consumerType = "consumer"

// CheckOffer says why a JoinGroup is refused before its client is given an id, nil for not at all.
func (g *Group) CheckOffer(req *kmsg.JoinGroupRequest) *kerr.Error {
	if err := g.checkSize(req.MemberID, req.InstanceID); err != nil {
		return err
	}
	if !g.supports(req.ProtocolType, req.Protocols) {
		return kerr.InconsistentGroupProtocol
	}
	return nil
}

// CheckJoin says why a JoinGroup that passed CheckOffer is refused, nil for not at all. It changes nothing.
func (g *Group) CheckJoin(t *shard.Turn, req *kmsg.JoinGroupRequest, client shard.Client) *kerr.Error {
	m := g.members[req.MemberID]
	if req.InstanceID != nil {
		var err *kerr.Error
		if m = g.static(req.InstanceID); req.MemberID != "" {
			if m, err = g.know(req.MemberID, req.InstanceID); err != nil {
				return err
			}
		}
	}
	if m == nil {
		m = newMember(req.MemberID)
	}
	said, owned, err := m.tellClassic(g.env.Image, req, client)
	if err != nil {
		return err
	}
	if !t.Fits(schema.GroupRecord{Key: g.memberKey(req.MemberID), Value: said}) {
		return kerr.UnknownServerError
	}
	return m.checkState(owned)
}

// supports says whether a member offers a protocol that all members of the classic protocol offer.
func (g *Group) supports(protocolType string, offered []kmsg.JoinGroupRequestProtocol) bool {
	return protocolType == consumerType && slices.ContainsFunc(offered, func(p kmsg.JoinGroupRequestProtocol) bool {
		return g.protocols[p.Name] == g.classic
	})
}

// tellClassic returns what is known of the member after a JoinGroup, and the partitions that it has by its own account.
func (m *member) tellClassic(image *metadata.Image, req *kmsg.JoinGroupRequest, client shard.Client) (*said, []ownedTopic, *kerr.Error) {
	subscription, err := readSubscription(req.Protocols[0].Metadata)
	if err != nil {
		return nil, nil, kerr.InconsistentGroupProtocol
	}
	next := *m.said
	update(&next.InstanceID, req.InstanceID)
	if subscription.Rack != nil && *subscription.Rack != "" {
		next.RackID = subscription.Rack
	}
	if req.RebalanceTimeoutMillis != -1 {
		next.RebalanceTimeoutMs = req.RebalanceTimeoutMillis
	}
	noRegex := ""
	next.SubscribedTopicNames, next.SubscribedTopicRegex = distinct(subscription.Topics), &noRegex
	next.ClientID, next.ClientHost = client.ID, client.Host
	next.ClassicMemberMetadata = &schema.ClassicMemberMetadata{SessionTimeoutMs: req.SessionTimeoutMillis}
	for i, p := range req.Protocols {
		if slices.ContainsFunc(req.Protocols[:i], func(q kmsg.JoinGroupRequestProtocol) bool { return q.Name == p.Name }) {
			continue
		}
		next.ClassicMemberMetadata.SupportedProtocols = append(next.ClassicMemberMetadata.SupportedProtocols,
			schema.ClassicProtocol{Name: p.Name, Metadata: p.Metadata})
	}
	owned := []ownedTopic{}
	for _, p := range subscription.OwnedPartitions {
		if topic := image.Topics.ByName(p.Topic); topic != nil {
			owned = append(owned, ownedTopic{TopicID: topic.ID, Partitions: p.Partitions})
		}
	}
	return &next, owned, nil
}

func readSubscription(b []byte) (*kmsg.ConsumerMemberMetadata, error) {
	m := kmsg.NewConsumerMemberMetadata()
	if err := m.ReadFrom(b); err != nil {
		return nil, err
	}
	if m.Version < 0 {
		return nil, kerr.InconsistentGroupProtocol
	}
	return &m, nil
}

// Join lets a member of the classic protocol join, in a group whose CheckJoin of the same request in the same turn gave nil.
// downgrade says that the group is made a classic one after it, for the member takes the place of the last one of the other
// protocol: it gets no new target then.
func (g *Group) Join(t *shard.Turn, id string, req *kmsg.JoinGroupRequest, client shard.Client, downgrade bool) (*kmsg.JoinGroupResponse, *kerr.Error) {
	m := g.enter(t, id, req.InstanceID, req.InstanceID != nil && req.MemberID == "")
	now, owned, err := m.tellClassic(g.env.Image, req, client)
	if err != nil {
		return nil, err
	}
	if sameClassic(now, m.said) {
		now = m.said
	}
	change := g.hear(t, m, now)
	if change.subscription || g.stale {
		g.raise(t, change.subscription)
	}
	if (!downgrade && !g.retarget(t)) ||
		(!downgrade || g.assignmentEpoch >= g.epoch) && !g.reconcile(t, g.members[id], change.subscription, owned) {
		return nil, kerr.UnknownServerError
	}
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.MemberID, resp.Generation = id, g.members[id].has.MemberEpoch
	resp.ProtocolType, resp.Protocol = kmsg.StringPtr(consumerType), &now.ClassicMemberMetadata.SupportedProtocols[0].Name
	g.env.Alarms.Clear(Alarm{g.id, id, Join})
	if downgrade {
		return resp, nil
	}
	g.keep(t, id, milliseconds(req.SessionTimeoutMillis))
	g.setAlarm(t, id, Sync, milliseconds(req.RebalanceTimeoutMillis))
	if change.resolve {
		g.resolve(t)
	}
	return resp, nil
}

// Replaced returns the member whose place a JoinGroup takes, "" for none.
func (g *Group) Replaced(req *kmsg.JoinGroupRequest) string {
	if m := g.static(req.InstanceID); m != nil {
		return m.id
	}
	return ""
}

// Assigned says that all targets were computed for the newest epoch.
func (g *Group) Assigned() bool { return g.assignmentEpoch >= g.epoch }

// sameClassic says that a member of the classic protocol says what it said before.
func sameClassic(a, b *said) bool {
	x, y := a.ClassicMemberMetadata, b.ClassicMemberMetadata
	equal := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	return y != nil && x.SessionTimeoutMs == y.SessionTimeoutMs && a.RebalanceTimeoutMs == b.RebalanceTimeoutMs &&
		a.ClientID == b.ClientID && a.ClientHost == b.ClientHost && regexOf(a) == regexOf(b) &&
		equal(a.InstanceID, b.InstanceID) && equal(a.RackID, b.RackID) &&
		slices.Equal(a.SubscribedTopicNames, b.SubscribedTopicNames) &&
		slices.EqualFunc(x.SupportedProtocols, y.SupportedProtocols, func(p, q schema.ClassicProtocol) bool {
			return p.Name == q.Name && string(p.Metadata) == string(q.Metadata)
		})
}

// knowClassic returns a member of the classic protocol.
func (g *Group) knowClassic(id string, instance *string, generation int32) (*member, *kerr.Error) {
	m, err := g.know(id, instance)
	switch {
	case err != nil:
		return nil, err
	case !m.classic() || len(m.said.ClassicMemberMetadata.SupportedProtocols) == 0: // the latter of a damaged log
		return nil, kerr.UnknownMemberID
	case m.has.MemberEpoch != generation:
		return nil, kerr.IllegalGeneration
	}
	return m, nil
}

// Sync answers a SyncGroup of a member of the classic protocol: its partitions, as ConsumerProtocolAssignment.
func (g *Group) Sync(t *shard.Turn, req *kmsg.SyncGroupRequest) (*kmsg.SyncGroupResponse, *kerr.Error) {
	m, err := g.knowClassic(req.MemberID, req.InstanceID, req.Generation)
	if err != nil {
		return nil, err
	}
	offered := &m.said.ClassicMemberMetadata.SupportedProtocols[0]
	switch {
	case req.ProtocolType != nil && *req.ProtocolType != consumerType, req.Protocol != nil && *req.Protocol != offered.Name:
		return nil, kerr.InconsistentGroupProtocol
	case g.assignmentEpoch > m.has.MemberEpoch && m.has.State != unrevoked:
		g.wantJoin(t, m)
		return nil, kerr.RebalanceInProgress
	}
	g.env.Alarms.Clear(Alarm{g.id, m.id, Sync})
	g.keepClassic(t, m)
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.Version, resp.ProtocolType, resp.Protocol = req.Version, req.ProtocolType, req.Protocol
	resp.MemberAssignment = assignmentBytes(g.env.Image, offered.Metadata, len(m.has.AssignedPartitions), func(i int) (kafka.TopicID, []int32) {
		return m.has.AssignedPartitions[i].TopicID, m.has.AssignedPartitions[i].Partitions
	})
	return resp, nil
}

// assignmentBytes encodes n topics for a member of the classic protocol, in the version of its subscription. Topics that do
// not exist are left out.
func assignmentBytes(image *metadata.Image, subscription []byte, n int, topic func(int) (kafka.TopicID, []int32)) []byte {
	const newest = 3
	a := kmsg.NewConsumerMemberAssignment()
	if s, err := readSubscription(subscription); err == nil {
		a.Version = min(s.Version, newest)
	}
	for i := range n {
		id, partitions := topic(i)
		if t := image.Topics.ByID(id); t != nil {
			a.Topics = append(a.Topics, kmsg.ConsumerMemberAssignmentTopic{Topic: t.Name, Partitions: partitions})
		}
	}
	return a.AppendTo(nil)
}

// KeepClassic answers a Heartbeat of a member of the classic protocol: it is to join again when there is a new target, when
// it has partitions to give up, and when those that it waits for are free.
func (g *Group) KeepClassic(t *shard.Turn, req *kmsg.HeartbeatRequest) *kerr.Error {
	m, err := g.knowClassic(req.MemberID, req.InstanceID, req.Generation)
	if err != nil {
		return err
	}
	g.keepClassic(t, m)
	if m.has.MemberEpoch < g.assignmentEpoch || m.has.State == unrevoked || m.has.State == unreleased && !g.waits(m) {
		g.wantJoin(t, m)
		return kerr.RebalanceInProgress
	}
	return nil
}

func (g *Group) keepClassic(t *shard.Turn, m *member) {
	g.keep(t, m.id, milliseconds(m.said.ClassicMemberMetadata.SessionTimeoutMs))
}

// KeepAllClassic begins the sessions of all members as they asked for as members of a classic group.
func (g *Group) KeepAllClassic(t *shard.Turn) {
	for _, id := range g.ids() {
		if m := g.members[id]; m.classic() {
			g.keepClassic(t, m)
		}
	}
}

// wantJoin gives a member its rebalance timeout to join again.
func (g *Group) wantJoin(t *shard.Turn, m *member) {
	if !g.env.Alarms.Has(Alarm{g.id, m.id, Join}) {
		g.setAlarm(t, m.id, Join, milliseconds(m.said.RebalanceTimeoutMs))
	}
}

// waits says that a partition of the member's target is not free yet.
func (g *Group) waits(m *member) bool {
	for _, topic := range g.targets[m.id] {
		for _, p := range topic.Partitions {
			if owner := g.owner(topic.ID, p); owner != "" && owner != m.id {
				return true
			}
		}
	}
	return false
}

// FindLeaving returns the member that a LeaveGroup means, by its id or, without one, by its instance id.
func (g *Group) FindLeaving(who kmsg.LeaveGroupRequestMember) (string, *kerr.Error) {
	id := who.MemberID
	if m := g.static(who.InstanceID); m != nil && id == "" {
		id = m.id
	}
	m, err := g.know(id, who.InstanceID)
	if err != nil {
		return "", err
	}
	return m.id, nil
}
