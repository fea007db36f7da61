package script

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Walks of random commands: how many, and how long each is.
const (
	randomWalks     = 24
	randomWalkSteps = 50
)

// waitsAfter is how long a join or sync may take before it counts as one that waits for others.
const waitsAfter = 150 * time.Millisecond

// randomGroups plays random walks, each on a group of its own: classic members, consumers, and both in one group. There
// are at most two classic members, because which of several leads next is chance.
func randomGroups(r *run) {
	r.make(newTopic(r.name("a"), 6), newTopic(r.name("b"), 2))
	for n := range randomWalks {
		w := &walk{run: r, n: n, rng: rand.New(rand.NewPCG(r.seed, uint64(1000+n))), group: fmt.Sprintf("g%02d", n)}
		w.member = w.rng.IntN(3) > 0
		switch n % 3 {
		case 0:
			w.classic = []*slot{{name: "c1"}, {name: "c2", static: w.rng.IntN(2) == 0}}
		case 1:
			w.consumers = []*consumerMember{{r: r, group: w.group, id: "m1"}, {r: r, group: w.group, id: "m2"}, {r: r, group: w.group, id: "m3"}}
		case 2:
			w.classic = []*slot{{name: "c1", static: w.rng.IntN(2) == 0}}
			// These sort before all ids that a coordinator draws: a range assignor goes by them.
			w.consumers = []*consumerMember{{r: r, group: w.group, id: "!m1"}, {r: r, group: w.group, id: "!m2"}}
		}
		w.play()
	}
}

// walk is one random walk.
type walk struct {
	*run
	n, step   int
	rng       *rand.Rand
	group     string
	state     string // of the classic group, when it was last described
	written   bool   // something is, since the group was deleted
	member    bool   // whether the last consumer has a static name
	classic   []*slot
	consumers []*consumerMember
}

// slot is a classic member of a walk, or none yet.
type slot struct {
	name       string
	static     bool
	id         string
	generation int32
	protocol   string
	// waits is a join or a sync without an answer so far, sent as id.
	waits  *waiting
	waitID string
}

func (s *slot) instance() *string {
	if s.static {
		return &s.name
	}
	return nil
}

func (w *walk) play() {
	defer func() {
		for _, s := range w.classic {
			if s.waits != nil {
				s.waits.leave()
			}
		}
	}()
	for w.step = range randomWalkSteps {
		n := w.rng.IntN(len(w.classic) + len(w.consumers))
		if n < len(w.classic) {
			w.classicStep(w.classic[n])
		} else {
			w.consumerStep(w.consumers[n-len(w.classic)])
		}
		w.collect()
	}
}

func (w *walk) title(format string, args ...any) string {
	return fmt.Sprintf("%02d.%02d ", w.n, w.step) + fmt.Sprintf(format, args...)
}

// one says yes once in n times.
func (w *walk) one(n int) bool { return w.rng.IntN(n) == 0 }

// near is a number, or seldom one beside it.
func (w *walk) near(n int32) int32 {
	if w.one(10) {
		return n + int32(w.rng.IntN(3)) - 1
	}
	return n
}

func (w *walk) classicStep(s *slot) {
	kind := w.rng.IntN(20)
	if w.one(2) { // what a client would do
		switch w.state {
		case "Dead", "Empty", preparing:
			kind = 0
		case completing:
			kind = 6
		}
	}
	if s.waits != nil && kind < 12 {
		kind = 12
	}
	switch {
	case kind < 6:
		w.join(s)
	case kind < 12:
		w.sync(s)
	case kind < 15:
		req := heartbeatRequest(w.name(w.group), s.id, w.near(s.generation))
		if req.InstanceID = s.instance(); w.one(12) {
			req.MemberID = "stranger"
		}
		w.at(broker, int16(w.rng.IntN(5)), w.title("heartbeat %s", s.name), req)
	case kind < 16:
		v := int16(w.rng.IntN(6))
		w.at(broker, v, w.title("leave %s", s.name), leaveRequest(v, w.name(w.group), leaving{s.id, s.instance()}))
	case kind < 18:
		w.commit(s.name, s.id, s.generation, s.instance())
	default:
		w.look()
	}
}

// join sends a join, which is answered soon or waits.
func (w *walk) join(s *slot) {
	if s.static && w.one(4) {
		s.id = "" // as after a restart
	}
	req := joinRequest(w.name(w.group), s.id)
	req.InstanceID = s.instance()
	sub := subscription(w.name("a"))
	pools := [][]kmsg.JoinGroupRequestProtocol{
		{protocol("range", sub), protocol("sticky", sub)}, {protocol("range", sub)}, {protocol("sticky", sub), protocol("range", sub)},
		{protocol("range", subscription(w.name("a"), w.name("b")))},
	}
	if len(w.consumers) > 0 { // the order of topics in an assignment is chance
		pools = pools[:len(pools)-1]
	}
	req.Protocols = pools[w.rng.IntN(len(pools))]
	if w.one(25) {
		req.ProtocolType = "connect"
	}
	version := int16(w.rng.IntN(10))
	if s.static && version < 5 {
		version = 5
	}
	req.SetVersion(version)
	w.send(s, fmt.Sprintf("join %s v%d", s.name, version), req)
}

