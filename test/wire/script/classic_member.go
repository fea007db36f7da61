package script

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// classicMember is a member of a classic group, driven outside the transcript.
type classicMember struct {
	r *run
	// group is the group's short name.
	group, id  string
	instance   *string
	generation int32
	protocol   string
	leads      bool
	join       *kmsg.JoinGroupRequest
	waits      *waiting
}

// joinRequest asks to join with two protocols; sessions are longer than any script.
func joinRequest(group, member string, change ...func(*kmsg.JoinGroupRequest)) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = group, member, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 120_000, 120_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{protocol("range", "first"), protocol("sticky", "second")}
	for _, f := range change {
		f(req)
	}
	return req
}

func protocol(name, metadata string) kmsg.JoinGroupRequestProtocol {
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = name, []byte(metadata)
	return p
}

// protocols, instance, sessions and typed change a joinRequest.
func protocols(ps ...kmsg.JoinGroupRequestProtocol) func(*kmsg.JoinGroupRequest) {
	return func(req *kmsg.JoinGroupRequest) { req.Protocols = ps }
}

func instance(id string) func(*kmsg.JoinGroupRequest) {
	return func(req *kmsg.JoinGroupRequest) { req.InstanceID = &id }
}

func sessions(session, rebalance int32) func(*kmsg.JoinGroupRequest) {
	return func(req *kmsg.JoinGroupRequest) {
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = session, rebalance
	}
}

func typed(protocolType string) func(*kmsg.JoinGroupRequest) {
	return func(req *kmsg.JoinGroupRequest) { req.ProtocolType = protocolType }
}

// member is a member that has not joined yet.
func (r *run) member(group string, change ...func(*kmsg.JoinGroupRequest)) *classicMember {
	join := joinRequest(r.name(group), "", change...)
	return &classicMember{r: r, group: group, join: join, instance: join.InstanceID, generation: -1}
}

// joining lets the member get an id, if it needs one, and sends a join that may wait.
func (m *classicMember) joining() *classicMember {
	m.join.SetVersion(groupAPIs[m.join.Key()])
	if m.id == "" && m.instance == nil {
		m.id = m.r.must(m.join).(*kmsg.JoinGroupResponse).MemberID
		m.join.SetVersion(groupAPIs[m.join.Key()])
	}
	m.join.MemberID = m.id
	m.waits = m.r.begin(m.join)
	return m
}

// pendingID makes a group in which one has got an id and not joined with it.
func (r *run) pendingID(group string) string {
	join := joinRequest(r.name(group), "")
	return r.must(join).(*kmsg.JoinGroupResponse).MemberID
}

// joined takes the join's answer.
func (m *classicMember) joined() *classicMember {
	m.take(m.waits.ended().(*kmsg.JoinGroupResponse))
	return m
}

// take learns from a join's answer.
func (m *classicMember) take(resp *kmsg.JoinGroupResponse) {
	if resp.ErrorCode != 0 {
		m.r.fail("join %s: %s", m.group, errorName(resp.ErrorCode))
	}
	m.id, m.generation, m.leads = resp.MemberID, resp.Generation, resp.LeaderID == resp.MemberID
	if m.protocol = m.join.Protocols[0].Name; resp.Protocol != nil {
		m.protocol = *resp.Protocol
	}
}

// syncRequest is the member's request for its assignment; a leader gives assigned, "member" for all ids.
func (m *classicMember) syncRequest(assigned ...*classicMember) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = m.r.name(m.group), m.id, m.generation, m.instance
	req.ProtocolType, req.Protocol = &m.join.ProtocolType, &m.protocol
	if m.protocol == "" {
		req.Protocol = &m.join.Protocols[0].Name
	}
	req.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{}
	for i, a := range assigned {
		ga := kmsg.NewSyncGroupRequestGroupAssignment()
		ga.MemberID, ga.MemberAssignment = a.id, []byte{'p', byte('1' + i)}
		req.GroupAssignment = append(req.GroupAssignment, ga)
	}
	return req
}

// syncing sends a sync that may wait.
func (m *classicMember) syncing(assigned ...*classicMember) *waiting {
	req := m.syncRequest(assigned...)
	req.SetVersion(groupAPIs[req.Key()])
	return m.r.begin(req)
}

// synced takes a sync's answer outside the transcript.
func (w *waiting) synced() {
	if code := w.ended().(*kmsg.SyncGroupResponse).ErrorCode; code != 0 {
		w.r.fail("sync: %s", errorName(code))
	}
}

func (m *classicMember) heartbeatRequest() *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = m.r.name(m.group), m.id, m.generation, m.instance
	return req
}

// leave takes the member out of its group.
func (m *classicMember) leave() {
	m.r.must(leaveRequest(5, m.r.name(m.group), leaving{m.id, m.instance}))
}

// completing is a group with one member that has joined and not synced.
func (r *run) completing(group string, change ...func(*kmsg.JoinGroupRequest)) *classicMember {
	return r.member(group, change...).joining().joined()
}

// stable is a group with one member that has its assignment.
func (r *run) stable(group string, change ...func(*kmsg.JoinGroupRequest)) *classicMember {
	m := r.completing(group, change...)
	settled(m)
	return m
}

// stableTwo is a group with two members that have their assignments; the first leads.
func (r *run) stableTwo(group string, change ...func(*kmsg.JoinGroupRequest)) (leader, follower *classicMember) {
	leader = r.stable(group, change...)
	follower = r.member(group, change...).joining()
	r.awaitGroup(group, preparing, 2)
	rebalanced(leader.joining(), follower)
	settled(leader, follower)
	return leader, follower
}

// rebalanced takes the answers of joins that complete each other.
func rebalanced(members ...*classicMember) {
	for _, m := range members {
		m.joined()
	}
}

// settled lets all members of a generation get their assignments, of which the first is the leader.
func settled(leader *classicMember, others ...*classicMember) {
	leader.syncing(append([]*classicMember{leader}, others...)...).synced()
	for _, m := range others {
		m.syncing().synced()
	}
}

// States of classic groups as DescribeGroups names them.
const (
	preparing  = "PreparingRebalance"
	completing = "CompletingRebalance"
)

// groupState is a group in one state, with a member that is, or was, in it.
type groupState struct {
	name string
	m    *classicMember
	// other waits for the rebalance that it has begun; nil in the other states.
	other *classicMember
}

// eachState plays cases on a group of its own in each of the states of a classic group.
func (r *run) eachState(f func(s groupState)) {
	f(groupState{name: "no group", m: &classicMember{r: r, group: "none", id: "nobody", join: joinRequest("", "")}})
	empty := r.stable("empty")
	empty.leave()
	f(groupState{name: "empty", m: empty})
	p := r.stable("preparing")
	other := r.member("preparing").joining()
	r.awaitGroup("preparing", preparing, 2)
	f(groupState{name: "preparing", m: p, other: other})
	other.waits.leave()
	f(groupState{name: "completing", m: r.completing("completing")})
	f(groupState{name: "stable", m: r.stable("stable")})
}
