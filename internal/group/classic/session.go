package classic

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/shard"
)

// Heartbeat handles Heartbeat. Members may send it before they have synced.
func (g *Group) Heartbeat(t *shard.Turn, ticket shard.Ticket, req *kmsg.HeartbeatRequest) {
	m, e := g.know(req.MemberID, req.InstanceID)
	switch {
	case e != nil:
	case req.Generation != g.generation:
		e = kerr.IllegalGeneration
	case g.state == Empty:
		e = kerr.UnknownMemberID
	default:
		g.renew(t, m)
		if g.state == PreparingRebalance {
			e = kerr.RebalanceInProgress
		}
	}
	AnswerHeartbeat(t, ticket, req.Version, e)
}

// AnswerHeartbeat answers a Heartbeat; a nil error says that all is well.
func AnswerHeartbeat(t *shard.Turn, ticket shard.Ticket, version int16, e *kerr.Error) {
	r := kmsg.NewPtrHeartbeatResponse()
	r.Version = version
	if e != nil {
		r.ErrorCode = e.Code
	}
	t.Reply(ticket, r)
}

// Expire lets go off an alarm of the group.
func (g *Group) Expire(t *shard.Turn, a Alarm) {
	switch a.Kind {
	case JoinEnd:
		g.endJoin(t)
	case SyncEnd:
		g.endSync(t)
	case Session:
		g.endSession(t, a.Member)
	}
}

// endSession removes a member that was not heard of, or an id that was not used. A member that waits keeps its session, and
// begins it anew when it is answered; but not one that waits since it came.
func (g *Group) endSession(t *shard.Turn, id string) {
	m := g.members[id]
	if _, pending := g.pending[id]; m == nil && !pending {
		return
	}
	if m != nil && !m.fresh && (m.join.on || m.sync.on) {
		return
	}
	g.remove(t, id)
	switch {
	case g.state == PreparingRebalance:
		if g.allJoined() {
			g.complete(t)
		}
	case g.state != Empty && m != nil:
		g.prepare(t)
	}
}

// endSync removes the members that have joined and not synced in time.
func (g *Group) endSync(t *shard.Turn) {
	if g.unsynced == 0 {
		return
	}
	for m := range g.all() {
		if m.unsynced {
			g.remove(t, m.id)
		}
	}
	g.prepare(t)
}