// sync sends a sync with an assignment for all, of which a follower's is ignored.
func (w *walk) sync(s *slot) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = w.name(w.group), s.id, w.near(s.generation), s.instance()
	req.ProtocolType, req.Protocol = ptr("consumer"), &s.protocol
	req.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{}
	for i, c := range w.classic {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = c.id, assignment(w.name("a"), int32(3*i), int32(3*i+1), int32(3*i+2))
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	if w.one(8) {
		req.GroupAssignment = req.GroupAssignment[:0]
	}
	version := int16(w.rng.IntN(6))
	req.SetVersion(version)
	w.send(s, fmt.Sprintf("sync %s v%d", s.name, version), req)
}

// send sends a request that may wait.
func (w *walk) send(s *slot, name string, req kmsg.Request) {
	p := w.begin(req)
	if p.err != nil {
		w.fail("%w", p.err)
	}
	s.waits, s.waitID = p, s.id
	_ = p.c.SetReadDeadline(time.Now().Add(waitsAfter))
	var first [1]byte
	if n, _ := p.c.Read(first[:]); n == 1 {
		p.c.Conn = &prefixed{p.c.Conn, first[:]}
		w.answered(s, name)
		return
	}
	w.entry(w.title("%s", name), []string{"waits"})
}

// answered records the answer that a slot waited for.
func (w *walk) answered(s *slot, name string) {
	p := s.waits
	s.waits = nil
	switch resp := p.end(w.title("%s", name)).(type) {
	case *kmsg.JoinGroupResponse:
		if errorName(resp.ErrorCode) == "UNKNOWN_MEMBER_ID" {
			s.id = ""
		}
		if resp.MemberID != "" && (resp.ErrorCode == 0 || errorName(resp.ErrorCode) == "MEMBER_ID_REQUIRED") {
			s.id = resp.MemberID
		}
		if resp.ErrorCode == 0 {
			w.written = true
			if s.generation = resp.Generation; resp.Protocol != nil {
				s.protocol = *resp.Protocol
			}
		}
	}
}

// collect describes the group, from which follows whose waiting is over.
func (w *walk) collect() {
	if len(w.classic) == 0 {
		return
	}
	resp := w.must(describeGroupsRequest(w.name(w.group)))
	g := resp.(*kmsg.DescribeGroupsResponse).Groups
	if len(g) != 1 {
		w.fail("not described")
	}
	if w.state = g[0].State; len(g[0].Members) > 0 { // without, it is chance whether a group is seen that nothing is written of
		rr := w.renderer()
		rr.api = resp.Key()
		w.entry(w.title("state"), rr.answer(resp))
	}
	for _, s := range w.classic {
		if s.waits == nil {
			continue
		}
		state := preparing
		if s.waits.req.Key() == (&kmsg.SyncGroupRequest{}).Key() {
			state = completing
		}
		in := s.waitID == "" || slices.ContainsFunc(g[0].Members, func(m kmsg.DescribeGroupsResponseGroupMember) bool { return m.MemberID == s.waitID })
		if g[0].State != state || !in {
			w.answered(s, "answer for "+s.name)
		}
	}
}

func (w *walk) commit(who, member string, epoch int32, instance *string) {
	req := offsetCommitRequest(w.name(w.group), w.name("a"), w.id("a"), committed{int32(w.rng.IntN(7)), int64(w.step), nil})
	req.MemberID, req.Generation, req.InstanceID = member, w.near(epoch), instance
	w.at(broker, 2+int16(w.rng.IntN(9)), w.title("commit %s", who), req)
}

// look asks about the group, or changes it from outside.
func (w *walk) look() {
	switch w.rng.IntN(6) {
	case 0, 1:
		w.offsets(w.title("offsets"), w.group)
	case 2:
		if !w.written {
			return
		}
		w.on(w.title("consumers"), consumerGroupDescribeRequest(w.name(w.group)))
	case 3:
		w.on(w.title("delete offsets"), offsetDeleteRequest(w.name(w.group), w.name("a"), 0))
	case 4:
		w.on(w.title("delete"), deleteGroupsRequest(w.name(w.group)))
		w.written = false
	case 5:
		w.commit("nobody", "", -1, nil)
	}
}

func (w *walk) consumerStep(m *consumerMember) {
	type heartbeat = *kmsg.ConsumerGroupHeartbeatRequest
	var static []func(heartbeat)
	last := w.member && m == w.consumers[len(w.consumers)-1]
	if last {
		static = append(static, as("i"))
	}
	beat := func(name string, epoch int32, change ...func(heartbeat)) {
		req := consumerHeartbeatRequest(w.name(w.group), m.id, epoch, append(change, static...)...)
		resp := w.on(w.title("%s %s", name, m.id), req).(*kmsg.ConsumerGroupHeartbeatResponse)
		m.take(resp)
		w.written = w.written || resp.ErrorCode == 0
	}
	reads := [][]string{{w.name("a")}, {w.name("a")}, {w.name("a"), w.name("b")}, {w.name("b")}, {}}[w.rng.IntN(5)]
	ranged := func(req heartbeat) { req.ServerAssignor = ptr("range") }
	switch kind := w.rng.IntN(20); {
	case m.epoch <= 0 && kind < 14, kind == 0:
		beat("joins", 0, everything(reads...), ranged)
	case kind < 5:
		beat("lives", w.near(m.epoch))
	case kind < 12:
		beat("owns", w.near(m.epoch), m.holding)
	case kind < 14:
		beat("reads", w.near(m.epoch), func(req heartbeat) { req.SubscribedTopicNames = reads })
	case kind < 15:
		beat("leaves", -1)
	case kind < 16 && last:
		beat("goes", -2)
	case kind < 18:
		w.commit(m.id, m.id, m.epoch, nil)
	default:
		w.look()
	}
}
