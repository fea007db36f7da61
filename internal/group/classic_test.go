package group

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// The scenarios of testdata/classic are requests in words, and under each the records and the answers that it leads to, those
// of requests that waited as well. Run with -rewrite after a change that is meant. A member is named by its client id; the
// ids that it is given are printed as A#1. A request has the newest version and the generation of the group unless it
// says another; a member sends the id that it was told last.
//
//	config max=2 delay=3s
//	join A [id=A#1] [instance=a] [v=4] [session=10s] [rebalance=60s] [type=consumer] [offers=range(t1/t2);own=text]
//	sync A [id=A#1] [gen=1] [A#1=text …] [type=consumer] [protocol=range]
//	heartbeat A [id=A#1] [gen=1]
//	leave A#1 instance/a A#1/a …
//	commit A [id=A#1] [gen=1] [txn]
//	tick 3s          time passes; what is due is done, at its time
//	show             the group
//	describe         the group as DescribeGroups tells it
//	restart          the shard is loaded from its log
func TestClassicScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/classic", func(t *testing.T, path string) {
		w := newClassicWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t = t
			w.out.Reset()
			w.run(d)
			w.check()
			if w.out.Len() == 0 {
				return "nothing\n"
			}
			return shortIDs.ReplaceAllString(w.out.String(), "#$1")
		})
	})
}

var (
	shortIDs = regexp.MustCompile(`-0{8}-0{4}-0{4}-0{4}-0{11}(\d)`)
	longIDs  = regexp.MustCompile(`#(\d)`)
)

func longID(s string) string {
	return longIDs.ReplaceAllString(s, "-00000000-0000-0000-0000-00000000000$1")
}

// classicWorld drives a shard as a coordinator does, without a log.
type classicWorld struct {
	t       *testing.T
	s       *Shard
	config  Config
	now     time.Time
	out     strings.Builder
	log     [][2][]byte
	tickets map[shard.Ticket]string
	ids     map[string]string // by client id, what it was told
}

func newClassicWorld(t *testing.T) *classicWorld {
	w := &classicWorld{
		t: t, now: time.UnixMilli(0), tickets: make(map[shard.Ticket]string), ids: make(map[string]string),
	}
	drawn := byte(0)
	w.config = Config{
		NewID:   func() kafka.UUID { drawn++; return kafka.UUID{15: drawn} },
		Offsets: offsets.Config{Retention: 7 * 24 * time.Hour, RetentionCheck: 24 * time.Hour},
		Classic: classic.Config{
			MaxSize: 100, InitialRebalanceDelay: 3 * time.Second, NewMemberTimeout: 5 * time.Minute, MinSession: 6 * time.Second, MaxSession: 30 * time.Minute,
		},
	}
	w.s = NewShard(w.config)
	return w
}

// turn runs one step and prints what comes of it.
func (w *classicWorld) turn(room int, step func(t *shard.Turn)) {
	t := shard.NewTurn(w.now, func(r shard.Record) {
		if err := w.s.Replay(0, r); err != nil {
			w.t.Fatal(err)
		}
	})
	t.Room = room
	step(t)
	for _, r := range t.Records() {
		w.record(r.(schema.GroupRecord))
	}
	for _, r := range t.Replies() {
		name, waits := w.tickets[r.To]
		if !waits {
			w.t.Fatalf("ticket %d is answered twice", r.To)
		}
		delete(w.tickets, r.To)
		fmt.Fprintf(&w.out, "%s ← %s\n", name, w.answer(name, r.Response))
	}
}

func (w *classicWorld) record(r schema.GroupRecord) {
	value, ok := r.AppendValue(nil)
	if !ok {
		value = nil
	}
	w.log = append(w.log, [2][]byte{r.AppendKey(nil), value})
	v, ok := r.Value.(*schema.GroupMetadataValue)
	if !ok {
		fmt.Fprintf(&w.out, "tombstone\n")
		return
	}
	fmt.Fprintf(&w.out, "record v%d %q generation %d protocol %s leader %s at %v\n",
		r.Version, v.ProtocolType, v.Generation, text(v.Protocol), text(v.Leader), time.Duration(v.CurrentStateTimestamp)*time.Millisecond)
	for _, m := range v.Members {
		fmt.Fprintf(&w.out, "  %s instance %s %s%s %d/%d ms %s assigned %q\n", m.MemberID, text(m.GroupInstanceID), m.ClientID, m.ClientHost,
			m.SessionTimeout, m.RebalanceTimeout, subscription(m.Subscription), m.Assignment)
	}
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return strconv.Quote(*s)
}

