package group

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// The scenarios of testdata/modern are requests in words, and under each the records and the answers that it leads to. Run
// with -rewrite after a change that is meant. A member is named by its id; it sends the epoch that it was told last unless the
// line says another. Partitions are written topic-number, with @epoch where it was given in one.
//
//	config max=2 interval=1s policy=disabled heartbeat=7s          begins anew
//	topics a=3 b=2 c=0                 makes, grows and deletes (0) topics
//	join A topics=a/b [regex=x] [instance=i] [rack=r] [assignor=range] [rebalance=60s] [epoch=0] [own=a-0/a-1] [v=1]
//	beat A [the same]                  a heartbeat, which says only what the line does
//	leave A [instance=i]; away A instance=i
//	join+ A topics=a [instance=i] [id=A] [session=10s] [protocols=range/sticky] [own=a-0] [v=5]    the classic protocol
//	sync+ A; beat+ A [epoch=2]; leave+ A … instance/i
//	commit A a-0 [epoch=2] [v=9]; fetch A [epoch=2]
//	tick 5s                            time passes; what is due is done, at its time
//	show; describe; classic            the group; as ConsumerGroupDescribe and as DescribeGroups tell it
//	restart                            the shard is loaded from its log
func TestModernScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/modern", func(t *testing.T, path string) {
		w := newModernWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t = t
			w.out.Reset()
			w.run(d)
			w.check()
			return w.said()
		})
	})
}

// modernWorld is a shard with consumer groups.
type modernWorld struct {
	world
	epochs  map[string]int32 // by member, as it was told
	answers map[string]any   // the newest of each member
	ids     map[string]string
	times   modern.Times // of all groups
}

func newModernWorld(t testing.TB) *modernWorld {
	w := &modernWorld{
		world:  newWorld(t, time.UnixMilli(1_000_000)),
		epochs: make(map[string]int32), answers: make(map[string]any), ids: make(map[string]string),
	}
	w.wrote = func(r schema.GroupRecord) { w.printf("%s\n", w.record(r)) }
	w.answered = func(name string, response any) {
		w.answers[name] = response
		w.printf("%s ← %s\n", name, w.answer(name, response))
	}
	w.times = modern.Times{Session: 45 * time.Second, Heartbeat: 5 * time.Second}
	w.config = Config{
		NewID: drawIDs(),
		Classic: classic.Config{
			MaxSize: 100, MinSession: 6 * time.Second, MaxSession: 30 * time.Minute, NewMemberTimeout: 5 * time.Minute,
			UpgradeToModern: true, DowngradeFromModern: true,
		},
		Modern: modern.Config{
			MaxSize: 100, Assignors: []string{"uniform", "range"}, RegexRefresh: 10 * time.Minute,
		},
		Times:   func(string) modern.Times { return w.times },
		Offsets: offsets.Config{MaxMetadata: 4096, Retention: 7 * 24 * time.Hour, RetentionCheck: 10 * time.Minute},
	}
	w.begin()
	return w
}

func (w *modernWorld) handle(name string, cmd any) { w.ask(0, name, cmd) }

