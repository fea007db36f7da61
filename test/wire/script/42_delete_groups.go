package script

import "github.com/twmb/franz-go/pkg/kmsg"

func deleteGroupsRequest(groups ...string) *kmsg.DeleteGroupsRequest {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = append([]string{}, groups...)
	return req
}

func deleteGroupsSample(*run) kmsg.Request { return deleteGroupsRequest() }

func deleteGroups(r *run) {
	r.make(newTopic(r.name("a"), 1))
	r.do("no groups", deleteGroupsRequest())
	r.do("empty group", deleteGroupsRequest(""))
	r.eachState(func(s groupState) {
		r.do(s.name, deleteGroupsRequest(r.name(s.m.group)))
		r.on(s.name+": described", describeGroupsRequest(r.name(s.m.group)))
	})
	r.do("deleted before", deleteGroupsRequest(r.name("empty")))
	r.commit("simple", "a", 0, 5)
	r.do("simple", deleteGroupsRequest(r.name("simple")))
	r.offsets("simple: offsets afterwards", "simple")
	r.pendingID("pending")
	r.do("only an id given", deleteGroupsRequest(r.name("pending")))
	left := r.stable("left")
	r.commitAs(left, "a", 0, 7)
	left.leave()
	r.do("left with offsets", deleteGroupsRequest(r.name("left")))
	r.offsets("left with offsets: afterwards", "left")
	c := r.consumer("modern")
	r.do("consumer group", deleteGroupsRequest(r.name("modern")))
	c.leave()
	r.do("empty consumer group", deleteGroupsRequest(r.name("modern")))
	r.on("empty consumer group: described", consumerGroupDescribeRequest(r.name("modern")))
	r.commit("one", "a", 0, 5)
	r.commit("two", "a", 0, 5)
	r.stable("live")
	r.do("many", deleteGroupsRequest(r.name("one"), r.name("live"), r.name("nobodys"), "", r.name("two")))
	r.commit("one", "a", 0, 5)
	r.do("the same group twice", deleteGroupsRequest(r.name("one"), r.name("one")))
}
