package classic

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// RefuseSync answers a SyncGroup with an error.
func RefuseSync(t *shard.Turn, ticket shard.Ticket, version int16, e *kerr.Error) {
	r := kmsg.NewPtrSyncGroupResponse()
	r.Version, r.ErrorCode = version, e.Code
	t.Reply(ticket, r)
}

// Sync handles SyncGroup: the leader gives the assignment, all get theirs.
func (g *Group) Sync(t *shard.Turn, ticket shard.Ticket, req *kmsg.SyncGroupRequest) {
	m, e := g.know(req.MemberID, req.InstanceID)
	if e == nil {
		e = g.checkSync(req)
	}
	switch {
	case e != nil:
		RefuseSync(t, ticket, req.Version, e)
	case g.state == Stable:
		g.synced(m)
		t.Reply(ticket, g.assigned(m, req.Version))
	default:
		g.answerSync(t, m, kerr.RebalanceInProgress) // the client gave its former request up
		m.sync = waiting{ticket, req.Version, true}
		g.synced(m)
		if g.leader == m.id {
			g.assign(t, req.GroupAssignment)
		}
	}
}

func (g *Group) checkSync(req *kmsg.SyncGroupRequest) *kerr.Error {
	switch {
	case g.state == Empty:
		return kerr.UnknownMemberID
	case req.Generation != g.generation:
		return kerr.IllegalGeneration
	case req.ProtocolType != nil && *req.ProtocolType != g.protocolType,
		req.Protocol != nil && g.protocol != nil && *req.Protocol != *g.protocol:
		return kerr.InconsistentGroupProtocol
	case g.state == PreparingRebalance:
		return kerr.RebalanceInProgress
	}
	return nil
}

// synced notes that a member has sent SyncGroup, or is to be waited for no longer.
func (g *Group) synced(m *member) {
	if !m.unsynced {
		return
	}
	m.unsynced = false
	if g.unsynced--; g.unsynced == 0 {
		g.env.Alarms.Clear(Alarm{Group: g.id, Kind: SyncEnd})
	}
}

// assign makes the group stable with the leader's assignment. A member that it leaves out gets nothing.
func (g *Group) assign(t *shard.Turn, given []kmsg.SyncGroupRequestGroupAssignment) {
	record := g.record(g.generation)
	value := record.Value.(*schema.GroupMetadataValue)
	assignments := make(map[string][]byte, len(given))
	for _, a := range given {
		assignments[a.MemberID] = a.MemberAssignment
	}
	for i := range value.Members {
		value.Members[i].Assignment = assignments[value.Members[i].MemberID]
	}
	if !t.Fits(record) {
		g.refuseSync(t, kerr.UnknownServerError)
		g.prepare(t)
		return
	}
	t.Write(record)
	for m := range g.all() {
		if m.sync.on {
			t.Reply(m.sync.ticket, g.assigned(m, m.sync.version))
			m.sync = waiting{}
			g.renew(t, m)
		}
	}
}

func (g *Group) assigned(m *member, version int16) *kmsg.SyncGroupResponse {
	r := kmsg.NewPtrSyncGroupResponse()
	r.Version, r.ProtocolType, r.Protocol, r.MemberAssignment = version, kmsg.StringPtr(g.protocolType), g.protocol, m.assignment
	return r
}

// refuseSync takes all assignments back and sends an error to the members that wait for one.
func (g *Group) refuseSync(t *shard.Turn, e *kerr.Error) {
	for m := range g.all() {
		m.assignment = nil
		if m.sync.on {
			g.answerSync(t, m, e)
			g.renew(t, m)
		}
	}
}

// answerSync sends an error to a member that waits for its assignment.
func (g *Group) answerSync(t *shard.Turn, m *member, e *kerr.Error) {
	if m.sync.on {
		RefuseSync(t, m.sync.ticket, m.sync.version, e)
		m.sync = waiting{}
	}
}
