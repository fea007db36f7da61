package script

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func joinGroupSample(*run) kmsg.Request { return joinRequest("", "nobody") } // an empty group is refused

func joinGroup(r *run) {
	r.make(newTopic(r.name("a"), 2))
	join := func(name, group, member string, change ...func(*kmsg.JoinGroupRequest)) *kmsg.JoinGroupResponse {
		return do[*kmsg.JoinGroupResponse](r, name, joinRequest(r.name(group), member, change...))
	}
	r.do("empty group", joinRequest("", ""))
	r.do("long group", joinRequest(r.name(long(300)), "nobody"))
	join("session too short", "s1", "", sessions(99, 1000))
	join("session shortest", "s2", "", sessions(100, 120_000))
	join("session longest", "s3", "", sessions(1_800_000, 1000))
	join("session too long", "s4", "", sessions(1_800_001, 1000))
	join("session 0", "s5", "", sessions(0, 1000))
	join("session negative", "s6", "", sessions(-1, 1000))
	join("rebalance timeout 0", "s7", "", sessions(120_000, 0))
	join("rebalance timeout -1", "s8", "", sessions(120_000, -1))
	join("no protocols", "s9", "", protocols())
	join("no protocol type", "s10", "", typed(""))
	join("neither protocols nor type", "s11", "", typed(""), protocols())
	join("empty protocol name", "s13", "", protocols(protocol("", "1")))
	join("no metadata", "s14", "", protocols(protocol("range", "")))
	join("member of no group", "s15", "nobody")
	reason := joinRequest(r.name("s16"), "")
	reason.Reason = ptr(strings.Repeat("because ", 100))
	r.do("long reason", reason)
	first := join("first", "g", "")
	if errorName(first.ErrorCode) == "MEMBER_ID_REQUIRED" {
		join("first, no type", "g", first.MemberID, typed(""))
		join("first, no protocols", "g", first.MemberID, protocols())
		join("first, with its id", "g", first.MemberID)
		other := r.pendingID("h")
		join("with the id of another group", "g", other)
	}
	joinStates(r)
	joinTogether(r)
	joinMax(r)
	joinStatic(r)
	joinModern(r)
	if r.version < 4 { // last, because the ids that are drawn after it are others
		r.unansweredByKafka("a protocol twice", joinRequest(r.name("s12"), "", protocols(protocol("range", "1"), protocol("range", "2"))))
	}
}

// joinStates plays joins to a group in each state. A join that begins a rebalance of members that do not come is left.
func joinStates(r *run) {
	r.eachState(func(s groupState) {
		join := func(name, member string, change ...func(*kmsg.JoinGroupRequest)) {
			r.do(s.name+": "+name, joinRequest(r.name(s.m.group), member, change...))
		}
		join("unknown member", "nobody")
		join("unknown member, other type", "nobody", typed("connect"))
		join("unknown member, other protocols", "nobody", protocols(protocol("other", "1")))
		join("member, instance that is not its", s.m.id, instance("strange"))
		if s.name != "no group" && s.name != "empty" {
			join("new member, other type", "", typed("connect"))
			join("new member, other protocols", "", protocols(protocol("other", "1")))
			join("new member, no protocols", "", protocols())
			join("member, other type", s.m.id, typed("connect"))
			join("member, other protocols", s.m.id, protocols(protocol("other", "1")))
		}
		if s.name == "completing" {
			join("member, as before", s.m.id)
			join("member, other metadata", s.m.id, protocols(protocol("range", "changed")))
		}
		if s.other != nil {
			join("member", s.m.id)
			s.other.waits.end(s.name + ": the one that waits")
			return
		}
		join("member", s.m.id)
		if s.name == "empty" {
			join("new member, other type", "", typed("connect"))
		}
		r.on(s.name+": described", describeGroupsRequest(r.name(s.m.group)))
	})
}

// joinTogether plays rebalances of two members.
func joinTogether(r *run) {
	first := r.stable("two", protocols(protocol("a", "a1"), protocol("b", "b1"), protocol("c", "c1")))
	second := r.member("two", protocols(protocol("x", "x2"), protocol("c", "c2"), protocol("b", "b2"))).joining()
	r.awaitGroup("two", preparing, 2)
	first.join.MemberID = first.id
	first.take(do[*kmsg.JoinGroupResponse](r, "two: the leader again", first.join))
	second.take(second.waits.end("two: the second, that waited").(*kmsg.JoinGroupResponse))
	r.on("two: joined", describeGroupsRequest(r.name("two")))
	r.do("two: follower before its sync, as before", r.again(second))
	settled(first, second)
	r.do("two: follower, as before", r.again(second))
	second.join.Protocols[0].Metadata = []byte("new")
	w := r.begin(r.versioned(r.again(second)))
	r.awaitGroup("two", preparing, 2)
	first.take(do[*kmsg.JoinGroupResponse](r, "two: leader after the follower's change", r.again(first)))
	second.take(w.end("two: follower with other metadata").(*kmsg.JoinGroupResponse))
	settled(first, second)
	w = r.begin(r.versioned(r.again(first)))
	r.awaitGroup("two", preparing, 2)
	second.take(do[*kmsg.JoinGroupResponse](r, "two: follower after the leader's join", r.again(second)))
	first.take(w.end("two: leader, as before").(*kmsg.JoinGroupResponse))
	settled(first, second)
	w = r.begin(r.versioned(r.again(first)))
	r.awaitGroup("two", preparing, 2)
	second.leave()
	w.end("two: leader, and the follower leaves")
	joinShares(r)
}

