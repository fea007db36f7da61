package classic

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/shard"
)

// joining is a JoinGroup request that is looked at.
type joining struct {
	*kmsg.JoinGroupRequest
	client shard.Client
	ticket shard.Ticket
}

func (j joining) waiting() waiting { return waiting{j.ticket, j.Version, true} }

// refuse answers a request that joins nothing.
func (j joining) refuse(t *shard.Turn, member string, e *kerr.Error) {
	r := refuseJoin(member, e)
	r.Version = j.Version
	t.Reply(j.ticket, r)
}

func refuseJoin(member string, e *kerr.Error) *kmsg.JoinGroupResponse {
	r := kmsg.NewPtrJoinGroupResponse()
	r.ErrorCode, r.MemberID = e.Code, member
	return r
}

// RefuseJoin answers a JoinGroup that no group takes.
func RefuseJoin(t *shard.Turn, ticket shard.Ticket, req *kmsg.JoinGroupRequest, member string, e *kerr.Error) {
	joining{JoinGroupRequest: req, ticket: ticket}.refuse(t, member, e)
}

// CheckJoin says what keeps a JoinGroup from any group, nil for nothing.
func (c *Config) CheckJoin(req *kmsg.JoinGroupRequest) *kerr.Error {
	session := milliseconds(req.SessionTimeoutMillis)
	if session < c.MinSession || session > c.MaxSession {
		return kerr.InvalidSessionTimeout
	}
	return nil
}

// Join handles JoinGroup. Version 0 has no rebalance timeout: the session timeout is both. From version 4 on a dynamic
// member is given its id first (KIP-394).
func (g *Group) Join(t *shard.Turn, ticket shard.Ticket, req *kmsg.JoinGroupRequest, client shard.Client) {
	if req.Version == 0 {
		req.RebalanceTimeoutMillis = req.SessionTimeoutMillis
	}
	j := joining{req, client, ticket}
	_, pending := g.pending[j.MemberID]
	switch {
	case !g.hasRoom(j.MemberID):
		g.remove(t, j.MemberID)
		j.refuse(t, "", kerr.GroupMaxSizeReached)
	case !g.supports(j.ProtocolType, j.Protocols):
		j.refuse(t, j.MemberID, kerr.InconsistentGroupProtocol)
	case j.MemberID == "" && j.InstanceID == nil && j.Version >= 4:
		id := g.newID(nil, client)
		g.pending[id] = struct{}{}
		g.env.Alarms.Set(g.session(id), t.Now.Add(milliseconds(j.SessionTimeoutMillis)))
		j.refuse(t, id, kerr.MemberIDRequired)
	case repeat(j.Protocols): // Kafka never answers: the member votes for nothing
		j.refuse(t, j.MemberID, kerr.InconsistentGroupProtocol)
	case j.MemberID == "":
		g.joinNew(t, j)
	case pending && j.InstanceID != nil: // a static member is never told to come again with an id
		j.refuse(t, "", kerr.UnknownServerError)
	case pending:
		g.joinAs(t, j, j.MemberID)
	default:
		g.joinAgain(t, j)
	}
}

// hasRoom says whether the group takes a joining member. While members join, those that already wait count: the last ones
// to come are refused, whoever was there before.
func (g *Group) hasRoom(id string) bool {
	m := g.members[id]
	switch g.state {
	case Empty:
		return true
	case PreparingRebalance:
		return m != nil && m.join.on || g.joining < g.env.Config.MaxSize
	}
	return m != nil || len(g.members) < g.env.Config.MaxSize
}

// supports says whether there is a protocol that the joining member and all others offer.
func (g *Group) supports(protocolType string, offered []kmsg.JoinGroupRequestProtocol) bool {
	if g.state == Empty {
		return protocolType != "" && len(offered) > 0
	}
	if protocolType != g.protocolType {
		return false
	}
	for _, p := range offered {
		if g.supported[p.Name] == len(g.members) {
			return true
		}
	}
	return false
}

// joinNew joins a member that has no id, in the place of the one with its instance id if there is one.
func (g *Group) joinNew(t *shard.Turn, j joining) {
	id := g.newID(j.InstanceID, j.client)
	if j.InstanceID != nil && g.static[*j.InstanceID] != nil {
		g.replace(t, j, g.static[*j.InstanceID], id)
		return
	}
	g.joinAs(t, j, id)
}