func (w *modernWorld) record(r schema.GroupRecord) string {
	what, member := "", ""
	switch key := r.Key.(type) {
	case *schema.ConsumerGroupMetadataKey:
		what = "epoch"
	case *schema.ConsumerGroupPartitionMetadataKey:
		what = "old topics"
	case *schema.ConsumerGroupMemberMetadataKey:
		what, member = "member", key.MemberID
	case *schema.ConsumerGroupTargetAssignmentMetadataKey:
		what = "assigned"
	case *schema.ConsumerGroupTargetAssignmentMemberKey:
		what, member = "target of", key.MemberID
	case *schema.ConsumerGroupCurrentMemberAssignmentKey:
		what, member = "current of", key.MemberID
	case *schema.ConsumerGroupRegularExpressionKey:
		what, member = "regex", key.RegularExpression
	case *schema.GroupMetadataKey:
		what = "classic group"
	}
	what = strings.TrimSpace(what + " " + member)
	switch v := r.Value.(type) {
	case nil:
		return "- " + what
	case *schema.ConsumerGroupMetadataValue:
		return fmt.Sprintf("+ %s %d hash %x", what, v.Epoch, uint64(v.MetadataHash))
	case *schema.ConsumerGroupMemberMetadataValue:
		return "+ " + what
	case *schema.ConsumerGroupTargetAssignmentMetadataValue:
		return fmt.Sprintf("+ %s %d at %d", what, v.AssignmentEpoch, v.AssignmentTimestamp)
	case *schema.ConsumerGroupTargetAssignmentMemberValue:
		var words []string
		for _, topic := range v.TopicPartitions {
			words = append(words, w.partitions(topic.TopicID, topic.Partitions))
		}
		return fmt.Sprintf("+ %s %v", what, words)
	case *schema.ConsumerGroupCurrentMemberAssignmentValue:
		return fmt.Sprintf("+ %s: %s", what, w.current(v))
	case *schema.ConsumerGroupRegularExpressionValue:
		return fmt.Sprintf("+ %s: %v as of %d at %d", what, v.Topics, v.Version, v.Timestamp)
	case *schema.GroupMetadataValue:
		s := fmt.Sprintf("+ %s %q generation %d protocol %s leader %s", what, v.ProtocolType, v.Generation, w.text(v.Protocol), w.text(v.Leader))
		for _, m := range v.Members {
			s += fmt.Sprintf("\n    %s instance %s session %d rebalance %d assigned %s", m.MemberID, w.text(m.GroupInstanceID),
				m.SessionTimeout, m.RebalanceTimeout, w.assignment(m.Assignment))
		}
		return s
	}
	return fmt.Sprintf("%T", r.Value)
}

func (w *modernWorld) current(v *schema.ConsumerGroupCurrentMemberAssignmentValue) string {
	states := map[int8]string{0: "stable", 1: "unrevoked", 2: "unreleased"}
	s := fmt.Sprintf("epoch %d<%d %s", v.MemberEpoch, v.PreviousMemberEpoch, cmp.Or(states[v.State], "unknown"))
	for i, list := range [][]schema.CurrentTopicPartitions{v.AssignedPartitions, v.PartitionsPendingRevocation} {
		s += []string{" has", " revokes"}[i]
		for _, p := range list {
			for j := range p.Partitions {
				s += fmt.Sprintf(" %s@%d", w.partitions(p.TopicID, p.Partitions[j:j+1]), p.AssignmentEpochs[j])
			}
		}
	}
	return s
}

func (w *modernWorld) partitions(id kafka.TopicID, partitions []int32) string {
	name := "topic" + strconv.Itoa(int(id[14])<<8+int(id[15]))
	if topic := w.image.Topics.ByID(id); topic != nil {
		name = topic.Name
	}
	var words []string
	for _, p := range partitions {
		words = append(words, fmt.Sprintf("%s-%d", name, p))
	}
	return strings.Join(words, " ")
}

func (w *modernWorld) text(s *string) string {
	if s == nil {
		return "null"
	}
	return strconv.Quote(*s)
}

func (w *modernWorld) assignment(b []byte) string {
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(b); err != nil {
		return strconv.Quote(string(b))
	}
	s := fmt.Sprintf("v%d", a.Version)
	for _, topic := range a.Topics {
		s += fmt.Sprintf(" %s%v", topic.Topic, topic.Partitions)
	}
	return s
}

// outcome prints an error code, and what the answer says of it.
func (w *modernWorld) outcome(code int16, message *string) string {
	err := kerr.TypedErrorForCode(code)
	switch {
	case err == nil:
		return "ok"
	case message == nil:
		return err.Message
	}
	return err.Message + ": " + *message
}

