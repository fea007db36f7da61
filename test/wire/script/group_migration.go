package script

import "github.com/twmb/franz-go/pkg/kmsg"

// groupMigration plays groups that change between classic and consumer, alive and empty (KIP-848).
func groupMigration(r *run) {
	r.make(newTopic(r.name("a"), 6), newTopic(r.name("b"), 2))
	upgradeEmpty(r)
	upgradeRefused(r)
	upgradeLive(r)
	upgradeOne(r)
	upgradeStatic(r)
	downgradeEmpty(r)
}

func (r *run) describeBoth(name, group string) {
	r.on(name+": described as classic", describeGroupsRequest(r.name(group)))
	r.on(name+": described as consumer", consumerGroupDescribeRequest(r.name(group)))
}

// beats records a heartbeat at the newest version.
func (m *consumerMember) beats(name string, change ...func(*kmsg.ConsumerGroupHeartbeatRequest)) {
	m.take(m.r.on(name, m.request(change...)).(*kmsg.ConsumerGroupHeartbeatResponse))
}

// upgradeEmpty plays groups without members that a consumer joins.
func upgradeEmpty(r *run) {
	r.commit("simple", "a", 0, 5)
	c := &consumerMember{r: r, group: "simple", id: "m1"}
	c.beats("simple group: a consumer joins", everything(r.name("a")))
	r.describeBoth("simple group", "simple")
	r.offsets("simple group: offsets", "simple")
	left := r.stable("left", protocols(protocol("range", subscription(r.name("a")))))
	r.commitAs(left, "a", 1, 6)
	left.leave()
	c = &consumerMember{r: r, group: "left", id: "m1"}
	c.beats("empty classic group: a consumer joins", everything(r.name("a")))
	r.describeBoth("empty classic group", "left")
	r.offsets("empty classic group: offsets", "left")
	r.on("empty classic group: heartbeat of the old member", left.heartbeatRequest())
	r.on("empty classic group: listed", listGroupsRequest(nil, []string{"consumer"}))
}

// upgradeRefused plays classic groups with members that no consumer may join, and some in which it may.
func upgradeRefused(r *run) {
	join := func(name, group string) {
		c := &consumerMember{r: r, group: group, id: "m1"}
		c.beats(name, everything(r.name("a")), func(req *kmsg.ConsumerGroupHeartbeatRequest) { req.ServerAssignor = ptr("range") })
	}
	r.stable("connect", typed("connect"))
	join("refused: other protocol type", "connect")
	r.stable("nonsense")
	join("refused: undecodable subscription", "nonsense")
	data := kmsg.NewConsumerMemberMetadata()
	data.Version, data.Topics, data.UserData = 1, []string{r.name("a")}, []byte("own")
	r.stable("userdata", protocols(protocol("range", string(data.AppendTo(nil)))))
	join("refused: user data", "userdata")
	r.completing("completing", protocols(protocol("range", subscription(r.name("a")))))
	join("completing: no assignment yet", "completing")
	r.describeBoth("completing: no assignment yet", "completing")
	r.stable("preparing", protocols(protocol("range", owns(-1, r.name("a")))))
	waits := r.member("preparing", protocols(protocol("range", owns(-1, r.name("a"))))).joining()
	r.awaitGroup("preparing", preparing, 2)
	join("preparing: undecodable assignment", "preparing")
	waits.waits.leave()
	m0 := r.completing("rebalancing", protocols(protocol("range", owns(-1, r.name("a")))))
	r.must(m0.give(r.name("a"), 0, 1, 2, 3, 4, 5))
	waits = r.member("rebalancing", protocols(protocol("range", owns(-1, r.name("a"))))).joining()
	r.awaitGroup("rebalancing", preparing, 2)
	join("preparing: a consumer joins", "rebalancing")
	waits.waits.end("preparing: who waited")
	r.on("preparing: heartbeat of who did not", m0.heartbeatRequest())
	m := r.stable("assigned", protocols(protocol("range", subscription(r.name("a")))))
	join("refused: undecodable assignment", "assigned")
	r.on("refused: heartbeat of the classic member", m.heartbeatRequest())
}

