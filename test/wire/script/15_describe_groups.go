package script

import "github.com/twmb/franz-go/pkg/kmsg"

func describeGroupsRequest(groups ...string) *kmsg.DescribeGroupsRequest {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = append([]string{}, groups...)
	return req
}

func describeGroupsSample(*run) kmsg.Request { return describeGroupsRequest() }

func describeGroups(r *run) {
	r.make(newTopic(r.name("a"), 1))
	r.do("no groups", describeGroupsRequest())
	r.do("empty group", describeGroupsRequest(""))
	r.eachState(func(s groupState) { r.do(s.name, describeGroupsRequest(r.name(s.m.group))) })
	r.do("many", describeGroupsRequest(r.name("stable"), r.name("nobodys"), r.name("empty"), ""))
	r.do("the same group twice", describeGroupsRequest(r.name("stable"), r.name("stable")))
	ops := describeGroupsRequest(r.name("stable"), r.name("nobodys"), r.name("empty"))
	ops.IncludeAuthorizedOperations = true
	r.do("authorized operations", ops)
	r.commit("simple", "a", 0, 5)
	r.do("simple", describeGroupsRequest(r.name("simple")))
	leader, follower := r.stableTwo("two")
	r.do("two members", describeGroupsRequest(r.name("two")))
	follower.leave()
	r.do("one of two left", describeGroupsRequest(r.name("two")))
	leader.joining().joined()
	r.do("the other joined again", describeGroupsRequest(r.name("two")))
	r.stable("static", instance("i"))
	r.do("static", describeGroupsRequest(r.name("static")))
	r.stable("connect", typed("connect"))
	r.do("other protocol type", describeGroupsRequest(r.name("connect")))
	r.must(deleteGroupsRequest(r.name("empty")))
	r.do("deleted", describeGroupsRequest(r.name("empty")))
	c := r.consumer("modern")
	r.do("consumer group", describeGroupsRequest(r.name("modern"), r.name("stable")))
	c.leave()
	r.do("empty consumer group", describeGroupsRequest(r.name("modern")))
}
