package classic

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// host drives one group as a shard does, and keeps what its clients were told.
type host struct {
	t      testing.TB
	env    *Env
	g      *Group
	loaded *Group // has the records alone
	now    time.Time
	waits  map[shard.Ticket]bool
	last   shard.Ticket
	told   map[shard.Ticket]any
	trace  bytes.Buffer
}

func newHost(t testing.TB, config Config) *host {
	drawn := uint32(0)
	env := &Env{Config: config, Alarms: shard.NewAlarms[Alarm](), NewID: func() kafka.UUID {
		drawn++
		return kafka.UUID{12: byte(drawn >> 24), 13: byte(drawn >> 16), 14: byte(drawn >> 8), 15: byte(drawn)}
	}}
	h := &host{t: t, env: env, now: time.UnixMilli(0), waits: make(map[shard.Ticket]bool), told: make(map[shard.Ticket]any)}
	h.g, h.loaded = New("g", env), New("g", &Env{Config: config, Alarms: shard.NewAlarms[Alarm]()})
	h.turn(func(t *shard.Turn) { t.Write(EmptyRecord("g", t.Now)) })
	return h
}

func (h *host) turn(step func(t *shard.Turn)) {
	t := shard.NewTurn(h.now, func(r shard.Record) { h.g.Replay(r.(schema.GroupRecord).Value.(*schema.GroupMetadataValue)) })
	step(t)
	for _, r := range t.Records() {
		b, _ := r.AppendValue(nil)
		h.trace.Write(b)
		v, _, err := schema.ParseGroupValue(2, b)
		if err != nil {
			h.t.Fatal(err)
		}
		h.loaded.Replay(v.(*schema.GroupMetadataValue))
	}
	for _, r := range t.Replies() {
		if !h.waits[r.To] {
			h.t.Fatalf("ticket %d is answered twice", r.To)
		}
		delete(h.waits, r.To)
		h.told[r.To] = r.Response
		h.trace.Write(r.Response.(kmsg.Response).AppendTo(nil))
	}
}

// ask sends a request and gives its answer, nil while it waits.
func (h *host) ask(send func(t *shard.Turn, ticket shard.Ticket)) any {
	h.last++
	ticket := h.last
	h.waits[ticket] = true
	h.turn(func(t *shard.Turn) { send(t, ticket) })
	return h.told[ticket]
}

// pass lets time pass, and whatever is due happen.
func (h *host) pass(d time.Duration, check func()) {
	end := h.now.Add(d)
	for next := h.env.Alarms.Next(); !next.IsZero() && !next.After(end); next = h.env.Alarms.Next() {
		if next.After(h.now) {
			h.now = next
		}
		if a, ok := h.env.Alarms.Due(h.now); ok {
			h.turn(func(t *shard.Turn) { h.g.Expire(t, a) })
			check()
		}
	}
	h.now = end
}

// client is somebody who may be a member.
type client struct {
	name     string
	instance *string
	id       string
	ticket   shard.Ticket
}

// listen takes what the client was told since.
func (c *client) listen(h *host) {
	switch r := h.told[c.ticket].(type) {
	case *kmsg.JoinGroupResponse:
		if r.ErrorCode == 0 || r.ErrorCode == kerr.MemberIDRequired.Code {
			c.id = r.MemberID
		}
		if r.ErrorCode == kerr.UnknownMemberID.Code || r.ErrorCode == kerr.FencedInstanceID.Code {
			c.id = ""
		}
	}
	delete(h.told, c.ticket)
}

// What no sequence of requests may break, looked at after each of them. Every walk ends with everybody silent: then nobody
// waits, nothing is due, and the group is empty.
func TestRandomWalks(t *testing.T) {
	steps := 400
	if testing.Short() {
		steps = 100
	}
	for seed := range uint64(150) {
		first := walk(t, seed, steps)
		if seed%10 == 0 && !bytes.Equal(first, walk(t, seed, steps)) {
			t.Fatalf("seed %d: the same requests give other bytes", seed)
		}
	}
}

func walk(t *testing.T, seed uint64, steps int) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	h := newHost(t, Config{
		MaxSize: 3 + r.IntN(6), InitialRebalanceDelay: time.Duration(r.IntN(3)) * time.Second, NewMemberTimeout: time.Minute,
		MinSession: 0, MaxSession: time.Hour,
	})
	clients := make([]*client, 8)
	for i := range clients {
		clients[i] = &client{name: fmt.Sprintf("c%d", i)}
		if i%3 == 0 {
			clients[i].instance = kmsg.StringPtr(fmt.Sprintf("i%d", i))
		}
	}
	generation := int32(0)
	check := func() {
		checkGroup(h)
		if h.g.generation < generation {
			t.Fatalf("seed %d: generation %d after %d", seed, h.g.generation, generation)
		}
		generation = h.g.generation
	}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d:\n%s", seed, h.g)
		}
	}()
	for range steps {
		c := clients[r.IntN(len(clients))]
		c.listen(h)
		act(h, r, c, check)
		check()
	}
	h.pass(time.Hour, check)
	if h.g.state != Empty || len(h.waits) > 0 || !h.env.Alarms.Next().IsZero() || len(h.g.pending) > 0 {
		t.Fatalf("seed %d: an hour of silence leaves %v, %d that wait", seed, h.g, len(h.waits))
	}
	return h.trace.Bytes()
}