// assignment is what a classic leader gives a consumer.
func assignment(topic string, partitions ...int32) []byte {
	a := kmsg.NewConsumerMemberAssignment()
	a.Version = 1
	t := kmsg.NewConsumerMemberAssignmentTopic()
	t.Topic, t.Partitions = topic, partitions
	a.Topics = append(a.Topics, t)
	return a.AppendTo(nil)
}

// give is the sync of a leader alone, with a real assignment.
func (m *classicMember) give(topic string, partitions ...int32) *kmsg.SyncGroupRequest {
	req := m.syncRequest(m)
	req.GroupAssignment[0].MemberAssignment = assignment(topic, partitions...)
	return req
}

// owns is a subscription of a cooperative consumer that owns partitions of its one topic.
func owns(generation int32, topic string, partitions ...int32) string {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics, m.Generation = 3, []string{topic}, generation
	if len(partitions) > 0 {
		o := kmsg.NewConsumerMemberMetadataOwnedPartition()
		o.Topic, o.Partitions = topic, partitions
		m.OwnedPartitions = append(m.OwnedPartitions, o)
	}
	return string(m.AppendTo(nil))
}

// upgradeLive plays a classic consumer, a new one beside it, and the way back when the new one leaves.
func upgradeLive(r *run) {
	old := r.completing("live", protocols(protocol("range", owns(-1, r.name("a")))))
	r.must(old.give(r.name("a"), 0, 1, 2, 3, 4, 5))
	r.commitAs(old, "a", 0, 5)
	c := &consumerMember{r: r, group: "live", id: "m1"}
	c.beats("live: a consumer joins", everything(r.name("a")))
	r.describeBoth("live: a consumer joined", "live")
	r.on("live: the old one hears", old.heartbeatRequest())
	r.on("live: the old one syncs without joining", old.syncRequest())
	old.join.Protocols = []kmsg.JoinGroupRequestProtocol{protocol("range", owns(old.generation, r.name("a"), 0, 1, 2, 3, 4, 5))}
	old.takes("live: the old one joins")
	r.describeBoth("live: the old one joined", "live")
	r.on("live: the old one syncs", old.syncRequest())
	r.on("live: the old one hears again", old.heartbeatRequest())
	c.beats("live: the new one waits")
	kept := []int32{0, 1, 2}
	old.join.Protocols = []kmsg.JoinGroupRequestProtocol{protocol("range", owns(old.generation, r.name("a"), kept...))}
	old.takes("live: the old one joins and has given")
	r.on("live: the old one syncs at last", old.syncRequest())
	r.on("live: the old one is at rest", old.heartbeatRequest())
	c.beats("live: the new one gets")
	c.beats("live: the new one owns", c.holding)
	r.describeBoth("live: at rest", "live")
	r.on("live: commit of the old one", r.commitBy(old))
	wrong := old.syncRequest()
	wrong.Generation++
	r.on("live: sync of the next generation", wrong)
	r.on("live: heartbeat of the next generation", heartbeatRequest(r.name("live"), old.id, old.generation+1))
	r.on("live: heartbeat of the last generation", heartbeatRequest(r.name("live"), old.id, old.generation-1))
	r.on("live: sync of another protocol", func() kmsg.Request { req := old.syncRequest(); req.Protocol = ptr("sticky"); return req }())
	r.on("live: the new one says it is old", heartbeatRequest(r.name("live"), c.id, c.epoch))
	c.epoch = -1
	c.beats("live: the new one leaves")
	r.describeBoth("live: the new one left", "live")
	r.on("live: the old one hears of it", old.heartbeatRequest())
	old.takes("live: the old one joins the classic group")
	r.on("live: the old one gives itself all", old.give(r.name("a"), 0, 1, 2, 3, 4, 5))
	r.describeBoth("live: classic again", "live")
	r.offsets("live: offsets", "live")
	r.on("live: the old one leaves", leaveRequest(5, r.name("live"), leaving{old.id, nil}))
	r.describeBoth("live: nobody", "live")
}