func (w *modernWorld) answer(name string, response any) string {
	switch r := response.(type) {
	case *kmsg.ConsumerGroupHeartbeatResponse:
		if r.ErrorCode != 0 {
			return w.outcome(r.ErrorCode, r.ErrorMessage)
		}
		w.epochs[name] = r.MemberEpoch
		s := fmt.Sprintf("%s epoch %d", *r.MemberID, r.MemberEpoch)
		if r.HeartbeatIntervalMillis != 5000 {
			s += fmt.Sprintf(" interval %d", r.HeartbeatIntervalMillis)
		}
		if r.Assignment != nil {
			s += " assigned"
			for _, topic := range r.Assignment.Topics {
				s += " " + w.partitions(topic.TopicID, topic.Partitions)
			}
		}
		return s
	case *kmsg.JoinGroupResponse:
		w.ids[name], w.epochs[name] = r.MemberID, r.Generation
		return fmt.Sprintf("%s id %q generation %d type %s protocol %s leader %q skip %v members %d", w.outcome(r.ErrorCode, nil),
			r.MemberID, r.Generation, w.text(r.ProtocolType), w.text(r.Protocol), r.LeaderID, r.SkipAssignment, len(r.Members))
	case *kmsg.SyncGroupResponse:
		return fmt.Sprintf("%s type %s protocol %s assigned %s", w.outcome(r.ErrorCode, nil), w.text(r.ProtocolType), w.text(r.Protocol),
			w.assignment(r.MemberAssignment))
	case *kmsg.HeartbeatResponse:
		return w.outcome(r.ErrorCode, nil)
	case *kmsg.LeaveGroupResponse:
		s := w.outcome(r.ErrorCode, nil)
		for _, m := range r.Members {
			s += fmt.Sprintf("\n     %q instance %s %s", m.MemberID, w.text(m.InstanceID), w.outcome(m.ErrorCode, nil))
		}
		return s
	case *kmsg.OffsetCommitResponse:
		return w.outcome(r.Topics[0].Partitions[0].ErrorCode, nil)
	case *kmsg.OffsetFetchResponseGroup:
		return w.outcome(r.ErrorCode, nil)
	case []kmsg.ConsumerGroupDescribeResponseGroup:
		return w.describeConsumer(&r[0])
	case []kmsg.DescribeGroupsResponseGroup:
		s := fmt.Sprintf("%s %s type %q protocol %q", w.outcome(r[0].ErrorCode, r[0].ErrorMessage), r[0].State, r[0].ProtocolType, r[0].Protocol)
		for _, m := range r[0].Members {
			s += fmt.Sprintf("\n     %s instance %s assigned %s", m.MemberID, w.text(m.InstanceID), w.assignment(m.MemberAssignment))
		}
		return s
	}
	return fmt.Sprintf("%T", response)
}

func (w *modernWorld) describeConsumer(g *kmsg.ConsumerGroupDescribeResponseGroup) string {
	if g.ErrorCode != 0 {
		return w.outcome(g.ErrorCode, g.ErrorMessage)
	}
	s := fmt.Sprintf("%s epoch %d assigned %d by %s", g.State, g.Epoch, g.AssignmentEpoch, g.AssignorName)
	list := func(a kmsg.Assignment) (s string) {
		for _, topic := range a.TopicPartitions {
			s += fmt.Sprintf(" %s%v", topic.Topic, topic.Partitions)
		}
		return s
	}
	for _, m := range g.Members {
		s += fmt.Sprintf("\n     %s type %d epoch %d instance %s rack %s %s%s %v regex %s has%s target%s", m.MemberID, m.MemberType, m.MemberEpoch,
			w.text(m.InstanceID), w.text(m.RackID), m.ClientID, m.ClientHost, m.SubscribedTopics, w.text(m.SubscribedTopicRegex),
			list(m.Assignment), list(m.TargetAssignment))
	}
	return s
}

// check loads the log into another shard, which must know the same, and holds that nothing is owned twice.
func (w *modernWorld) check() {
	w.t.Helper()
	loaded := w.load()
	for id, g := range w.s.groups {
		live, ok := g.(*modern.Group)
		if !ok {
			continue
		}
		again, ok := loaded.groups[id].(*modern.Group)
		if !ok || again.String() != live.String() {
			w.t.Fatalf("loading the log gives\n%v\nwant\n%v", loaded.groups[id], live)
		}
		if err := live.Verify(); err != nil {
			w.t.Fatalf("%v\n%v", err, live)
		}
		if err := again.Verify(); err != nil {
			w.t.Fatalf("loaded: %v\n%v", err, again)
		}
	}
}

