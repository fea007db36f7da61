package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rider is a member of a classic group: it joins, is given partitions by the member that leads, sends heartbeats, and leaves now and then.
type rider struct {
	owner
	protocol *string
}

// Times of classic groups.
const (
	classicSession   = 2 * time.Second
	classicRebalance = time.Second
	classicPatience  = 3 * time.Second
	classicType      = "consumer"
)

func newRider(w *World, number int) *rider {
	r := &rider{owner: newOwner(w, number, "crew")}
	w.after(w.between(0, 500*time.Millisecond), "", r.turn)
	w.after(w.between(0, 500*time.Millisecond), "", r.work)
	return r
}

// turn does what is due for the membership, until all is calm and a heartbeat was answered.
func (r *rider) turn() {
	w := r.w
	if r.calmed {
		return
	}
	leader, known := r.leader(r.at)
	to := int(leader.leader)
	switch {
	case !known || r.quiet():
		r.again(nil)
	case r.epoch == 0:
		r.join(to)
	case !w.over() && w.chance(0.01):
		r.leave(to)
	default:
		r.beat(to)
	}
}

// again goes on in a while; after an error it asks anew who coordinates.
func (r *rider) again(err error) {
	if err != nil {
		r.failed(err)
	}
	r.w.after(r.w.between(50*time.Millisecond, 250*time.Millisecond), "", r.turn)
}

// out forgets the membership. What was owned is given up when the next generation is there: a consumer that has lost its partitions learns that late.
func (r *rider) out(err error) {
	r.epoch = 0
	if errors.Is(err, kerr.UnknownMemberID) {
		r.w.sometimes("member fenced")
		r.id = ""
	}
}

func (r *rider) join(to int) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.SetVersion(7)
	req.Group, req.MemberID, req.ProtocolType = r.group, r.id, classicType
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(classicSession.Milliseconds()), int32(classicRebalance.Milliseconds())
	p, subscription := kmsg.NewJoinGroupRequestProtocol(), kmsg.NewConsumerMemberMetadata()
	subscription.Topics = []string{topicName}
	p.Name, p.Metadata = "range", subscription.AppendTo(nil)
	req.Protocols = append(req.Protocols, p)
	r.w.call(r.me, to, req, classicPatience, func(answer kmsg.Response, err error) {
		if err != nil {
			r.again(err)
			return
		}
		resp := answer.(*kmsg.JoinGroupResponse)
		switch err := kerr.ErrorForCode(resp.ErrorCode); {
		case errors.Is(err, kerr.MemberIDRequired):
			r.id = resp.MemberID
			r.join(to)
		case err != nil:
			r.out(err)
			r.again(err)
		default:
			r.sync(to, resp)
		}
	})
}

// sync asks for the assignment of a generation; who leads it gives that.
func (r *rider) sync(to int, joined *kmsg.JoinGroupResponse) {
	r.id, r.protocol = joined.MemberID, joined.Protocol
	req := kmsg.NewPtrSyncGroupRequest()
	req.SetVersion(5)
	req.Group, req.MemberID, req.Generation, req.ProtocolType, req.Protocol = r.group, r.id, joined.Generation, joined.ProtocolType, joined.Protocol
	if joined.LeaderID == r.id {
		req.GroupAssignment = r.assign(joined.Members)
	}
	r.w.call(r.me, to, req, classicPatience, func(answer kmsg.Response, err error) {
		var assigned kmsg.ConsumerMemberAssignment
		if err == nil {
			resp := answer.(*kmsg.SyncGroupResponse)
			if err = kerr.ErrorForCode(resp.ErrorCode); err == nil {
				err = assigned.ReadFrom(resp.MemberAssignment)
			}
		}
		if err != nil {
			r.out(err)
			r.again(err)
			return
		}
		r.w.sometimes("classic member given partitions")
		r.epoch = joined.Generation
		var all []int32
		for _, t := range assigned.Topics {
			all = append(all, t.Partitions...)
		}
		r.given(all, false)
		r.again(nil)
	})
}

// assign deals the partitions out.
func (r *rider) assign(members []kmsg.JoinGroupResponseMember) (all []kmsg.SyncGroupRequestGroupAssignment) {
	first := r.w.rng.IntN(len(members))
	for i, m := range members {
		t := kmsg.NewConsumerMemberAssignmentTopic()
		t.Topic = topicName
		for p := range r.w.plan.partitions {
			if (first+int(p))%len(members) == i {
				t.Partitions = append(t.Partitions, p)
			}
		}
		given, assignment := kmsg.NewSyncGroupRequestGroupAssignment(), kmsg.NewConsumerMemberAssignment()
		assignment.Topics = append(assignment.Topics, t)
		given.MemberID, given.MemberAssignment = m.MemberID, assignment.AppendTo(nil)
		all = append(all, given)
	}
	slices.Reverse(all)
	return all
}

func (r *rider) beat(to int) {
	req := kmsg.NewPtrHeartbeatRequest()
	req.SetVersion(4)
	req.Group, req.MemberID, req.Generation = r.group, r.id, r.epoch
	calm := r.w.calm
	r.w.call(r.me, to, req, callPatience, func(answer kmsg.Response, err error) {
		if err == nil {
			if err = kerr.ErrorForCode(answer.(*kmsg.HeartbeatResponse).ErrorCode); err != nil {
				r.out(err)
			}
			r.calmed = r.calmed || calm && err == nil
		}
		r.again(err)
	})
}

// leave ends the membership.
func (r *rider) leave(to int) {
	req, m := kmsg.NewPtrLeaveGroupRequest(), kmsg.NewLeaveGroupRequestMember()
	req.SetVersion(4)
	m.MemberID = r.id
	req.Group, req.Members = r.group, append(req.Members, m)
	r.w.call(r.me, to, req, callPatience, func(answer kmsg.Response, err error) {
		if err == nil {
			err = kerr.ErrorForCode(answer.(*kmsg.LeaveGroupResponse).ErrorCode)
		}
		if err == nil {
			r.w.sometimes("classic member left")
			r.id, r.epoch, r.owned = "", 0, nil
		}
		r.again(err)
	})
}
