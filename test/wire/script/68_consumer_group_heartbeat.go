package script

import "github.com/twmb/franz-go/pkg/kmsg"

func consumerGroupHeartbeatSample(*run) kmsg.Request {
	return consumerHeartbeatRequest("", "m1", 0) // an empty group is refused
}

func consumerGroupHeartbeat(r *run) {
	r.make(newTopic(r.name("a"), 4), newTopic(r.name("b"), 2))
	consumerFirst(r)
	consumerEpochs(r)
	consumerTwo(r)
	consumerStatic(r)
	consumerMax(r)
	consumerTopics(r)
	consumerIdle(r)
	if r.version >= 1 {
		consumerRegex(r)
	}
}

// beatAs records a heartbeat of a member, at the run's version.
func (m *consumerMember) beatAs(name string, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) {
	m.take(do[*kmsg.ConsumerGroupHeartbeatResponse](m.r, name, m.request(change...)))
}

// consumerFirst plays the first heartbeat of a member.
func consumerFirst(r *run) {
	first := func(name, group, member string, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) {
		change = append([]func(*kmsg.ConsumerGroupHeartbeatRequest){everything(r.name("a"))}, change...)
		r.do("first: "+name, consumerHeartbeatRequest(r.name(group), member, 0, change...))
	}
	type heartbeat = *kmsg.ConsumerGroupHeartbeatRequest
	r.do("first: empty group", consumerHeartbeatRequest("", "m1", 0, everything("a")))
	r.do("first: blank group", consumerHeartbeatRequest("  ", "m1", 0, everything("a")))
	r.do("first: says only who lives", consumerHeartbeatRequest(r.name("f0"), "m1", 0))
	first("no member", "f1", "")
	first("blank member", "f2", "  ")
	first("member of 36 letters", "f3", "00000000-1111-2222-3333-444444444444")
	first("long member", "f4", long(300))
	first("ordinary", "f5", "m1")
	first("ordinary again", "f5", "m1")
	first("no rebalance timeout", "f6", "m1", func(req heartbeat) { req.RebalanceTimeoutMillis = -1 })
	first("rebalance timeout 0", "f7", "m1", func(req heartbeat) { req.RebalanceTimeoutMillis = 0 })
	first("rebalance timeout -2", "f8", "m1", func(req heartbeat) { req.RebalanceTimeoutMillis = -2 })
	first("null topics", "f9", "m1", func(req heartbeat) { req.SubscribedTopicNames = nil })
	first("no topics", "f10", "m1", func(req heartbeat) { req.SubscribedTopicNames = []string{} })
	first("empty topic", "f11", "m1", func(req heartbeat) { req.SubscribedTopicNames = []string{""} })
	first("a topic twice", "f12", "m1", func(req heartbeat) { req.SubscribedTopicNames = []string{r.name("a"), r.name("a")} })
	first("unknown topic", "f13", "m1", func(req heartbeat) { req.SubscribedTopicNames = []string{r.name("none")} })
	first("known and unknown topic", "f14", "m1", func(req heartbeat) { req.SubscribedTopicNames = []string{r.name("none"), r.name("b")} })
	first("owns null", "f15", "m1", func(req heartbeat) { req.Topics = nil })
	first("owns something", "f16", "m1", owning(r.id("a"), 0))
	first("unknown assignor", "f17", "m1", func(req heartbeat) { req.ServerAssignor = ptr("strange") })
	first("empty assignor", "f18", "m1", func(req heartbeat) { req.ServerAssignor = ptr("") })
	first("assignor range", "f19", "m1", func(req heartbeat) { req.ServerAssignor = ptr("range") })
	first("assignor uniform", "f20", "m1", func(req heartbeat) { req.ServerAssignor = ptr("uniform") })
	first("empty rack", "f21", "m1", func(req heartbeat) { req.RackID = ptr("") })
	first("rack", "f22", "m1", func(req heartbeat) { req.RackID = ptr("r1") })
	first("empty instance", "f23", "m1", func(req heartbeat) { req.InstanceID = ptr("") })
	first("instance", "f24", "m1", func(req heartbeat) { req.InstanceID = ptr("i") })
	r.do("first: epoch -1", consumerHeartbeatRequest(r.name("f25"), "m1", -1))
	r.do("first: epoch -2", consumerHeartbeatRequest(r.name("f26"), "m1", -2))
	r.do("first: epoch -2, instance", consumerHeartbeatRequest(r.name("f27"), "m1", -2, as("i")))
	r.do("first: epoch -3", consumerHeartbeatRequest(r.name("f28"), "m1", -3))
	r.do("first: epoch 1", consumerHeartbeatRequest(r.name("f29"), "m1", 1))
	r.do("first: epoch 1, no member", consumerHeartbeatRequest(r.name("f30"), "", 1))
	r.do("first: epoch 1, everything", consumerHeartbeatRequest(r.name("f31"), "m1", 1, everything(r.name("a"))))
	r.do("first: epoch -1, instance", consumerHeartbeatRequest(r.name("f32"), "m1", -1, as("i")))
	r.do("first: epoch -1, no member", consumerHeartbeatRequest(r.name("f33"), "", -1))
}