// setTopics makes, grows or (0) deletes topics: the id of a topic tells the image that brought it.
func (w *modernWorld) setTopics(sizes map[string]int) {
	delta := metadata.NewDelta(w.image)
	replay := func(r schema.MetadataRecord) {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, name := range slices.Sorted(maps.Keys(sizes)) {
		topic := w.image.Topics.ByName(name)
		if topic == nil {
			n := int(w.image.Offset) + 2
			topic = &metadata.Topic{Name: name, ID: kafka.TopicID{13: byte(n >> 8), 14: byte(n), 15: byte(i)}}
			replay(&schema.TopicRecord{Name: name, TopicID: topic.ID})
		}
		if sizes[name] == 0 {
			replay(&schema.RemoveTopicRecord{TopicID: topic.ID})
		}
		for p := len(topic.Partitions); p < sizes[name]; p++ {
			replay(&schema.PartitionRecord{TopicID: topic.ID, PartitionID: int32(p), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
		}
	}
	before := w.image
	w.image = delta.Apply(before.Offset+1, 1, 0)
	w.turn(0, func(t *shard.Turn) { w.s.Refresh(t, w.image) })
}

// tick lets time pass, and what is due go off at its time.
func (w *modernWorld) tick(d time.Duration) { w.pass(d, func() { w.turn(0, w.s.Expire) }) }

func (w *modernWorld) run(d *datadriven.TestData) {
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "config":
		w.configure(d)
	case "topics":
		sizes := make(map[string]int)
		for _, a := range d.CmdArgs {
			sizes[a.Key], _ = strconv.Atoi(a.Vals[0])
		}
		w.setTopics(sizes)
	case "tick":
		w.tick(w.duration(name))
	case "restart":
		w.restart()
	case "show":
		for _, id := range slices.Sorted(maps.Keys(w.s.groups)) {
			w.printf("%v", w.s.groups[id])
		}
	case "describe":
		w.handle("g", DescribeConsumerGroups{GroupIDs: []string{"g"}})
	case "classic":
		w.handle("g", DescribeGroups{Version: 6, GroupIDs: []string{"g"}})
	default:
		w.request(d, name)
	}
}

func (w *modernWorld) configure(d *datadriven.TestData) {
	w.scanArgs(d, "max", &w.config.Modern.MaxSize)
	if s := w.arg(d, "interval"); s != nil {
		w.times.AssignmentInterval = w.duration(*s)
	}
	if s := w.arg(d, "policy"); s != nil {
		w.config.Classic.UpgradeToModern = *s == "upgrade" || *s == "bidirectional"
		w.config.Classic.DowngradeFromModern = *s == "downgrade" || *s == "bidirectional"
	}
	if s := w.arg(d, "heartbeat"); s != nil {
		w.times.Heartbeat = w.duration(*s)
	}
	w.begin()
}

func (w *modernWorld) arg(d *datadriven.TestData, key string) *string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			s := strings.Join(a.Vals, ",")
			return &s
		}
	}
	return nil
}

func (w *modernWorld) milliseconds(d *datadriven.TestData, key string, standard int32) int32 {
	if s := w.arg(d, key); s != nil {
		return int32(w.duration(*s).Milliseconds())
	}
	return standard
}

// number reads an argument.
func (w *modernWorld) number(d *datadriven.TestData, key string, standard int32) int32 {
	s := w.arg(d, key)
	if s == nil {
		return standard
	}
	n, err := strconv.ParseInt(*s, 10, 32)
	if err != nil {
		w.t.Fatal(err)
	}
	return int32(n)
}

// words reads a list, which is nil if it is not there and not if it is empty.
func (w *modernWorld) words(d *datadriven.TestData, key string) []string {
	s := w.arg(d, key)
	switch {
	case s == nil:
		return nil
	case *s == "" || *s == "none":
		return []string{}
	}
	return strings.Split(*s, "/")
}

func (w *modernWorld) partition(word string) (string, int32) {
	at := strings.LastIndexByte(word, '-')
	n, err := strconv.Atoi(word[at+1:])
	if err != nil {
		w.t.Fatal(err)
	}
	return word[:at], int32(n)
}

func (w *modernWorld) request(d *datadriven.TestData, name string) {
	client := shard.Client{ID: "c" + name, Host: "/127.0.0.1"}
	switch d.Cmd {
	case "join", "beat", "leave", "away":
		w.handle(name, ConsumerGroupHeartbeat{Request: w.heartbeat(d, name), Client: client})
	case "commit":
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Version, req.Group, req.MemberID = int16(w.number(d, "v", 10)), "g", name
		req.Generation = w.number(d, "epoch", w.epochs[name])
		topic, p := w.partition(d.CmdArgs[1].Key)
		t, part := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
		t.Topic, part.Partition = topic, p
		if known := w.image.Topics.ByName(topic); known != nil {
			t.TopicID = known.ID
		}
		t.Partitions = append(t.Partitions, part)
		req.Topics = append(req.Topics, t)
		w.handle(name, CommitOffsets{Request: req})
	case "fetch":
		group := kmsg.NewOffsetFetchRequestGroup()
		group.Group, group.MemberID, group.MemberEpoch = "g", &name, w.number(d, "epoch", w.epochs[name])
		w.handle(name, FetchOffsets{Group: group})
	default:
		w.classicRequest(d, name, client)
	}
}

