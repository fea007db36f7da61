package script

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// leaving is one who leaves.
type leaving struct {
	member   string
	instance *string
}

// leaveRequest takes members out of a group; below version 3 there is room for one.
func leaveRequest(version int16, group string, who ...leaving) *kmsg.LeaveGroupRequest {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = group
	if version < 3 {
		req.MemberID = who[0].member
		return req
	}
	req.Members = []kmsg.LeaveGroupRequestMember{}
	for _, w := range who {
		m := kmsg.NewLeaveGroupRequestMember()
		m.MemberID, m.InstanceID = w.member, w.instance
		req.Members = append(req.Members, m)
	}
	return req
}

func leaveGroupSample(r *run) kmsg.Request {
	return leaveRequest(r.version, "sample", leaving{"nobody", nil})
}

func leaveGroup(r *run) {
	r.do("empty group", leaveRequest(r.version, "", leaving{"nobody", nil}))
	r.eachState(func(s groupState) {
		leave := func(name string, who ...leaving) {
			r.do(s.name+": "+name, leaveRequest(r.version, r.name(s.m.group), who...))
		}
		leave("unknown member", leaving{"nobody", nil})
		leave("no member", leaving{"", nil})
		if r.version >= 3 {
			leave("no members")
			leave("unknown instance", leaving{"", ptr("strange")})
			leave("unknown instance, known member", leaving{s.m.id, ptr("strange")})
		}
		if s.other != nil {
			leave("the one that waits", leaving{s.other.id, nil})
			s.other.waits.end(s.name + ": what the one that waits gets")
		}
		leave("member", leaving{s.m.id, nil})
		leave("member again", leaving{s.m.id, nil})
		r.on(s.name+": described", describeGroupsRequest(r.name(s.m.group)))
	})
	r.do("pending member", leaveRequest(r.version, r.name("pending"), leaving{r.pendingID("pending"), nil}))
	leader, follower := r.stableTwo("two")
	r.do("the leader of two", leaveRequest(r.version, r.name("two"), leaving{leader.id, nil}))
	r.on("the leader of two: what the other hears", follower.heartbeatRequest())
	follower.joining()
	follower.waits.end("the leader of two: the other joins again")
	leaveBatches(r)
	c := r.consumer("modern")
	r.do("member of a consumer group", leaveRequest(r.version, r.name("modern"), leaving{c.id, nil}))
	r.do("unknown member of a consumer group", leaveRequest(r.version, r.name("modern"), leaving{"nobody", nil}))
}

// leaveBatches plays several members in one request.
func leaveBatches(r *run) {
	if r.version < 3 {
		return
	}
	leader, follower := r.stableTwo("mixed")
	r.do("mixed", leaveRequest(r.version, r.name("mixed"), leaving{"nobody", nil}, leaving{follower.id, nil}, leaving{follower.id, nil}, leaving{"", ptr("i")}))
	r.on("mixed: what the other hears", leader.heartbeatRequest())
	r.do("all", leaveRequest(r.version, r.name("mixed"), leaving{leader.id, nil}))
	r.stable("static", instance("i"))
	r.do("static: another's id", leaveRequest(r.version, r.name("static"), leaving{"another", ptr("i")}))
	r.do("static: member without instance", leaveRequest(r.version, r.name("static"), leaving{"nobody", nil}))
	r.do("static: by instance", leaveRequest(r.version, r.name("static"), leaving{"", ptr("i")}))
	r.do("static: by instance again", leaveRequest(r.version, r.name("static"), leaving{"", ptr("i")}))
	r.on("static: described", describeGroupsRequest(r.name("static")))
	m := r.stable("both", instance("i"))
	r.do("static: by both", leaveRequest(r.version, r.name("both"), leaving{m.id, ptr("i")}))
	m = r.stable("byid", instance("i"))
	r.do("static: by member id alone", leaveRequest(r.version, r.name("byid"), leaving{m.id, nil}))
	req := leaveRequest(r.version, r.name("byid"), leaving{"nobody", nil})
	req.Members[0].Reason = ptr(strings.Repeat("because ", 100))
	r.do("with a long reason", req)
	replaced := r.stable("replaced", instance("i"))
	old := replaced.id
	replaced.id = ""
	replaced.joining().joined()
	r.do("static: replaced", leaveRequest(r.version, r.name("replaced"), leaving{old, ptr("i")}))
}