// upgradeOne plays a classic member that becomes a new one under the same id, so that nobody classic is left.
func upgradeOne(r *run) {
	old := r.completing("one", protocols(protocol("range", owns(-1, r.name("a")))))
	r.must(old.give(r.name("a"), 0, 1, 2, 3, 4, 5))
	c := &consumerMember{r: r, group: "one", id: old.id, epoch: old.generation}
	c.beats("one: a classic member says it is new")
	r.describeBoth("one: said it is new", "one")
	c.epoch = 0
	c.beats("one: joins under its id", everything(r.name("a")))
	r.describeBoth("one: joined under its id", "one")
	r.on("one: its old heartbeat", old.heartbeatRequest())
	other := &consumerMember{r: r, group: "one", id: "m1"}
	other.beats("one: another joins", everything(r.name("a")))
	r.on("one: joins as a classic member again", r.again(old))
	r.describeBoth("one: joined as a classic member again", "one")
	other.epoch = -1
	other.beats("one: the other leaves")
	r.describeBoth("one: the other left", "one")
	r.on("one: heartbeat of the classic member", old.heartbeatRequest())
}

// takes records a join of a member that needs nobody else for its answer.
func (m *classicMember) takes(name string) {
	if resp := m.r.on(name, m.r.again(m)).(*kmsg.JoinGroupResponse); resp.ErrorCode == 0 {
		m.take(resp)
	}
}

// commitBy is a commit of a member of a classic group.
func (r *run) commitBy(m *classicMember) kmsg.Request {
	req := offsetCommitRequest(r.name(m.group), r.name("a"), [16]byte{}, committed{1, 7, nil})
	req.MemberID, req.Generation, req.InstanceID = m.id, m.generation, m.instance
	return req
}

// upgradeStatic plays a static classic consumer that comes back as a new one, and the other way round.
func upgradeStatic(r *run) {
	old := r.completing("static", instance("i"), protocols(protocol("range", owns(-1, r.name("a")))))
	r.must(old.give(r.name("a"), 0, 1, 2, 3, 4, 5))
	c := &consumerMember{r: r, group: "static", id: "m1"}
	c.beats("static: comes back as a new one", everything(r.name("a")), as("i"))
	r.describeBoth("static: came back as a new one", "static")
	r.on("static: the old one hears", old.heartbeatRequest())
	c.beats("static: owns", c.holding, as("i"))
	c.epoch = -2
	c.beats("static: goes for a while", as("i"))
	back := r.member("static", instance("i"), protocols(protocol("range", owns(-1, r.name("a")))))
	back.takes("static: comes back as an old one")
	r.describeBoth("static: came back as an old one", "static")
	r.on("static: syncs", back.syncRequest())
	r.on("static: leaves", leaveRequest(5, r.name("static"), leaving{"", ptr("i")}))
	r.describeBoth("static: left", "static")
}

// downgradeEmpty plays an empty consumer group that a classic member joins.
func downgradeEmpty(r *run) {
	c := r.consumer("back")
	r.commitFor("back", c.id, c.epoch, "a", 0, 5)
	c.leave()
	m := r.member("back").joining()
	m.take(m.waits.end("empty consumer group: a classic member joins").(*kmsg.JoinGroupResponse))
	r.on("empty consumer group: syncs", m.syncRequest(m))
	r.describeBoth("empty consumer group", "back")
	r.offsets("empty consumer group: offsets", "back")
	r.on("empty consumer group: the old member", consumerHeartbeatRequest(r.name("back"), "m1", 1))
	c = r.consumer("commits")
	c.leave()
	r.on("empty consumer group: a commit of nobody", offsetCommitRequest(r.name("commits"), r.name("a"), [16]byte{}, committed{0, 5, nil}))
	r.describeBoth("empty consumer group with a commit", "commits")
}