// subscription prints metadata of a consumer as its topics, and any other as it is.
func subscription(b []byte) string {
	var m kmsg.ConsumerMemberMetadata
	if err := m.ReadFrom(b); err != nil {
		return strconv.Quote(string(b))
	}
	return fmt.Sprint(m.Topics)
}

func code(n int16) string {
	if err := kerr.TypedErrorForCode(n); err != nil {
		return err.Message
	}
	return "ok"
}

// answer prints a response, with all that is not zero.
func (w *classicWorld) answer(name string, response any) string {
	switch r := response.(type) {
	case *kmsg.JoinGroupResponse:
		if r.ErrorCode == 0 || r.ErrorCode == kerr.MemberIDRequired.Code {
			w.ids[name] = r.MemberID
		}
		s := fmt.Sprintf("%s id %q generation %d type %s protocol %s leader %q", code(r.ErrorCode), r.MemberID, r.Generation,
			text(r.ProtocolType), text(r.Protocol), r.LeaderID)
		if r.SkipAssignment {
			s += " skip"
		}
		for _, m := range r.Members {
			s += fmt.Sprintf("\n     %s instance %s %s", m.MemberID, text(m.InstanceID), subscription(m.ProtocolMetadata))
		}
		return s
	case *kmsg.SyncGroupResponse:
		if r.ErrorCode != 0 {
			return fmt.Sprintf("%s type %s protocol %s", code(r.ErrorCode), text(r.ProtocolType), text(r.Protocol))
		}
		return fmt.Sprintf("ok type %s protocol %s assigned %q", text(r.ProtocolType), text(r.Protocol), r.MemberAssignment)
	case *kmsg.HeartbeatResponse:
		return code(r.ErrorCode)
	case *kmsg.LeaveGroupResponse:
		s := code(r.ErrorCode)
		for _, m := range r.Members {
			s += fmt.Sprintf("\n     %q instance %s %s", m.MemberID, text(m.InstanceID), code(m.ErrorCode))
		}
		return s
	case []kmsg.DescribeGroupsResponseGroup:
		s := fmt.Sprintf("%s type %q protocol %q", r[0].State, r[0].ProtocolType, r[0].Protocol)
		for _, m := range r[0].Members {
			s += fmt.Sprintf("\n     %s instance %s %s%s %s assigned %q", m.MemberID, text(m.InstanceID), m.ClientID, m.ClientHost,
				subscription(m.ProtocolMetadata), m.MemberAssignment)
		}
		return s
	}
	return fmt.Sprintf("%T", response)
}

// check loads the log into another shard: what is not in the middle of a rebalance is the same there.
func (w *classicWorld) check() {
	loaded := w.load()
	if got, want := slices.Sorted(maps.Keys(loaded.groups)), slices.Sorted(maps.Keys(w.s.groups)); !slices.Equal(got, want) {
		w.t.Fatalf("the log has groups %q, want %q", got, want)
	}
	for id, g := range w.s.groups {
		live := g.(*classic.Group)
		if state := live.State(); state != "Stable" && state != "Empty" {
			continue
		}
		got, want := loaded.groups[id].(*classic.Group).Describe(), live.Describe()
		if a, b := w.answer("", []kmsg.DescribeGroupsResponseGroup{got}), w.answer("", []kmsg.DescribeGroupsResponseGroup{want}); a != b {
			w.t.Fatalf("loading the log gives\n%s\nwant\n%s", a, b)
		}
	}
}

