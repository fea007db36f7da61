package script

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// asked is one group of an OffsetFetch: partitions by the short names of topics; nil asks for all.
type asked struct {
	group  string
	topics map[string][]int32
}

// offsetFetchRequest asks for the offsets of groups; below version 8 there is room for one.
func offsetFetchRequest(r *run, groups ...asked) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	for _, a := range groups {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group, req.Group = r.name(a.group), r.name(a.group)
		if a.topics != nil {
			g.Topics, req.Topics = []kmsg.OffsetFetchRequestGroupTopic{}, []kmsg.OffsetFetchRequestTopic{}
		}
		for _, name := range slices.Sorted(maps.Keys(a.topics)) {
			t := kmsg.NewOffsetFetchRequestGroupTopic()
			t.Topic, t.TopicID, t.Partitions = r.name(name), r.id(name), a.topics[name]
			if t.TopicID == [16]byte{} {
				t.TopicID = strangeID
			}
			g.Topics = append(g.Topics, t)
			req.Topics = append(req.Topics, kmsg.OffsetFetchRequestTopic{Topic: t.Topic, Partitions: t.Partitions})
		}
		req.Groups = append(req.Groups, g)
	}
	return req
}

func offsetFetchSample(r *run) kmsg.Request {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.Topics = "sample", []kmsg.OffsetFetchRequestTopic{}
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.Topics = "sample", []kmsg.OffsetFetchRequestGroupTopic{}
	req.Groups = append(req.Groups, g)
	return req
}

func offsetFetch(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("b"), 1))
	r.commit("g", "a", 0, 5)
	r.commit("g", "a", 1, 6)
	r.commit("g", "b", 0, 7)
	r.commit("h", "a", 0, 8)
	fetch := func(name string, groups ...asked) { r.do(name, offsetFetchRequest(r, groups...)) }
	type topics = map[string][]int32
	fetch("one", asked{"g", topics{"a": {0}}})
	fetch("two topics", asked{"g", topics{"a": {1, 0}, "b": {0}}})
	fetch("all", asked{"g", nil})
	fetch("no topics", asked{"g", topics{}})
	fetch("no partitions", asked{"g", topics{"a": {}}})
	fetch("never committed", asked{"g", topics{"a": {2}}})
	fetch("unknown partition", asked{"g", topics{"a": {0, 9, -1}}})
	fetch("unknown topic", asked{"g", topics{"none": {0}}})
	fetch("known and unknown topic", asked{"g", topics{"none": {0}, "a": {0}}})
	fetch("the same partition twice", asked{"g", topics{"a": {0, 0}}})
	fetch("unknown group", asked{"nobodys", topics{"a": {0}}})
	fetch("unknown group, all", asked{"nobodys", nil})
	empty := offsetFetchRequest(r, asked{"g", topics{"a": {0}}})
	empty.Group, empty.Groups[0].Group = "", ""
	r.do("empty group", empty)
	stable := offsetFetchRequest(r, asked{"g", topics{"a": {0, 2}}})
	stable.RequireStable = true
	r.do("stable", stable)
	stable = offsetFetchRequest(r, asked{"g", nil})
	stable.RequireStable = true
	r.do("stable, all", stable)
	twice := offsetFetchRequest(r, asked{"g", topics{"a": {0}}})
	twice.Topics = append(twice.Topics, twice.Topics...)
	twice.Groups[0].Topics = append(twice.Groups[0].Topics, twice.Groups[0].Topics...)
	r.do("the same topic twice", twice)
	r.eachState(func(s groupState) { fetch("state: "+s.name, asked{s.m.group, topics{"a": {0}}}) })
	live := r.stable("live")
	r.commitAs(live, "a", 2, 9)
	fetch("live group", asked{"live", nil})
	if r.version >= 8 {
		fetch("no groups")
		fetch("two groups", asked{"g", topics{"a": {0}}}, asked{"h", nil})
		fetch("known and unknown group", asked{"nobodys", nil}, asked{"h", nil})
		fetch("the same group twice", asked{"g", topics{"a": {0}}}, asked{"g", topics{"a": {1}}})
	}
	offsetFetchMembers(r)
	offsetFetchTopics(r)
}

// offsetFetchMembers plays members who say who they are, of classic and of consumer groups.
func offsetFetchMembers(r *run) {
	if r.version < 9 {
		return
	}
	fetch := func(name, group string, member *string, epoch int32) {
		req := offsetFetchRequest(r, asked{group, map[string][]int32{"a": {0}}})
		req.Groups[0].MemberID, req.Groups[0].MemberEpoch = member, epoch
		r.do(name, req)
	}
	all := func(name, group string, member *string, epoch int32) {
		req := offsetFetchRequest(r, asked{group, nil})
		req.Groups[0].MemberID, req.Groups[0].MemberEpoch = member, epoch
		r.do(name, req)
	}
	m := r.stable("classic")
	r.commitAs(m, "a", 0, 4)
	fetch("classic: member", "classic", &m.id, m.generation)
	fetch("classic: another epoch", "classic", &m.id, 9)
	fetch("classic: unknown member", "classic", ptr("nobody"), 1)
	fetch("no such group: member", "nobodys", ptr("nobody"), 1)
	c := r.consumer("modern")
	c.beat(c.holding, func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.SubscribedTopicNames = []string{r.name("a"), r.name("b")}
	})
	r.commitFor("modern", c.id, c.epoch, "a", 0, 3)
	for _, f := range []struct {
		kind string
		f    func(name, group string, member *string, epoch int32)
	}{{"consumer group", fetch}, {"consumer group, all", all}} {
		f.f(f.kind+": member", "modern", &c.id, c.epoch)
		f.f(f.kind+": next epoch", "modern", &c.id, c.epoch+1)
		f.f(f.kind+": last epoch", "modern", &c.id, c.epoch-1)
		f.f(f.kind+": member, epoch -1", "modern", &c.id, -1)
		f.f(f.kind+": unknown member", "modern", ptr("nobody"), c.epoch)
		f.f(f.kind+": empty member", "modern", ptr(""), c.epoch)
		f.f(f.kind+": no member, some epoch", "modern", nil, c.epoch)
		f.f(f.kind+": no member, epoch -1", "modern", nil, -1)
	}
}

// offsetFetchTopics plays topics that went.
func offsetFetchTopics(r *run) {
	ask := func(name string, id [16]byte) {
		req := offsetFetchRequest(r, asked{"g", map[string][]int32{"b": {0}}})
		req.Groups[0].Topics[0].TopicID = id
		r.do(name, req)
	}
	old := r.id("b")
	ask("topic: id zero", [16]byte{})
	r.remove("b")
	ask("topic: deleted", old)
	r.do("topic: deleted, all", offsetFetchRequest(r, asked{"g", nil}))
	r.make(newTopic(r.name("b"), 1))
	ask("topic: made again, by the old id", old)
	ask("topic: made again", r.id("b"))
	r.do("topic: made again, all", offsetFetchRequest(r, asked{"g", nil}))
}
