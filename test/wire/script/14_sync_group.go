package script

import "github.com/twmb/franz-go/pkg/kmsg"

func syncGroupSample(*run) kmsg.Request {
	m := &classicMember{r: &run{names: "sample"}, id: "nobody", generation: 1, join: joinRequest("", "")}
	return m.syncRequest()
}

func syncGroup(r *run) {
	r.eachState(func(s groupState) {
		sync := func(name string, change func(*kmsg.SyncGroupRequest)) {
			req := s.m.syncRequest()
			change(req)
			r.do(s.name+": "+name, req)
		}
		sync("unknown member", func(req *kmsg.SyncGroupRequest) { req.MemberID = "nobody" })
		sync("no member", func(req *kmsg.SyncGroupRequest) { req.MemberID = "" })
		sync("next generation", func(req *kmsg.SyncGroupRequest) { req.Generation++ })
		sync("last generation", func(req *kmsg.SyncGroupRequest) { req.Generation-- })
		sync("generation -1", func(req *kmsg.SyncGroupRequest) { req.Generation = -1 })
		sync("unknown instance", func(req *kmsg.SyncGroupRequest) { req.InstanceID = ptr("strange") })
		sync("other protocol type", func(req *kmsg.SyncGroupRequest) { req.ProtocolType = ptr("connect") })
		sync("other protocol", func(req *kmsg.SyncGroupRequest) { req.Protocol = ptr("sticky") })
		sync("no protocol type", func(req *kmsg.SyncGroupRequest) { req.ProtocolType = nil })
		sync("no protocol", func(req *kmsg.SyncGroupRequest) { req.Protocol = nil })
		sync("neither protocol nor type", func(req *kmsg.SyncGroupRequest) { req.Protocol, req.ProtocolType = nil, nil })
		sync("empty protocol", func(req *kmsg.SyncGroupRequest) { req.Protocol = ptr("") })
		if s.other != nil {
			sync("the one that waits", func(req *kmsg.SyncGroupRequest) { req.MemberID = s.other.id })
		}
		r.do(s.name+": member", s.m.syncRequest(s.m))
		r.do(s.name+": member again", s.m.syncRequest())
		r.on(s.name+": described", describeGroupsRequest(r.name(s.m.group)))
	})
	empty := r.completing("nothing")
	r.do("empty group", func() kmsg.Request { req := empty.syncRequest(); req.Group = ""; return req }())
	r.do("leader without assignments", empty.syncRequest())
	r.do("leader without assignments, again with some", empty.syncRequest(empty))
	syncTwo(r)
	syncStatic(r)
	c := r.consumer("modern")
	m := &classicMember{r: r, group: "modern", id: c.id, generation: c.epoch, join: joinRequest("", "")}
	r.do("member of a consumer group", m.syncRequest())
	m.id = "nobody"
	r.do("unknown member of a consumer group", m.syncRequest())
}

// syncTwo plays the two orders in which leader and follower can sync.
func syncTwo(r *run) {
	two := func(group string) (leader, follower *classicMember) {
		leader = r.stable(group)
		follower = r.member(group).joining()
		r.awaitGroup(group, preparing, 2)
		rebalanced(leader.joining(), follower)
		return leader, follower
	}
	begin := func(m *classicMember, assigned ...*classicMember) *waiting {
		return r.begin(r.versioned(m.syncRequest(assigned...)))
	}
	leader, follower := two("leaderfirst")
	r.do("leader first: leader", leader.syncRequest(leader, follower))
	r.do("leader first: follower", follower.syncRequest())
	r.do("leader first: follower with assignments", follower.syncRequest(follower, leader))
	leader, follower = two("followerfirst")
	w := begin(follower)
	r.settle()
	r.do("follower first: leader", leader.syncRequest(follower, leader))
	w.end("follower first: follower")
	leader, follower = two("forgotten")
	r.do("follower forgotten: leader", leader.syncRequest(leader))
	r.do("follower forgotten: follower", follower.syncRequest())
	leader, follower = two("strangers")
	r.do("stranger assigned: leader", leader.syncRequest(leader, &classicMember{id: "stranger"}, follower))
	r.do("stranger assigned: follower", follower.syncRequest())
	leader, follower = two("interrupted")
	w = begin(follower)
	r.settle()
	third := r.member("interrupted", protocols(protocol("range", "third"))).joining()
	r.awaitGroup("interrupted", preparing, 3)
	w.end("a third joins: follower that waited")
	r.do("a third joins: leader", leader.syncRequest(leader, follower))
	third.waits.leave()
	leader, follower = two("left")
	w = begin(follower)
	r.settle()
	leader.leave()
	w.end("the leader leaves: follower that waited")
	leader, follower = two("twice")
	w = begin(follower)
	r.settle()
	again := begin(follower)
	r.settle()
	r.do("follower twice: leader", leader.syncRequest(leader, follower))
	again.end("follower twice: second")
	w.leave()
}

// syncStatic plays static members, which can be replaced.
func syncStatic(r *run) {
	m := r.completing("static", instance("i"))
	req := m.syncRequest(m)
	req.MemberID = "another"
	r.do("static: another member id", req)
	req = m.syncRequest(m)
	req.InstanceID = ptr("j")
	r.do("static: unknown instance", req)
	r.do("static: member", m.syncRequest(m))
	old := *m
	m.id = ""
	m.joining().joined()
	r.do("static: replaced", old.syncRequest())
	r.do("static: replacing", m.syncRequest())
}