func (w *modernWorld) heartbeat(d *datadriven.TestData, name string) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID = int16(w.number(d, "v", 1)), "g", name
	if id := w.arg(d, "id"); id != nil {
		req.MemberID = *id
	}
	req.MemberEpoch = w.epochs[name]
	req.RebalanceTimeoutMillis = w.milliseconds(d, "rebalance", -1)
	switch d.Cmd {
	case "join":
		req.MemberEpoch, req.Topics = 0, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		req.RebalanceTimeoutMillis = w.milliseconds(d, "rebalance", 60_000)
	case "leave":
		req.MemberEpoch = -1
	case "away":
		req.MemberEpoch = -2
	}
	req.MemberEpoch = w.number(d, "epoch", req.MemberEpoch)
	req.InstanceID, req.RackID, req.ServerAssignor = w.arg(d, "instance"), w.arg(d, "rack"), w.arg(d, "assignor")
	req.SubscribedTopicNames, req.SubscribedTopicRegex = w.words(d, "topics"), w.arg(d, "regex")
	if owned := w.words(d, "own"); owned != nil {
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		for _, word := range owned {
			topic, p := w.partition(word)
			t := kmsg.NewConsumerGroupHeartbeatRequestTopic()
			t.TopicID, t.Partitions = w.image.Topics.ByName(topic).ID, []int32{p}
			req.Topics = append(req.Topics, t)
		}
	}
	return req
}

// classicRequest sends what a member of the classic protocol does.
func (w *modernWorld) classicRequest(d *datadriven.TestData, name string, client shard.Client) {
	id := w.ids[name]
	if a := w.arg(d, "id"); a != nil {
		id = *a
	}
	generation := w.number(d, "epoch", w.epochs[name])
	version := int16(w.number(d, "v", 5))
	consumer := "consumer"
	switch d.Cmd {
	case "join+":
		req := kmsg.NewPtrJoinGroupRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID = version, "g", id, w.arg(d, "instance")
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = w.milliseconds(d, "session", 30_000), w.milliseconds(d, "rebalance", 60_000)
		req.ProtocolType = consumer
		names := w.words(d, "protocols")
		if names == nil {
			names = []string{"range"}
		}
		m := kmsg.NewConsumerMemberMetadata()
		m.Version, m.Topics = 1, w.words(d, "topics")
		for _, word := range w.words(d, "own") {
			topic, p := w.partition(word)
			m.OwnedPartitions = append(m.OwnedPartitions, kmsg.ConsumerMemberMetadataOwnedPartition{Topic: topic, Partitions: []int32{p}})
		}
		for _, protocol := range names {
			req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: protocol, Metadata: m.AppendTo(nil)})
		}
		w.handle(name, JoinGroup{Request: req, Client: client})
	case "sync+":
		req := kmsg.NewPtrSyncGroupRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID = version, "g", id, w.arg(d, "instance")
		req.Generation, req.ProtocolType, req.Protocol = generation, &consumer, w.arg(d, "protocol")
		for _, word := range w.words(d, "assign") {
			member, partition, _ := strings.Cut(word, ":")
			topic, p := w.partition(partition)
			a := kmsg.NewConsumerMemberAssignment()
			a.Topics = append(a.Topics, kmsg.ConsumerMemberAssignmentTopic{Topic: topic, Partitions: []int32{p}})
			req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: w.ids[member], MemberAssignment: a.AppendTo(nil)})
		}
		w.handle(name, SyncGroup{Request: req})
	case "beat+":
		req := kmsg.NewPtrHeartbeatRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = 4, "g", id, w.arg(d, "instance"), generation
		w.handle(name, Heartbeat{Request: req})
	case "leave+":
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Version, req.Group = 5, "g"
		for _, a := range d.CmdArgs {
			m := kmsg.NewLeaveGroupRequestMember()
			if instance, ok := strings.CutPrefix(a.Key, "instance/"); ok {
				m.InstanceID = &instance
			} else {
				m.MemberID = cmp.Or(w.ids[a.Key], a.Key)
			}
			req.Members = append(req.Members, m)
		}
		w.handle(name, LeaveGroup{Request: req})
	default:
		w.t.Fatalf("unknown command %s", d.Cmd)
	}
}
