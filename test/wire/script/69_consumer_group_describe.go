package script

import "github.com/twmb/franz-go/pkg/kmsg"

func consumerGroupDescribeRequest(groups ...string) *kmsg.ConsumerGroupDescribeRequest {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = append([]string{}, groups...)
	return req
}

func consumerGroupDescribeSample(*run) kmsg.Request { return consumerGroupDescribeRequest() }

func consumerGroupDescribe(r *run) {
	r.make(newTopic(r.name("a"), 4))
	describe := func(name string, groups ...string) {
		for i := range groups {
			groups[i] = r.name(groups[i])
		}
		r.do(name, consumerGroupDescribeRequest(groups...))
	}
	describe("no groups")
	r.do("empty group", consumerGroupDescribeRequest(""))
	r.do("empty group and another", consumerGroupDescribeRequest("", r.name("nobodys")))
	describe("unknown group", "nobodys")
	r.eachState(func(s groupState) {
		if s.name != "no group" {
			describe("classic, "+s.name, s.m.group)
		}
	})
	one := r.consumer("g")
	describe("one member", "g")
	one.beat(one.holding)
	describe("one member that owns", "g")
	two := r.consumerNamed("g", "m2", func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.RackID, req.ServerAssignor = ptr("r1"), ptr("range")
	})
	describe("a second member", "g")
	one.beat()
	describe("the first has to give", "g")
	one.beat(one.holding)
	describe("the first has given", "g")
	two.beat()
	describe("the second has got", "g")
	two.beat(two.holding)
	describe("both own", "g")
	one.leave()
	describe("the first left", "g")
	two.beat()
	describe("the second has all", "g")
	two.leave()
	describe("empty", "g")
	describe("many", "g", "nobodys", "stable", "g")
	ops := consumerGroupDescribeRequest(r.name("g"), r.name("nobodys"), r.name("stable"))
	ops.IncludeAuthorizedOperations = true
	r.do("authorized operations", ops)
	r.consumer("static", as("i"))
	describe("static", "static")
	r.consumer("none", everything(r.name("none")))
	describe("unknown topic", "none")
	r.must(deleteGroupsRequest(r.name("g")))
	describe("deleted", "g")
}