// act lets a client do something, most often what a client would do next.
func act(h *host, r *rand.Rand, c *client, check func()) {
	g, odd := h.g, r.IntN(12) == 0
	id, generation := c.id, g.generation
	if odd {
		id, generation = []string{"", "x", c.id}[r.IntN(3)], generation-1
	}
	switch n := r.IntN(20); {
	case n < 7:
		c.ticket = h.last + 1
		h.ask(func(t *shard.Turn, ticket shard.Ticket) {
			g.Join(t, ticket, randomJoin(r, id, c.instance), shard.Client{ID: c.name})
		})
	case n < 12:
		c.ticket = h.last + 1
		req := &kmsg.SyncGroupRequest{Version: 5, Group: "g", MemberID: id, InstanceID: c.instance, Generation: generation}
		for m := range g.all() {
			if r.IntN(5) > 0 {
				req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: m.id, MemberAssignment: []byte(m.id)})
			}
		}
		h.ask(func(t *shard.Turn, ticket shard.Ticket) { g.Sync(t, ticket, req) })
	case n < 15:
		req := &kmsg.HeartbeatRequest{Version: 4, Group: "g", MemberID: id, InstanceID: c.instance, Generation: generation}
		h.ask(func(t *shard.Turn, ticket shard.Ticket) { g.Heartbeat(t, ticket, req) })
	case n < 16:
		req := &kmsg.LeaveGroupRequest{Version: int16(r.IntN(6)), Group: "g", MemberID: id}
		for range r.IntN(3) {
			req.Members = append(req.Members, kmsg.LeaveGroupRequestMember{MemberID: id, InstanceID: c.instance})
		}
		h.ask(func(t *shard.Turn, ticket shard.Ticket) { g.Leave(t, ticket, req) })
	case n < 17:
		h.turn(func(t *shard.Turn) {
			g.CheckCommit(t, &offsets.Committer{MemberID: id, InstanceID: c.instance, Epoch: generation, Transactional: odd})
		})
	default:
		h.pass(time.Duration(r.IntN(4000))*time.Millisecond, check)
	}
}

func randomJoin(r *rand.Rand, id string, instance *string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.ProtocolType = int16(r.IntN(10)), "g", id, instance, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(5000+r.IntN(10000)), int32(r.IntN(20000)*r.IntN(2))
	names := []string{"range", "sticky", "own"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+r.IntN(3)] {
		m := kmsg.NewConsumerMemberMetadata()
		m.Topics = []string{[]string{"t", "u"}[r.IntN(8)/7]}
		req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: name, Metadata: m.AppendTo(nil)})
	}
	if r.IntN(30) == 0 {
		req.ProtocolType = "other"
	}
	return req
}

func checkGroup(h *host) {
	h.t.Helper()
	g := h.g
	if err := g.broken(); err != "" {
		h.t.Fatalf("%s:\n%s", err, g)
	}
	waits := map[shard.Ticket]bool{}
	for m := range g.all() {
		for _, w := range []waiting{m.join, m.sync} {
			if w.on {
				waits[w.ticket] = true
			}
		}
		if !g.env.Alarms.Has(g.session(m.id)) && !m.join.on && !m.sync.on {
			h.t.Fatalf("%s has no session:\n%s", m.id, g)
		}
	}
	if !maps.Equal(waits, h.waits) {
		h.t.Fatalf("%v wait, %v are unanswered:\n%s", waits, h.waits, g)
	}
	if got := g.env.Alarms.Has(Alarm{Group: g.id, Kind: JoinEnd}); got != (g.state == PreparingRebalance) {
		h.t.Fatalf("an end of the joining: %v\n%s", got, g)
	}
	if got := g.env.Alarms.Has(Alarm{Group: g.id, Kind: SyncEnd}); got != (g.unsynced > 0) {
		h.t.Fatalf("an end of the syncing: %v\n%s", got, g)
	}
	if g.state == Stable || g.state == Empty {
		a, _ := g.record(g.generation).AppendValue(nil)
		b, _ := h.loaded.record(h.loaded.generation).AppendValue(nil)
		if !bytes.Equal(a, b) || h.loaded.state != g.state || !maps.Equal(h.loaded.topics, g.topics) {
			h.t.Fatalf("the log has\n%s\nwant\n%s", h.loaded, g)
		}
	}
	if err := h.loaded.broken(); err != "" {
		h.t.Fatalf("as loaded, %s:\n%s", err, h.loaded)
	}
}

