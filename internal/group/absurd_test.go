package group

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// absurd draws records and requests that are well formed and make no sense, of few groups and members.
type absurd struct{ *rand.Rand }

func (r absurd) of(from ...string) string { return from[r.IntN(len(from))] }
func (r absurd) group() string            { return r.of("g", "h") }
func (r absurd) member() string           { return r.of("A", "B", "C", "") }
func (r absurd) maybe(s string) *string   { return []*string{nil, &s}[r.IntN(2)] }
func (r absurd) number() int32 {
	return []int32{0, 1, 2, 3, 5, -1, -2, math.MaxInt32, math.MinInt32, r.Int32N(10)}[r.IntN(10)]
}

func (r absurd) numbers() []int32 {
	list := make([]int32, r.IntN(4))
	for i := range list {
		list[i] = r.number()
	}
	return list
}

func (r absurd) portions() []schema.CurrentTopicPartitions {
	list := make([]schema.CurrentTopicPartitions, r.IntN(3))
	for i := range list {
		list[i] = schema.CurrentTopicPartitions{TopicID: kafka.UUID{byte(r.IntN(4))}, Partitions: r.numbers(), AssignmentEpochs: r.numbers()}
	}
	return list
}

func (r absurd) record() schema.GroupRecord {
	g, m := r.group(), r.member()
	var key, value schema.GroupMessage
	switch r.IntN(9) {
	case 0:
		key, value = &schema.ConsumerGroupMetadataKey{GroupID: g}, &schema.ConsumerGroupMetadataValue{Epoch: r.number()}
	case 1:
		key, value = &schema.ConsumerGroupPartitionMetadataKey{GroupID: g}, &schema.ConsumerGroupPartitionMetadataValue{}
	case 2, 3:
		said := &schema.ConsumerGroupMemberMetadataValue{
			InstanceID: r.maybe(r.of("i", "")), SubscribedTopicNames: []string{r.of("a", "b", "no"), r.of("a", "b")},
			SubscribedTopicRegex: r.maybe(r.of("", "a.*", "[")), RebalanceTimeoutMs: r.number(), ServerAssignor: r.maybe(r.of("range", "none")),
		}
		if r.IntN(2) == 0 {
			said.ClassicMemberMetadata = &schema.ClassicMemberMetadata{SessionTimeoutMs: r.number()}
			if r.IntN(2) == 0 {
				said.ClassicMemberMetadata.SupportedProtocols = []schema.ClassicProtocol{{Name: r.of("range", "x"), Metadata: []byte(r.of("", "\x00\x01"))}}
			}
		}
		key, value = &schema.ConsumerGroupMemberMetadataKey{GroupID: g, MemberID: m}, said
	case 4:
		key = &schema.ConsumerGroupTargetAssignmentMetadataKey{GroupID: g}
		value = &schema.ConsumerGroupTargetAssignmentMetadataValue{AssignmentEpoch: r.number(), AssignmentTimestamp: int64(r.number())}
	case 5:
		target := &schema.ConsumerGroupTargetAssignmentMemberValue{}
		for range r.IntN(3) {
			target.TopicPartitions = append(target.TopicPartitions, schema.TargetTopicPartitions{TopicID: kafka.UUID{byte(r.IntN(4))}, Partitions: r.numbers()})
		}
		key, value = &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: g, MemberID: m}, target
	case 6:
		key = &schema.ConsumerGroupCurrentMemberAssignmentKey{GroupID: g, MemberID: m}
		value = &schema.ConsumerGroupCurrentMemberAssignmentValue{
			MemberEpoch: r.number(), PreviousMemberEpoch: r.number(), State: int8(r.IntN(5)),
			AssignedPartitions: r.portions(), PartitionsPendingRevocation: r.portions(),
		}
	case 7:
		key = &schema.ConsumerGroupRegularExpressionKey{GroupID: g, RegularExpression: r.of("", "a.*", "[")}
		value = &schema.ConsumerGroupRegularExpressionValue{Topics: []string{r.of("b", "a", "no"), "a"}, Version: int64(r.number()), Timestamp: int64(r.number())}
	default:
		v := &schema.GroupMetadataValue{ProtocolType: r.of("consumer", "", "x"), Generation: r.number(), Protocol: r.maybe("range"), Leader: r.maybe(r.member())}
		for range r.IntN(3) {
			v.Members = append(v.Members, schema.MemberMetadata{
				MemberID: r.member(), GroupInstanceID: r.maybe("i"), RebalanceTimeout: r.number(), SessionTimeout: r.number(), Subscription: []byte(r.of("", "\x00\x00\x00\x00\x00\x01\x00\x01a\xff\xff\xff\xff")),
			})
		}
		key, value = &schema.GroupMetadataKey{Group: g}, v
	}
	if r.IntN(5) == 0 {
		return schema.GroupRecord{Key: key}
	}
	_, version := value.Versions()
	return schema.GroupRecord{Key: key, Value: value, Version: version}
}