// consumerEpochs plays what one member says after its first heartbeat.
func consumerEpochs(r *run) {
	type heartbeat = *kmsg.ConsumerGroupHeartbeatRequest
	m := r.consumer("one")
	at := func(name string, epoch int32, change ...func(heartbeat)) {
		r.do("one: "+name, consumerHeartbeatRequest(r.name("one"), "m1", epoch, change...))
	}
	at("alive", m.epoch)
	at("alive again", m.epoch)
	at("next epoch", m.epoch+1)
	at("far epoch", 1000)
	at("owns what it got", m.epoch, m.holding)
	at("owns part of it", m.epoch, owning(r.id("a"), 0, 1))
	at("owns what is not assigned", m.epoch, owning(r.id("b"), 0))
	at("owns nothing", m.epoch, owning([16]byte{}))
	at("owns an unknown topic", m.epoch, owning(strangeID, 0))
	at("everything", m.epoch, everything(r.name("a")), m.holding)
	at("unknown assignor", m.epoch, func(req heartbeat) { req.ServerAssignor = ptr("strange") })
	at("another assignor", m.epoch, func(req heartbeat) { req.ServerAssignor = ptr("range") })
	r.on("one: described", consumerGroupDescribeRequest(r.name("one")))
	at("rebalance timeout 0", m.epoch, func(req heartbeat) { req.RebalanceTimeoutMillis = 0 })
	at("instance", m.epoch, as("i"))
	at("another rack", m.epoch, func(req heartbeat) { req.RackID = ptr("r2") })
	m.epoch = 0
	m.beatAs("one: epoch 0 again", everything(r.name("a")))
	m.beatAs("one: reads more", func(req heartbeat) { req.SubscribedTopicNames = []string{r.name("a"), r.name("b")} })
	m.beatAs("one: after it reads more")
	m.beatAs("one: reads nothing", func(req heartbeat) { req.SubscribedTopicNames = []string{} })
	m.beatAs("one: owns nothing any more", owning([16]byte{}))
	m.beatAs("one: reads the other", func(req heartbeat) { req.SubscribedTopicNames = []string{r.name("b")} })
	m.beatAs("one: owns the other", m.holding)
	last := m.epoch
	at("last epoch, owns the same", last-1, m.holding)
	at("last epoch, owns nothing", last-1, owning([16]byte{}))
	at("last epoch, says nothing", last-1)
	r.do("one: unknown member", consumerHeartbeatRequest(r.name("one"), "nobody", last))
	r.do("one: unknown member, epoch -1", consumerHeartbeatRequest(r.name("one"), "nobody", -1))
	r.do("one: no member", consumerHeartbeatRequest(r.name("one"), "", last))
	at("epoch -2", -2)
	at("epoch -1", -1)
	at("epoch -1 again", -1)
	at("epoch after it left", last)
	r.on("one: described when empty", consumerGroupDescribeRequest(r.name("one")))
	at("joins again", 0, everything(r.name("a")))
}