// joinShares plays members that have only some protocols in common.
func joinShares(r *run) {
	first := r.stable("votes", protocols(protocol("a", "1"), protocol("b", "1"), protocol("c", "1")))
	second := r.member("votes", protocols(protocol("c", "2"), protocol("b", "2"))).joining()
	r.awaitGroup("votes", preparing, 2)
	third := r.member("votes", protocols(protocol("c", "3"), protocol("b", "3"), protocol("a", "3"))).joining()
	r.awaitGroup("votes", preparing, 3)
	r.do("votes: leader", r.again(first))
	second.waits.end("votes: second")
	third.waits.end("votes: third")
	r.on("votes: described", describeGroupsRequest(r.name("votes")))
	r.do("votes: none in common", joinRequest(r.name("votes"), "", protocols(protocol("a", "4"))))
}

// again is the join of one who is a member already.
func (r *run) again(m *classicMember) *kmsg.JoinGroupRequest {
	m.join.MemberID = m.id
	return m.join
}

// joinMax plays group.max.size, which is 4.
func joinMax(r *run) {
	crowd := func(group string, size int) (leader *classicMember, others []*classicMember) {
		leader = r.stable(group)
		for n := 2; n <= size; n++ {
			others = append(others, r.member(group).joining())
			r.awaitGroup(group, preparing, n)
		}
		return leader, others
	}
	leader, others := crowd("waiting", 5) // four of them wait
	r.do("full: new member, four wait", joinRequest(r.name("waiting"), ""))
	r.do("full: static member, four wait", joinRequest(r.name("waiting"), "", instance("i")))
	r.do("full: leader, four wait", r.again(leader))
	r.on("full: described", describeGroupsRequest(r.name("waiting")))
	for _, m := range others {
		m.waits.leave()
	}
	leader, others = crowd("full", 4)
	leader.joining()
	rebalanced(append(others, leader)...)
	r.do("full: new member, completing", joinRequest(r.name("full"), ""))
	settled(leader, others...)
	r.do("full: new member, stable", joinRequest(r.name("full"), ""))
	r.do("full: new static member, stable", joinRequest(r.name("full"), "", instance("i")))
	r.do("full: a member", r.again(others[0]))
	others[2].leave()
	r.do("full: one left, unknown member", joinRequest(r.name("full"), "nobody"))
}

// joinStatic plays static members.
func joinStatic(r *run) {
	if r.version < 5 {
		return
	}
	static := func(name, group, member string, change ...func(*kmsg.JoinGroupRequest)) *kmsg.JoinGroupResponse {
		change = append([]func(*kmsg.JoinGroupRequest){instance("i")}, change...)
		return do[*kmsg.JoinGroupResponse](r, "static: "+name, joinRequest(r.name(group), member, change...))
	}
	static("unknown member", "static", "nobody")
	first := static("first", "static", "")
	static("known id, known instance, completing", "static", first.MemberID)
	static("another's id", "static", "another")
	static("another's instance", "static", first.MemberID, instance("j"))
	static("empty instance", "static", first.MemberID, instance(""))
	second := static("replaced while completing", "static", "")
	m := &classicMember{r: r, group: "static", id: second.MemberID, generation: second.Generation, instance: ptr("i"), join: joinRequest("", ""), protocol: "range"}
	settled(m)
	static("the old id", "static", first.MemberID)
	third := static("replaced while stable", "static", "")
	r.on("static: replaced, described", describeGroupsRequest(r.name("static")))
	static("replaced with other metadata", "static", "", protocols(protocol("range", "changed"), protocol("sticky", "second")))
	static("replaced with another order of protocols", "static", "", protocols(protocol("sticky", "second"), protocol("range", "changed")))
	static("the id before", "static", third.MemberID)
	r.on("static: described", describeGroupsRequest(r.name("static")))
	left := r.stable("left", instance("i"))
	left.leave()
	static("joins after it left", "left", "")
	waits := r.stable("waits")
	one := r.member("waits", instance("i"))
	one.joining()
	r.awaitGroup("waits", preparing, 2)
	two := r.member("waits", instance("i"))
	two.join.SetVersion(r.version)
	two.waits = r.begin(two.join)
	one.waits.end("static: replaced while it waits")
	r.do("static: the other, while one waits", r.again(waits))
	two.waits.end("static: replacing while it waits")
	leader := r.stable("leads", instance("l"))
	follower := r.member("leads", instance("f")).joining()
	r.awaitGroup("leads", preparing, 2)
	rebalanced(leader.joining(), follower)
	settled(leader, follower)
	static("a follower replaced", "leads", "", instance("f"))
	static("a leader replaced", "leads", "", instance("l"))
	r.on("static: both replaced", describeGroupsRequest(r.name("leads")))
}

// joinModern plays classic members that join a consumer group.
func joinModern(r *run) {
	c := r.consumer("modern")
	c.beat(c.holding)
	join := func(name, member string, change ...func(*kmsg.JoinGroupRequest)) *kmsg.JoinGroupResponse {
		return do[*kmsg.JoinGroupResponse](r, "consumer group: "+name, joinRequest(r.name("modern"), member, change...))
	}
	reads := protocols(protocol("range", subscription(r.name("a"))))
	join("undecodable subscription", "")
	join("other type", "", typed("connect"), reads)
	join("no protocols", "", protocols())
	join("unknown member", "nobody", reads)
	join("session too short", "", reads, sessions(1, 1000))
	join("a member of the other kind", c.id, reads)
	first := join("classic member", "", reads)
	if errorName(first.ErrorCode) == "MEMBER_ID_REQUIRED" {
		join("classic member, with its id", first.MemberID, reads)
	}
	r.on("consumer group: described", consumerGroupDescribeRequest(r.name("modern")))
	c.leave()
}

// subscription is a consumer's metadata in a classic group: what it reads, and nothing that it owns.
func subscription(topics ...string) string {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics = 1, topics
	return string(m.AppendTo(nil))
}