// broken says which invariant of its own a group breaks.
func (g *Group) broken() string {
	joining, unsynced, supported := 0, 0, map[string]int{}
	ids := map[string]bool{}
	for m := range g.all() {
		ids[m.id] = true
		switch {
		case g.members[m.id] != m:
			return m.id + " is in the order and no member"
		case m.instance != nil && g.static[*m.instance] != m:
			return m.id + " is not at its instance id"
		case m.join.on && g.state != PreparingRebalance:
			return m.id + " waits in join"
		case m.sync.on && g.state != CompletingRebalance:
			return m.id + " waits in sync"
		case m.unsynced && g.state != CompletingRebalance && g.state != Stable:
			return m.id + " is to sync"
		}
		if m.join.on {
			joining++
		}
		if m.unsynced {
			unsynced++
		}
		for _, p := range m.protocols {
			supported[p.name]++
		}
	}
	switch all := len(g.members); {
	case len(ids) != all:
		return "the order lacks members"
	case joining != g.joining, unsynced != g.unsynced, !maps.Equal(supported, g.supported):
		return "counted wrongly"
	case (all == 0) != (g.leader == ""), all > 0 && g.members[g.leader] == nil:
		return "no member leads"
	case g.state == Empty && all > 0, (g.state == Stable || g.state == CompletingRebalance) && all == 0:
		return "the state is not that of the members"
	case all > 0 && !slices.Contains(slices.Collect(maps.Values(supported)), all):
		return "no protocol is offered by all"
	case all == 0 && len(g.static) > 0:
		return "instance ids of no member"
	case len(g.order) > 2*all+1:
		return "the order is too long"
	}
	return ""
}

// A group of 10,000: no request costs what the group is long, and leaving takes no longer at the end than at the beginning.
func TestLargeGroup(t *testing.T) {
	const n = 10_000
	h := newHost(t, Config{MaxSize: n, MaxSession: time.Hour, NewMemberTimeout: time.Hour})
	metadata := kmsg.NewConsumerMemberMetadata()
	metadata.Topics = []string{"t"}
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = &client{name: fmt.Sprintf("c%d", i), ticket: shard.Ticket(i + 1)}
		h.ask(func(t *shard.Turn, ticket shard.Ticket) {
			req := kmsg.NewPtrJoinGroupRequest()
			req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = "g", "consumer", 10_000, 60_000
			req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: metadata.AppendTo(nil)}}
			h.g.Join(t, ticket, req, shard.Client{ID: clients[i].name})
		})
	}
	h.pass(0, func() {})
	sync := &kmsg.SyncGroupRequest{Group: "g", Generation: 1}
	for _, c := range clients {
		c.listen(h)
		sync.GroupAssignment = append(sync.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: c.id, MemberAssignment: make([]byte, 20)})
	}
	for i := range clients {
		own := &kmsg.SyncGroupRequest{Group: "g", Generation: 1, MemberID: clients[n-1-i].id}
		if i == n-1 {
			own.GroupAssignment = sync.GroupAssignment
		}
		h.ask(func(t *shard.Turn, ticket shard.Ticket) { h.g.Sync(t, ticket, own) })
	}
	checkGroup(h)
	if h.g.state != Stable {
		t.Fatalf("%s", strings.SplitN(h.g.String(), "\n", 2)[0])
	}
	beat := &kmsg.HeartbeatRequest{Group: "g", Generation: 1, MemberID: clients[n/2].id}
	// A map's growth aside, a heartbeat allocates its answer, its turn, and nothing else.
	if allocs := testing.AllocsPerRun(100, func() {
		turn := shard.NewTurn(h.now, nil)
		h.g.Heartbeat(turn, 1, beat)
	}); allocs > 4 {
		t.Errorf("a heartbeat allocates %v times", allocs)
	}
	for _, c := range clients {
		h.ask(func(t *shard.Turn, ticket shard.Ticket) {
			h.g.Leave(t, ticket, &kmsg.LeaveGroupRequest{Group: "g", MemberID: c.id})
		})
	}
	checkGroup(h)
	if h.g.state != Empty {
		t.Fatal(h.g)
	}
}

// The winners are those of Apache Kafka 4.4.0 when one member prefers each.
func TestEqualVotes(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		g := newHost(t, Config{}).g
		for i, name := range names {
			m := &member{id: name, protocols: []protocol{{name: name}}}
			for _, other := range slices.Delete(slices.Clone(names), i, i+1) {
				m.protocols = append(m.protocols, protocol{name: other})
			}
			g.add(m)
		}
		if got := g.vote(); got != want {
			t.Errorf("%q is chosen of %q, want %q", got, names, want)
		}
	}
	f("sticky", "range", "sticky")
	f("sticky", "sticky", "range")
}
