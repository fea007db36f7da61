package script

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupTimeouts plays what happens to members that fall silent. It looks until something has happened, never when.
func groupTimeouts(r *run) {
	r.make(newTopic(r.name("a"), 4))
	classicTimeouts(r)
	consumerTimeouts(r)
}

func classicTimeouts(r *run) {
	describe := func(name, group string) { r.on(name, describeGroupsRequest(r.name(group))) }
	m := r.stable("session", sessions(1000, 120_000))
	r.awaitGroup("session", "Empty", 0)
	describe("classic: the session of the only member ends", "session")
	r.on("classic: heartbeat after its session", m.heartbeatRequest())
	r.on("classic: join after its session", r.again(m))

	late := r.member("pending", sessions(100, 120_000))
	late.id = r.must(late.join).(*kmsg.JoinGroupResponse).MemberID
	r.awaitRefusal("pending", late)
	r.on("classic: join with an id that has ended", r.again(late))

	slow := r.stable("rebalance", sessions(120_000, 400))
	quick := r.member("rebalance", sessions(120_000, 400)).joining()
	quick.waits.end("classic: a member does not join again in time")
	r.on("classic: heartbeat of who did not join again", slow.heartbeatRequest())
	describe("classic: without who did not join again", "rebalance")

	unsynced := r.completing("sync", sessions(120_000, 300))
	r.awaitGroup("sync", "Empty", 0)
	describe("classic: a member does not sync in time", "sync")
	r.on("classic: sync after its time", unsynced.syncRequest(unsynced))

	leader := r.stable("silent", sessions(120_000, 120_000))
	silent := r.member("silent", sessions(1000, 120_000)).joining()
	r.awaitGroup("silent", preparing, 2)
	rebalanced(leader.joining(), silent)
	settled(leader, silent)
	r.awaitGroup("silent", preparing, 1)
	describe("classic: the session of one of two ends", "silent")
	r.on("classic: heartbeat of the other", leader.heartbeatRequest())

	static := r.stable("static", sessions(1000, 120_000), instance("i"))
	r.awaitGroup("static", "Empty", 0)
	describe("classic: the session of a static member ends", "static")
	r.on("classic: heartbeat of the static member", static.heartbeatRequest())
}

// awaitRefusal waits until the coordinator has forgotten an id that nobody joined with.
func (r *run) awaitRefusal(group string, m *classicMember) {
	err := r.await("the end of a session", func() (bool, error) {
		req := heartbeatRequest(r.name(group), m.id, -1)
		resp, err := r.askNewest(req)
		return err == nil && errorName(resp.(*kmsg.HeartbeatResponse).ErrorCode) == "UNKNOWN_MEMBER_ID", err
	})
	if err != nil {
		r.fail("%w", err)
	}
	r.settle() // a heartbeat refuses an id that has not joined, ended or not
	r.settle()
	r.settle()
}

func consumerTimeouts(r *run) {
	describe := func(name, group string) { r.on(name, consumerGroupDescribeRequest(r.name(group))) }
	type heartbeat = *kmsg.ConsumerGroupHeartbeatRequest

	r.setGroup("short", "consumer.session.timeout.ms", "300", "consumer.heartbeat.interval.ms", "100")
	m := &consumerMember{r: r, group: "short", id: "m1"}
	m.take(r.on("consumer: a short session", m.request(everything(r.name("a")))).(*kmsg.ConsumerGroupHeartbeatResponse))
	r.awaitConsumers("short", "Empty", 0)
	describe("consumer: the session of the only member ends", "short")
	r.on("consumer: heartbeat after its session", m.request())

	r.setGroup("gone", "consumer.session.timeout.ms", "300", "consumer.heartbeat.interval.ms", "100")
	s := r.consumer("gone", as("i"))
	s.epoch = -2
	s.beat(as("i"))
	r.awaitConsumers("gone", "Empty", 0)
	describe("consumer: a static member does not come back", "gone")

	holds := r.consumer("revoke", func(req heartbeat) { req.RebalanceTimeoutMillis = 300 })
	holds.beat(holds.holding)
	wants := r.consumerNamed("revoke", "m2")
	holds.beat()
	r.awaitConsumers("revoke", "", 1)
	describe("consumer: a member does not give its partitions back in time", "revoke")
	r.on("consumer: heartbeat of who kept its partitions", holds.request())
	wants.take(r.on("consumer: heartbeat of who waited for them", wants.request()).(*kmsg.ConsumerGroupHeartbeatResponse))
	describe("consumer: who waited for them", "revoke")

	r.setGroup("slow", "consumer.assignment.interval.ms", "15000")
	one := r.consumer("slow")
	one.beat(one.holding)
	two := &consumerMember{r: r, group: "slow", id: "m2"}
	two.take(r.on("consumer: joins before the next assignment", two.request(everything(r.name("a")))).(*kmsg.ConsumerGroupHeartbeatResponse))
	describe("consumer: assigning", "slow")
	r.on("consumer: heartbeat while assigning", one.request())
	r.on("consumer: listed while assigning", listGroupsRequest([]string{"assigning"}, nil))
	two.epoch = -1
	r.on("consumer: leaves while assigning", two.request())
	describe("consumer: left while assigning", "slow")
	one.epoch = -1
	r.on("consumer: all leave while assigning", one.request())
	describe("consumer: all left while assigning", "slow")
}

// setGroup sets configuration of a group and waits until the coordinator has it.
func (r *run) setGroup(group string, entries ...string) {
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeGroupConfig, r.name(group)
	for i := 0; i+1 < len(entries); i += 2 {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = entries[i], &entries[i+1]
		res.Configs = append(res.Configs, c)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, res)
	resp, err := r.askAt(broker, 1, req)
	if err != nil {
		r.fail("%w", err)
	}
	if code := resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0].ErrorCode; code != 0 {
		r.fail("configure group %s: %s", group, errorName(code))
	}
	r.barrier()
}

// awaitConsumers waits until a consumer group has a number of members, and is in a state if one is given.
func (r *run) awaitConsumers(group, state string, members int) {
	err := r.await(fmt.Sprintf("%s with %d members", group, members), func() (bool, error) {
		g := r.must(consumerGroupDescribeRequest(r.name(group))).(*kmsg.ConsumerGroupDescribeResponse).Groups[0]
		return (state == "" || g.State == state) && len(g.Members) == members, nil
	})
	if err != nil {
		r.fail("%w", err)
	}
}