// consumerTwo plays partitions that go from one member to another, and on.
func consumerTwo(r *run) {
	describe := func(name string) { r.on("two: "+name, consumerGroupDescribeRequest(r.name("two"))) }
	one := &consumerMember{r: r, group: "two", id: "m1"}
	one.beatAs("two: first", everything(r.name("a")))
	one.beatAs("two: first owns", one.holding)
	two := &consumerMember{r: r, group: "two", id: "m2"}
	two.beatAs("two: second", everything(r.name("a")))
	describe("second joined")
	two.beatAs("two: second waits", owning([16]byte{}))
	before := one.owned
	one.beatAs("two: first hears of it")
	describe("first revokes")
	kept := one.owned
	one.owned = before
	one.beatAs("two: first still owns all", one.holding)
	one.owned = kept
	one.beatAs("two: first has given", one.holding)
	describe("first has given")
	two.beatAs("two: second gets")
	describe("second got")
	two.beatAs("two: second owns", two.holding)
	three := &consumerMember{r: r, group: "two", id: "m3"}
	three.beatAs("two: third", everything(r.name("a"), r.name("b")))
	one.beatAs("two: first, when there are three")
	two.beatAs("two: second, when there are three")
	one.beatAs("two: first, owns", one.holding)
	two.beatAs("two: second, owns", two.holding)
	three.beatAs("two: third gets")
	three.beatAs("two: third owns", three.holding)
	describe("three")
	one.epoch = -1
	one.beatAs("two: first leaves")
	two.beatAs("two: second, when the first left")
	three.beatAs("two: third, when the first left")
	two.beatAs("two: second owns again", two.holding)
	three.beatAs("two: third owns again", three.holding)
	two.beatAs("two: second at rest")
	three.beatAs("two: third at rest")
	describe("two are left")
	two.epoch = -1
	two.beatAs("two: second leaves")
	three.epoch = -1
	three.beatAs("two: third leaves")
	describe("empty")
}

// consumerStatic plays static members.
func consumerStatic(r *run) {
	describe := func(name string) { r.on("static: "+name, consumerGroupDescribeRequest(r.name("static"))) }
	m := &consumerMember{r: r, group: "static", id: "m1"}
	m.beatAs("static: first", everything(r.name("a")), as("i"))
	m.beatAs("static: owns", m.holding, as("i"))
	m.beatAs("static: without instance")
	m.beatAs("static: another instance", as("j"))
	thief := &consumerMember{r: r, group: "static", id: "m2"}
	thief.beatAs("static: instance in use", everything(r.name("a")), as("i"))
	thief.epoch = m.epoch
	thief.beatAs("static: instance in use, some epoch", as("i"))
	thief.epoch = -2
	thief.beatAs("static: instance in use, epoch -2", as("i"))
	thief.epoch = -1
	thief.beatAs("static: instance in use, epoch -1", as("i"))
	held := m.epoch
	m.epoch = -2
	m.beatAs("static: goes for a while", as("i"))
	describe("gone for a while")
	m.beatAs("static: goes again", as("i"))
	m.epoch = held
	m.beatAs("static: alive though gone", as("i"))
	thief.epoch = 0
	thief.beatAs("static: comes back", everything(r.name("a")), as("i"))
	describe("came back")
	m.epoch = held
	m.beatAs("static: fenced", as("i"))
	m.epoch = -1
	m.beatAs("static: fenced leaves", as("i"))
	thief.epoch = -2
	thief.beatAs("static: goes once more", as("i"))
	third := &consumerMember{r: r, group: "static", id: "m3"}
	third.beatAs("static: comes back and reads another", everything(r.name("b")), as("i"))
	describe("reads another")
	third.epoch = -1
	third.beatAs("static: leaves", as("i"))
	describe("left")
}

// consumerMax plays group.consumer.max.size, which is 4.
func consumerMax(r *run) {
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		r.consumerNamed("full", id)
	}
	r.do("full: fifth", consumerHeartbeatRequest(r.name("full"), "m5", 0, everything(r.name("a"))))
	r.do("full: fifth, static", consumerHeartbeatRequest(r.name("full"), "m5", 0, everything(r.name("a")), as("i")))
	r.do("full: a member", consumerHeartbeatRequest(r.name("full"), "m2", 0, everything(r.name("a"))))
	r.do("full: one leaves", consumerHeartbeatRequest(r.name("full"), "m2", -1))
	r.do("full: fifth again", consumerHeartbeatRequest(r.name("full"), "m5", 0, everything(r.name("a"))))
}