func (w *classicWorld) load() *Shard {
	s := NewShard(w.config)
	for i, r := range w.log {
		record, err := s.Parse(r[0], r[1])
		if err != nil {
			w.t.Fatal(err)
		}
		if err := s.Replay(kafka.Offset(i), record); err != nil {
			w.t.Fatal(err)
		}
		if again := record.AppendKey(nil); !bytes.Equal(again, r[0]) {
			w.t.Fatalf("key %x is %x when written again", r[0], again)
		}
	}
	return s
}

// handle sends one request.
func (w *classicWorld) handle(d *datadriven.TestData, name string, cmd any) {
	ticket := shard.Ticket(len(w.log)*1000 + len(w.tickets) + 1)
	for w.tickets[ticket] != "" {
		ticket++
	}
	w.tickets[ticket] = name
	room := 0
	d.MaybeScanArgs(w.t, "room", &room)
	w.turn(room, func(t *shard.Turn) { w.s.Handle(t, ticket, cmd) })
}

func (w *classicWorld) run(d *datadriven.TestData) {
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "config":
		d.MaybeScanArgs(w.t, "max", &w.config.Classic.MaxSize)
		if delay := arg(d, "delay"); delay != nil {
			w.config.Classic.InitialRebalanceDelay, _ = time.ParseDuration(*delay)
		}
		w.restart()
	case "join":
		w.join(d, name)
	case "sync":
		w.sync(d, name)
	case "heartbeat":
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.Version = "g", 4
		req.MemberID, req.InstanceID, req.Generation = w.id(d, name), arg(d, "instance"), w.generation(d)
		scan(d, "group", &req.Group)
		w.handle(d, name, Heartbeat{req})
	case "leave":
		w.leave(d)
	case "commit":
		c := &offsets.Committer{MemberID: w.id(d, name), InstanceID: arg(d, "instance"), Epoch: w.generation(d), Transactional: d.HasArg("txn")}
		w.turn(0, func(t *shard.Turn) {
			answer := "ok"
			if e := w.s.groups["g"].CheckCommit(t, c); e != nil {
				answer = e.Message
			}
			fmt.Fprintf(&w.out, "%s ← %s\n", name, answer)
		})
	case "tick":
		w.tick(name)
	case "restart":
		w.restart()
	case "describe":
		w.handle(d, "describe", DescribeGroups{GroupIDs: []string{"g"}})
	case "subscribed":
		for _, a := range d.CmdArgs {
			fmt.Fprintf(&w.out, "%s %v\n", a.Key, w.s.groups["g"].SubscribedTo(a.Key))
		}
	case "offsets":
		at, expire := w.s.groups["g"].OffsetsAgeFrom()
		fmt.Fprintf(&w.out, "expire %v from %v\n", expire, max(-1, at.UnixMilli()))
		fmt.Fprintf(&w.out, "delete offsets: %v, delete: %v\n", w.s.groups["g"].CheckDeleteOffsets(), w.s.groups["g"].CheckDelete())
	case "delete":
		w.turn(0, func(t *shard.Turn) { w.s.groups["g"].Delete(t) })
	case "show":
		if g, ok := w.s.groups["g"]; ok {
			fmt.Fprint(&w.out, g)
		}
		for _, name := range slices.Sorted(maps.Values(w.tickets)) {
			fmt.Fprintf(&w.out, "%s waits\n", name)
		}
	default:
		w.t.Fatalf("unknown command %q", d.Cmd)
	}
}

func (w *classicWorld) restart() {
	w.s = w.load()
	clear(w.tickets)
	w.turn(0, func(t *shard.Turn) { w.s.Loaded(t, metadata.Empty()) })
}

func (w *classicWorld) tick(by string) {
	d, err := time.ParseDuration(by)
	if err != nil {
		w.t.Fatal(err)
	}
	end := w.now.Add(d)
	for {
		next := w.s.Deadline()
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(w.now) {
			w.now = next
		}
		before := w.out.Len()
		w.turn(0, w.s.Expire)
		if w.out.Len() > before {
			fmt.Fprintf(&w.out, "  at %v\n", w.now.Sub(time.UnixMilli(0)))
		}
	}
	w.now = end
}

// arg is what follows "name=", nil without it.
func arg(d *datadriven.TestData, name string) *string {
	for _, a := range d.CmdArgs {
		if a.Key == name && len(a.Vals) > 0 {
			return &a.Vals[0]
		}
	}
	return nil
}

