package classic

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/shard"
)

// Leave handles LeaveGroup: versions 0 to 2 name one member by its id, later ones several, a static member by its instance
// id alone if the caller does not know its id.
func (g *Group) Leave(t *shard.Turn, ticket shard.Ticket, req *kmsg.LeaveGroupRequest) {
	left := false
	AnswerLeave(t, ticket, req, func(m kmsg.LeaveGroupRequestMember) *kerr.Error {
		e := g.leave(t, m)
		left = left || e == nil
		return e
	})
	switch {
	case !left || g.state == Empty:
	case g.state == PreparingRebalance:
		g.completeIfJoined(t)
	default:
		g.prepare(t)
	}
}

// AnswerLeave answers a LeaveGroup: the error is asked for each member, nil says that it has left.
func AnswerLeave(t *shard.Turn, ticket shard.Ticket, req *kmsg.LeaveGroupRequest, leave func(kmsg.LeaveGroupRequestMember) *kerr.Error) {
	r := kmsg.NewPtrLeaveGroupResponse()
	r.Version = req.Version
	if req.Version < 3 {
		if e := leave(kmsg.LeaveGroupRequestMember{MemberID: req.MemberID}); e != nil {
			r.ErrorCode = e.Code
		}
		t.Reply(ticket, r)
		return
	}
	r.Members = make([]kmsg.LeaveGroupResponseMember, 0, len(req.Members))
	for _, m := range req.Members {
		answer := kmsg.LeaveGroupResponseMember{MemberID: m.MemberID, InstanceID: m.InstanceID}
		if e := leave(m); e != nil {
			answer.ErrorCode = e.Code
		}
		r.Members = append(r.Members, answer)
	}
	t.Reply(ticket, r)
}

// leave removes one member, or an id that was given out; who goes last does not matter to the rest.
func (g *Group) leave(t *shard.Turn, who kmsg.LeaveGroupRequestMember) *kerr.Error {
	id := who.MemberID
	switch _, pending := g.pending[id]; {
	case id == "" && who.InstanceID != nil && g.static[*who.InstanceID] != nil:
		id = g.static[*who.InstanceID].id
	case id == "":
		return kerr.UnknownMemberID
	case pending:
	default:
		if _, e := g.know(id, who.InstanceID); e != nil {
			return e
		}
	}
	g.remove(t, id)
	return nil
}