// consumerTopics plays topics that come, grow and go.
func consumerTopics(r *run) {
	m := &consumerMember{r: r, group: "topics", id: "m1"}
	m.beatAs("topics: one that is not there", everything(r.name("late")))
	r.make(newTopic(r.name("late"), 1))
	m.beatUntil("topics: it is there", 1)
	m.beatAs("topics: owns it", m.holding)
	if err := r.grow("late", 3); err != nil {
		r.fail("%w", err)
	}
	m.beatUntil("topics: it has grown", 3)
	m.beatAs("topics: owns all of it", m.holding)
	r.remove("late")
	m.beatUntil("topics: it is deleted", 0)
	m.beatAs("topics: owns nothing", m.holding)
	r.on("topics: described", consumerGroupDescribeRequest(r.name("topics")))
}

// consumerIdle plays a member that reads nothing and joins while the others wait for an assignment.
func consumerIdle(r *run) {
	ranged := func(req *kmsg.ConsumerGroupHeartbeatRequest) { req.ServerAssignor = ptr("range") }
	r.consumerNamed("idle", "m1", ranged)
	r.consumerNamed("idle", "m2", ranged).leave()
	m := &consumerMember{r: r, group: "idle", id: "m3"}
	m.beatAs("idle: reads nothing", everything(), ranged)
	r.on("idle: described", consumerGroupDescribeRequest(r.name("idle")))
}

// beatUntil lets a member live until it is given a number of partitions, and records that answer's assignment.
func (m *consumerMember) beatUntil(name string, partitions int) {
	var last *kmsg.ConsumerGroupHeartbeatResponse
	err := m.r.await(name, func() (bool, error) {
		last = m.beat()
		n := 0
		for _, t := range m.owned {
			n += len(t.Partitions)
		}
		return last.Assignment != nil && n == partitions, nil
	})
	if err != nil {
		m.r.fail("%w", err)
	}
	rr := m.r.renderer()
	rr.api = last.Key()
	m.r.entry(name, rr.answer(last))
}

// grow gives a topic more partitions.
func (r *run) grow(short string, count int32) error {
	_, err := r.askAt(broker, 3, createPartitionsRequest(r.name(short), count))
	r.barrier()
	return err
}

// consumerRegex plays subscriptions by a regular expression, which the coordinator resolves beside its loop.
func consumerRegex(r *run) {
	type heartbeat = *kmsg.ConsumerGroupHeartbeatRequest
	matching := func(pattern string) func(heartbeat) {
		return func(req heartbeat) {
			everything()(req)
			req.SubscribedTopicNames, req.SubscribedTopicRegex = nil, &pattern
		}
	}
	for i, p := range []string{"(", "a**", `\C`, "[[:no:]]", "(?=a)", `(a)\1`, "a{1001}", "a{1,1000}{1,1000}", "*", `\pX`, "(?<n>a)", "(?P<n>a", `\8`} {
		r.do("regex: invalid "+p, consumerHeartbeatRequest(r.name("x"+string(rune('a'+i))), "m1", 0, matching(p)))
	}
	r.do("regex: empty", consumerHeartbeatRequest(r.name("empty"), "m1", 0, matching("")))
	r.do("regex: with names too", consumerHeartbeatRequest(r.name("both"), "m1", 0, everything(r.name("a")), func(req heartbeat) { req.SubscribedTopicRegex = ptr("zzz") }))
	m := &consumerMember{r: r, group: "regex", id: "m1"}
	m.beatAs("regex: none matches", matching("no.such.topic.at.all"))
	m.beat()
	m.beatAs("regex: none matches, alive")
	r.on("regex: none matches, described", consumerGroupDescribeRequest(r.name("regex")))
	m = &consumerMember{r: r, group: "matches", id: "m1"}
	m.beatAs("regex: matches", matching(r.name("")+"[ab]"))
	m.beatUntil("regex: resolved", 6)
	m.beatAs("regex: owns", m.holding)
	r.on("regex: described", consumerGroupDescribeRequest(r.name("matches")))
	m.beatAs("regex: none matches then", func(req heartbeat) { req.SubscribedTopicRegex = ptr("no.such.topic.at.all") })
	m.beatAs("regex: invalid then", func(req heartbeat) { req.SubscribedTopicRegex = ptr("(") })
	m.beatAs("regex: none any more, by name", func(req heartbeat) {
		req.SubscribedTopicRegex, req.SubscribedTopicNames = ptr(""), []string{r.name("a")}
	})
	m.beatAs("regex: none any more, owns", m.holding)
}
