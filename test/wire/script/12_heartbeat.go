package script

import "github.com/twmb/franz-go/pkg/kmsg"

func heartbeatRequest(group, member string, generation int32) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = group, member, generation
	return req
}

func heartbeatSample(*run) kmsg.Request { return heartbeatRequest("sample", "nobody", 1) }

func heartbeat(r *run) {
	r.do("empty group", heartbeatRequest("", "nobody", 1))
	r.do("long group", heartbeatRequest(long(300), "nobody", 1))
	r.eachState(func(s groupState) {
		beat := func(name, member string, generation int32) {
			r.do(s.name+": "+name, heartbeatRequest(r.name(s.m.group), member, generation))
		}
		beat("member", s.m.id, s.m.generation)
		beat("next generation", s.m.id, s.m.generation+1)
		beat("last generation", s.m.id, s.m.generation-1)
		beat("generation -1", s.m.id, -1)
		beat("generation 0", s.m.id, 0)
		beat("unknown member", "nobody", s.m.generation)
		beat("no member", "", s.m.generation)
		beat("neither member nor generation", "", -1)
		if s.other != nil {
			beat("the one that waits", s.other.id, s.m.generation)
			beat("the one that waits, next generation", s.other.id, s.m.generation+1)
		}
		strange := heartbeatRequest(r.name(s.m.group), s.m.id, s.m.generation)
		strange.InstanceID = ptr("strange")
		r.do(s.name+": unknown instance", strange)
	})
	r.do("a member that has only got its id", heartbeatRequest(r.name("pending"), r.pendingID("pending"), 1))
	heartbeatStatic(r)
	c := r.consumer("modern")
	r.do("member of a consumer group", heartbeatRequest(r.name("modern"), c.id, c.epoch))
	r.do("unknown member of a consumer group", heartbeatRequest(r.name("modern"), "nobody", c.epoch))
}

// heartbeatStatic plays static members, which can be replaced.
func heartbeatStatic(r *run) {
	m := r.stable("static", instance("i"))
	r.do("static: member", m.heartbeatRequest())
	other := m.heartbeatRequest()
	other.MemberID = "another"
	r.do("static: another member id", other)
	other = m.heartbeatRequest()
	other.InstanceID = ptr("j")
	r.do("static: unknown instance", other)
	other = m.heartbeatRequest()
	other.InstanceID = nil
	r.do("static: without its instance", other)
	other = m.heartbeatRequest()
	other.MemberID = ""
	r.do("static: without its member id", other)
	other = m.heartbeatRequest()
	other.Generation++
	r.do("static: next generation", other)
	old := *m
	m.id = ""
	m.joining().joined()
	r.do("static: replaced", old.heartbeatRequest())
	r.do("static: replacing", m.heartbeatRequest())
}