// joinAs adds a member and begins a rebalance, or goes on with the one that is there.
func (g *Group) joinAs(t *shard.Turn, j joining, id string) {
	m := &member{
		id: id, instance: j.InstanceID, clientID: j.client.ID, host: j.client.Host,
		rebalanceTimeout: milliseconds(j.RebalanceTimeoutMillis), sessionTimeout: milliseconds(j.SessionTimeoutMillis),
		protocols: keep(j.Protocols), join: j.waiting(), fresh: true,
	}
	g.grew = g.grew || g.initial
	if len(g.members) == 0 {
		g.protocolType = j.ProtocolType
	}
	g.add(m)
	// The client can't send heartbeats while it waits and it may be gone: what is new is not kept for ever.
	g.env.Alarms.Set(g.session(id), t.Now.Add(g.env.Config.NewMemberTimeout))
	g.rebalance(t)
}

// joinAgain joins a member that has an id.
func (g *Group) joinAgain(t *shard.Turn, j joining) {
	m, e := g.know(j.MemberID, j.InstanceID)
	switch {
	case e != nil:
		j.refuse(t, j.MemberID, e)
	case g.state == CompletingRebalance && m.matches(j.Protocols):
		// The answer may have been lost.
		t.Reply(j.ticket, g.joined(m, j.Version))
	case g.state == Stable && g.leader != m.id && m.matches(j.Protocols):
		t.Reply(j.ticket, g.joined(m, j.Version))
	default:
		// A leader asks for a rebalance by joining again: what it assigns may have changed though nothing of it has.
		g.update(t, m, j)
		g.rebalance(t)
	}
}

// update lets a known member wait with what its new request says.
func (g *Group) update(t *shard.Turn, m *member, j joining) {
	g.answerJoin(t, m, refuseJoin(m.id, kerr.RebalanceInProgress)) // the client gave its former request up
	if !m.matches(j.Protocols) {
		g.count(m, -1)
		m.protocols = keep(j.Protocols)
		g.count(m, 1)
	}
	m.rebalanceTimeout, m.sessionTimeout = milliseconds(j.RebalanceTimeoutMillis), milliseconds(j.SessionTimeoutMillis)
	m.join = j.waiting()
	g.joining++
}

// replace gives a static member's place to a new incarnation that does not know its id. In a stable group that keeps its
// protocol nothing else changes: the new one gets the assignment of the old one (KIP-345), and a leader is told to leave
// the assignment alone (KIP-814).
func (g *Group) replace(t *shard.Turn, j joining, m *member, id string) {
	g.answerJoin(t, m, refuseJoin(m.id, kerr.FencedInstanceID))
	g.answerSync(t, m, kerr.FencedInstanceID)
	old, oldLeader := m.id, g.leader
	g.rename(m, id)
	g.env.Alarms.Clear(g.session(old))
	g.renew(t, m)
	g.update(t, m, j)
	switch g.state {
	case PreparingRebalance:
		g.completeIfJoined(t)
	case Stable:
		if !g.keepReplaced(t, m, oldLeader) {
			g.prepare(t)
		}
	default:
		// A leader may be assigning to the old id.
		g.prepare(t)
	}
}

// keepReplaced leaves a stable group as it is but for the id of a member, false if that can't be.
func (g *Group) keepReplaced(t *shard.Turn, m *member, oldLeader string) bool {
	if g.protocol == nil || g.vote() != *g.protocol {
		return false
	}
	record := g.record(g.generation)
	if !t.Fits(record) {
		return false
	}
	t.Write(record)
	r := g.joined(m, m.join.version)
	if r.Version < 9 {
		r.LeaderID, r.Members = oldLeader, nil
	} else {
		r.SkipAssignment = g.leader == m.id
	}
	g.answerJoin(t, m, r)
	return true
}

// rename gives a member another id; nothing else of it changes.
func (g *Group) rename(m *member, id string) {
	delete(g.members, m.id)
	if g.leader == m.id {
		g.leader = id
	}
	m.id, m.fresh = id, false
	g.members[id] = m
}

// joined tells a member of the generation, and the leader of all members.
func (g *Group) joined(m *member, version int16) *kmsg.JoinGroupResponse {
	r := kmsg.NewPtrJoinGroupResponse()
	r.Version, r.MemberID, r.LeaderID = version, m.id, g.leader
	r.Generation, r.ProtocolType, r.Protocol = g.generation, kmsg.StringPtr(g.protocolType), g.protocol
	if g.leader != m.id {
		return r
	}
	r.Members = make([]kmsg.JoinGroupResponseMember, 0, len(g.members))
	for m := range g.all() {
		r.Members = append(r.Members, kmsg.JoinGroupResponseMember{
			MemberID: m.id, InstanceID: m.instance, ProtocolMetadata: m.metadata(g.protocol),
		})
	}
	return r
}

// answerJoin answers the request that a member waits with, if there is one.
func (g *Group) answerJoin(t *shard.Turn, m *member, r *kmsg.JoinGroupResponse) {
	if !m.join.on {
		return
	}
	r.Version = m.join.version
	t.Reply(m.join.ticket, r)
	m.join = waiting{}
	g.joining--
}