func (r absurd) command() any {
	g, m := r.group(), r.member()
	switch r.IntN(8) {
	case 0:
		req := kmsg.NewPtrJoinGroupRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID, req.ProtocolType = int16(r.IntN(10)), g, m, r.maybe("i"), r.of("consumer", "x")
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 6000+r.Int32N(9000), r.number()
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = r.of("range", "x"), []byte("\x00\x00\x00\x00\x00\x01\x00\x01a\xff\xff\xff\xff")
		req.Protocols = append(req.Protocols, p)
		return JoinGroup{Request: req}
	case 1:
		req := kmsg.NewPtrSyncGroupRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = 5, g, m, r.maybe("i"), r.number()
		return SyncGroup{Request: req}
	case 2:
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.Generation = g, m, r.number()
		return Heartbeat{Request: req}
	case 3:
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Version, req.Group = 5, g
		req.Members = []kmsg.LeaveGroupRequestMember{{MemberID: m, InstanceID: r.maybe("i")}, {MemberID: m}}
		return LeaveGroup{Request: req}
	case 4:
		return DescribeGroups{Version: 6, GroupIDs: []string{"g", "h"}}
	case 5:
		return DescribeConsumerGroups{GroupIDs: []string{"g", "h"}}
	default:
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID, req.MemberEpoch = 1, g, m, r.maybe("i"), r.number()
		if req.MemberEpoch == 0 || r.IntN(3) == 0 {
			req.RebalanceTimeoutMillis, req.Topics = 1000, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
			req.SubscribedTopicNames, req.SubscribedTopicRegex = []string{r.of("a", "b")}, r.maybe(r.of("a.*", ""))
		}
		return ConsumerGroupHeartbeat{Request: req}
	}
}

// Whatever a log says, the shard that was loaded from it answers: a panic would end the node, and again at every start.
func TestAbsurdLogs(t *testing.T) {
	delta := metadata.NewDelta(metadata.Empty())
	for i, name := range []string{"a", "b"} {
		id := kafka.UUID{byte(i + 1)}
		for _, r := range []schema.MetadataRecord{&schema.TopicRecord{Name: name, TopicID: id}, &schema.PartitionRecord{TopicID: id, PartitionID: 0}} {
			if err := delta.Replay(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	image := delta.Apply(1, 1, 0)
	for seed := range uint64(20_000) {
		r := absurd{rand.New(rand.NewPCG(seed, 1))}
		w := newModernWorld(t)
		now := time.UnixMilli(1_000_000)
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("seed %d", seed)
					panic(p)
				}
			}()
			for at := range 4 + r.IntN(20) {
				if err := w.s.Replay(kafka.Offset(at), r.record()); err != nil {
					t.Fatal(err)
				}
			}
			turn := func(step func(t *shard.Turn)) {
				step(shard.NewTurn(now, func(record shard.Record) {
					if err := w.s.Replay(100, record); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}))
			}
			turn(func(t *shard.Turn) { w.s.Loaded(t, image) })
			for range 15 {
				cmd := r.command()
				turn(func(t *shard.Turn) { w.s.Handle(t, 1, cmd) })
				now = now.Add(time.Duration(r.IntN(20)) * time.Second)
				turn(w.s.Expire)
			}
			_ = w.s.Describe()
		}()
	}
}
