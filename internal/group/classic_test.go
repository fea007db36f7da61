package group

import (
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
			return shortIDs.ReplaceAllString(w.said(), "#$1")
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

// classicWorld is a shard with classic groups.
type classicWorld struct {
	world
	ids map[string]string // by client id, what it was told
}

func newClassicWorld(t *testing.T) *classicWorld {
	w := &classicWorld{world: newWorld(t, time.UnixMilli(0)), ids: make(map[string]string)}
	w.wrote, w.answered = w.record, func(name string, response any) { w.printf("%s ← %s\n", name, w.answer(name, response)) }
	w.config = Config{
		NewID:   drawIDs(),
		Offsets: offsets.Config{Retention: 7 * 24 * time.Hour, RetentionCheck: 24 * time.Hour},
		Classic: classic.Config{
			MaxSize: 100, InitialRebalanceDelay: 3 * time.Second, NewMemberTimeout: 5 * time.Minute, MinSession: 6 * time.Second, MaxSession: 30 * time.Minute,
		},
	}
	w.begin()
	return w
}

func (w *classicWorld) record(r schema.GroupRecord) {
	v, ok := r.Value.(*schema.GroupMetadataValue)
	if !ok {
		w.printf("tombstone\n")
		return
	}
	w.printf("record v%d %q generation %d protocol %s leader %s at %v\n",
		r.Version, v.ProtocolType, v.Generation, text(v.Protocol), text(v.Leader), time.Duration(v.CurrentStateTimestamp)*time.Millisecond)
	for _, m := range v.Members {
		w.printf("  %s instance %s %s%s %d/%d ms %s assigned %q\n", m.MemberID, text(m.GroupInstanceID), m.ClientID, m.ClientHost,
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

// handle sends one request.
func (w *classicWorld) handle(d *datadriven.TestData, name string, cmd any) {
	room := 0
	w.scanArgs(d, "room", &room)
	w.ask(room, name, cmd)
}

func (w *classicWorld) run(d *datadriven.TestData) {
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "config":
		w.scanArgs(d, "max", &w.config.Classic.MaxSize)
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
			w.printf("%s ← %s\n", name, answer)
		})
	case "tick":
		w.tick(name)
	case "restart":
		w.restart()
	case "describe":
		w.handle(d, "describe", DescribeGroups{GroupIDs: []string{"g"}})
	case "subscribed":
		for _, a := range d.CmdArgs {
			w.printf("%s %v\n", a.Key, w.s.groups["g"].SubscribedTo(a.Key))
		}
	case "offsets":
		at, expire := w.s.groups["g"].OffsetsAgeFrom()
		w.printf("expire %v from %v\n", expire, max(-1, at.UnixMilli()))
		w.printf("delete offsets: %v, delete: %v\n", w.s.groups["g"].CheckDeleteOffsets(), w.s.groups["g"].CheckDelete())
	case "delete":
		w.turn(0, func(t *shard.Turn) { w.s.groups["g"].Delete(t) })
	case "show":
		if g, ok := w.s.groups["g"]; ok {
			fmt.Fprint(&w.out, g)
		}
		for _, name := range slices.Sorted(maps.Values(w.tickets)) {
			w.printf("%s waits\n", name)
		}
	default:
		w.t.Fatalf("unknown command %q", d.Cmd)
	}
}

// tick lets time pass, and prints when something came of it.
func (w *classicWorld) tick(by string) {
	w.pass(w.duration(by), func() {
		before := w.out.Len()
		w.turn(0, w.s.Expire)
		if w.out.Len() > before {
			w.printf("  at %v\n", w.now.Sub(time.UnixMilli(0)))
		}
	})
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
	w.scanArgs(d, "gen", &n)
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
	w.scanArgs(d, "v", &req.Version)
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
	w.scanArgs(d, "v", &req.Version)
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
	w.scanArgs(d, "v", &req.Version)
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