// scan sets text where an argument says another.
func scan(d *datadriven.TestData, name string, text *string) {
	if s := arg(d, name); s != nil {
		*text = *s
	}
}

func (w *classicWorld) id(d *datadriven.TestData, name string) string {
	if id := arg(d, "id"); id != nil {
		return longID(*id)
	}
	return w.ids[name]
}

func (w *classicWorld) generation(d *datadriven.TestData) int32 {
	n := int32(-1)
	if g, ok := w.s.groups["g"]; ok {
		fmt.Sscanf(g.(*classic.Group).String(), "g "+g.State()+" generation %d", &n)
	}
	d.MaybeScanArgs(w.t, "gen", &n)
	return n
}

func (w *classicWorld) join(d *datadriven.TestData, name string) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.Version, req.ProtocolType = "g", 9, "consumer"
	req.MemberID, req.InstanceID = w.id(d, name), arg(d, "instance")
	session, rebalance, offers := 10*time.Second, 60*time.Second, "range(t)"
	for name, value := range map[string]*time.Duration{"session": &session, "rebalance": &rebalance} {
		if s := arg(d, name); s != nil {
			*value, _ = time.ParseDuration(*s)
		}
	}
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(session.Milliseconds()), int32(rebalance.Milliseconds())
	d.MaybeScanArgs(w.t, "v", &req.Version)
	scan(d, "type", &req.ProtocolType)
	scan(d, "group", &req.Group)
	scan(d, "offers", &offers)
	for _, offer := range strings.Split(offers, ";") {
		if offer != "" {
			req.Protocols = append(req.Protocols, protocolOf(offer))
		}
	}
	w.handle(d, name, JoinGroup{req, shard.Client{ID: name, Host: "/host"}})
}

// protocolOf reads "range(t1/t2)", a consumer's subscription, or "own=text".
func protocolOf(s string) kmsg.JoinGroupRequestProtocol {
	p := kmsg.NewJoinGroupRequestProtocol()
	if name, topics, ok := strings.Cut(strings.TrimSuffix(s, ")"), "("); ok {
		m := kmsg.NewConsumerMemberMetadata()
		m.Topics = strings.Split(topics, "/")
		p.Name, p.Metadata = name, m.AppendTo(nil)
		return p
	}
	name, data, _ := strings.Cut(s, "=")
	p.Name, p.Metadata = name, []byte(data)
	return p
}

func (w *classicWorld) sync(d *datadriven.TestData, name string) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.Version, req.ProtocolType, req.Protocol = "g", 5, kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	req.MemberID, req.InstanceID, req.Generation = w.id(d, name), arg(d, "instance"), w.generation(d)
	d.MaybeScanArgs(w.t, "v", &req.Version)
	scan(d, "group", &req.Group)
	if p := arg(d, "protocol"); p != nil {
		req.Protocol = p
	}
	if p := arg(d, "type"); p != nil {
		req.ProtocolType = p
	}
	if d.HasArg("untold") {
		req.Protocol, req.ProtocolType = nil, nil
	}
	for _, a := range d.CmdArgs[1:] {
		if strings.Contains(a.Key, "#") {
			req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{
				MemberID: longID(a.Key), MemberAssignment: []byte(a.Vals[0]),
			})
		}
	}
	w.handle(d, name, SyncGroup{req})
}

func (w *classicWorld) leave(d *datadriven.TestData) {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.Version = "g", 5
	d.MaybeScanArgs(w.t, "v", &req.Version)
	scan(d, "group", &req.Group)
	for _, a := range d.CmdArgs {
		if a.Key == "v" || a.Key == "group" {
			continue
		}
		id, instance, static := strings.Cut(a.Key, "/")
		m := kmsg.NewLeaveGroupRequestMember()
		m.MemberID, req.MemberID = longID(id), longID(id)
		if id == "instance" {
			m.MemberID = ""
		}
		if static {
			m.InstanceID = &instance
		}
		req.Members = append(req.Members, m)
	}
	w.handle(d, "leave", LeaveGroup{req})
}
