package group

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/shard"
)

// Random walks of a group whose members are clients that do as KIP-848 says, some of them of the classic protocol: they come
// and go, die, change their minds, miss answers, and topics come, grow and go. After each step the log gives the same group
// again, and no partition is in the hands of two clients; when all is quiet everybody gets what the target gives it within
// bounded rounds; and the same seed gives the same records.
func TestModernWalk(t *testing.T) {
	for seed := range uint64(40) {
		first, second := walk(t, seed), walk(t, seed)
		if first != second {
			t.Fatalf("seed %d does not give the same records twice", seed)
		}
	}
}

type partitionID struct {
	topic     kafka.TopicID
	partition int32
}

// walker is a client.
type walker struct {
	id       string
	instance *string
	classic  bool
	fixed    bool // it neither leaves nor dies
	dead     bool
	// epoch is 0 for one that is to join; synced says that a classic member has its partitions.
	epoch  int32
	synced bool
	topics []string
	regex  *string
	tell   bool // it is to say what it subscribes to
	owned  map[partitionID]struct{}
}

type modernWalk struct {
	*modernWorld
	r       *rand.Rand
	members []*walker
	names   []string
	made    int
	epoch   int32
}

func walk(t *testing.T, seed uint64) string {
	w := &modernWalk{modernWorld: newModernWorld(t), r: rand.New(rand.NewPCG(seed, 848)), names: []string{"a", "b", "c", "d", "e"}}
	w.config.Classic.DowngradeFromModern = false
	w.times.AssignmentInterval = time.Duration(w.r.IntN(3)) * time.Second
	w.s = NewShard(w.config)
	w.setTopics(map[string]int{"a": 4, "b": 3})
	w.add(false)
	w.members[0].fixed = true
	w.members[0].topics, w.members[0].regex = []string{"a", "b"}, nil
	w.heartbeat(w.members[0], true)
	for step := range 150 {
		w.step()
		w.verify(seed, step)
	}
	for round := range 40 {
		for _, m := range w.members {
			w.heartbeat(m, true)
		}
		w.tick(6 * time.Second)
		w.verify(seed, 1000+round)
	}
	w.checkSettled(seed)
	return w.out.String()
}

func (w *modernWalk) add(classic bool) {
	w.made++
	m := &walker{id: fmt.Sprintf("m%03d", w.made), classic: classic, tell: true, owned: make(map[partitionID]struct{})}
	if w.r.IntN(4) == 0 {
		instance := "i" + m.id
		m.instance = &instance
	}
	if classic {
		m.id = ""
	}
	w.choose(m)
	w.members = append(w.members, m)
}

func (w *modernWalk) choose(m *walker) {
	m.topics, m.tell = nil, true
	for _, name := range w.names {
		if w.r.IntN(2) == 0 {
			m.topics = append(m.topics, name)
		}
	}
	regex := ""
	if !m.classic && w.r.IntN(4) == 0 {
		regex = []string{"[ab]", "c|d", ".*"}[w.r.IntN(3)]
	}
	m.regex = &regex
}

func (w *modernWalk) step() {
	m := w.members[w.r.IntN(len(w.members))]
	switch n := w.r.IntN(20); {
	case n < 10:
		w.heartbeat(m, w.r.IntN(8) > 0)
	case n < 12:
		w.add(w.r.IntN(4) == 0)
	case n == 12 && !m.fixed:
		w.leave(m)
	case n == 13 && !m.fixed:
		m.dead = true
	case n == 14:
		w.choose(m)
	case n == 15:
		name := w.names[w.r.IntN(len(w.names))]
		w.setTopics(map[string]int{name: max(1, w.size(name)+w.r.IntN(3))})
	case n == 16 && w.r.IntN(3) == 0:
		if name := w.names[w.r.IntN(len(w.names))]; w.size(name) > 0 {
			w.setTopics(map[string]int{name: 0})
		}
	default:
		w.pass(time.Duration(w.r.IntN(9_000)) * time.Millisecond)
	}
}

func (w *modernWalk) size(name string) int {
	if topic := w.image.Topics.ByName(name); topic != nil {
		return len(topic.Partitions)
	}
	return 0
}

// pass lets time pass. Whoever lives keeps its session: the sessions of the others end.
func (w *modernWalk) pass(d time.Duration) {
	w.tick(d)
	for _, m := range w.members {
		if m.dead || w.r.IntN(3) == 0 {
			continue
		}
		w.heartbeat(m, true)
	}
}

func (w *modernWalk) group() *modern.Group {
	g, _ := w.s.groups["g"].(*modern.Group)
	return g
}

// heartbeat does what the client does next; it may miss the answer.
func (w *modernWalk) heartbeat(m *walker, heard bool) {
	switch {
	case m.dead:
	case m.classic:
		w.classicStep(m, heard)
	default:
		w.consumerStep(m, heard)
	}
}

func (w *modernWalk) consumerStep(m *walker, heard bool) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.MemberEpoch = 1, "g", m.id, m.instance, m.epoch
	if m.epoch == 0 {
		clear(m.owned)
	}
	if m.epoch == 0 || m.tell {
		req.SubscribedTopicNames, req.SubscribedTopicRegex, req.RebalanceTimeoutMillis = m.topics, m.regex, 20_000
		if m.topics == nil {
			req.SubscribedTopicNames = []string{}
		}
	}
	if m.epoch == 0 || w.r.IntN(5) > 0 {
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		for _, p := range sortedPartitions(m.owned) {
			req.Topics = append(req.Topics, kmsg.ConsumerGroupHeartbeatRequestTopic{TopicID: p.topic, Partitions: []int32{p.partition}})
		}
	}
	w.handle(m.id, ConsumerGroupHeartbeat{Request: req, Client: shard.Client{ID: "c", Host: "/h"}})
	resp := w.answers[m.id].(*kmsg.ConsumerGroupHeartbeatResponse)
	switch err := kerr.ErrorForCode(resp.ErrorCode); {
	case err != nil:
		m.epoch, m.tell = 0, true
		clear(m.owned)
		if resp.ErrorCode == kerr.UnreleasedInstanceID.Code {
			m.instance = nil
		}
	case heard:
		m.epoch, m.tell = resp.MemberEpoch, false
		if resp.Assignment != nil {
			clear(m.owned)
			for _, topic := range resp.Assignment.Topics {
				for _, p := range topic.Partitions {
					m.owned[partitionID{topic.TopicID, p}] = struct{}{}
				}
			}
		}
	default: // a client that misses an answer says all in its next request
		m.tell = true
		if resp.Assignment != nil && m.epoch != 0 {
			m.epoch = 0 // it can't tell what it missed: it gives up everything
			clear(m.owned)
		}
	}
}

func (w *modernWalk) classicStep(m *walker, heard bool) {
	name := fmt.Sprintf("classic %p", m)
	name = strings.Fields(name)[0] + strings.Join(m.topics, "")
	if m.epoch != 0 && m.synced && !m.tell {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = 4, "g", m.id, m.instance, m.epoch
		w.handle(name, Heartbeat{Request: req})
		m.failed(w.answers[name].(*kmsg.HeartbeatResponse).ErrorCode)
		return
	}
	if m.epoch == 0 || m.tell {
		w.classicJoin(m, name)
		return
	}
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = 5, "g", m.id, m.instance, m.epoch
	w.handle(name, SyncGroup{Request: req})
	resp := w.answers[name].(*kmsg.SyncGroupResponse)
	if m.failed(resp.ErrorCode) || !heard {
		return
	}
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(resp.MemberAssignment); err != nil {
		w.t.Fatal(err)
	}
	before := len(m.owned)
	kept := 0
	owned := make(map[partitionID]struct{})
	for _, topic := range a.Topics {
		for _, p := range topic.Partitions {
			id := partitionID{w.image.Topics.ByName(topic.Topic).ID, p}
			if _, had := m.owned[id]; had {
				kept++
			}
			owned[id] = struct{}{}
		}
	}
	m.owned, m.synced = owned, true
	m.tell = kept < before // a cooperative consumer that gave up partitions joins again
}

// failed takes in an error, and reports whether there is one.
func (m *walker) failed(code int16) bool {
	switch kerr.ErrorForCode(code) {
	case nil:
		return false
	case kerr.RebalanceInProgress:
		m.tell = true
	case kerr.IllegalGeneration:
		m.epoch = 0
		clear(m.owned)
	default:
		m.epoch, m.id = 0, ""
		clear(m.owned)
	}
	return true
}

func (w *modernWalk) classicJoin(m *walker, name string) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.ProtocolType = 5, "g", m.id, m.instance, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 30_000, 60_000
	s := kmsg.NewConsumerMemberMetadata()
	s.Version, s.Topics = 3, m.topics
	for _, p := range sortedPartitions(m.owned) {
		if topic := w.image.Topics.ByID(p.topic); topic != nil {
			s.OwnedPartitions = append(s.OwnedPartitions, kmsg.ConsumerMemberMetadataOwnedPartition{Topic: topic.Name, Partitions: []int32{p.partition}})
		}
	}
	req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: "cooperative-sticky", Metadata: s.AppendTo(nil)})
	w.handle(name, JoinGroup{Request: req, Client: shard.Client{ID: "c", Host: "/h"}})
	resp := w.answers[name].(*kmsg.JoinGroupResponse)
	if resp.ErrorCode == kerr.MemberIDRequired.Code {
		m.id = resp.MemberID
		return
	}
	if !m.failed(resp.ErrorCode) {
		m.id, m.epoch, m.synced, m.tell = resp.MemberID, resp.Generation, false, false
	}
}

func (w *modernWalk) leave(m *walker) {
	m.dead = true
	clear(m.owned)
	if m.epoch == 0 {
		return
	}
	if m.classic {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Version, req.Group = 5, "g"
		req.Members = append(req.Members, kmsg.LeaveGroupRequestMember{MemberID: m.id, InstanceID: m.instance})
		w.handle("leave", LeaveGroup{Request: req})
		return
	}
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.MemberEpoch = 1, "g", m.id, m.instance, -1
	if m.instance != nil && w.r.IntN(2) == 0 {
		req.MemberEpoch = -2
		w.add(false) // another takes its place, later
		next := w.members[len(w.members)-1]
		next.instance = m.instance
	}
	w.handle(m.id, ConsumerGroupHeartbeat{Request: req})
}

func sortedPartitions(set map[partitionID]struct{}) []partitionID {
	return slices.SortedFunc(maps.Keys(set), func(a, b partitionID) int {
		if a.topic != b.topic {
			return slices.Compare(a.topic[:], b.topic[:])
		}
		return int(a.partition - b.partition)
	})
}

// verify holds the invariants of the group, and that the hands of clients that live are disjoint.
func (w *modernWalk) verify(seed uint64, step int) {
	w.t.Helper()
	w.check()
	owner := make(map[partitionID]*walker)
	for _, m := range w.members {
		// Who is fenced learns of it with its next heartbeat, and Kafka's client stops before: it is not counted.
		if m.dead || m.epoch == 0 || !w.group().Has(m.id) {
			continue
		}
		for p := range m.owned {
			if other := owner[p]; other != nil {
				w.t.Fatalf("seed %d step %d: %v is in the hands of %s and %s\n%v", seed, step, p, other.id, m.id, w.group())
			}
			owner[p] = m
		}
	}
	epoch := w.group().Describe().Epoch
	if epoch < w.epoch {
		w.t.Fatalf("seed %d step %d: the group epoch fell from %d to %d", seed, step, w.epoch, epoch)
	}
	w.epoch = epoch
}

// checkSettled holds that everybody has what it is to have, and that nothing is left over.
func (w *modernWalk) checkSettled(seed uint64) {
	w.t.Helper()
	g := w.group()
	d := g.Describe()
	if d.State != "Stable" {
		w.t.Fatalf("seed %d: the group does not settle\n%v", seed, g)
	}
	has := make(map[string]int)
	for _, m := range d.Members {
		for _, topic := range m.Assignment.TopicPartitions {
			has[topic.Topic] += len(topic.Partitions)
		}
	}
	for _, name := range w.names {
		if g.SubscribedTo(name) && has[name] != w.size(name) {
			w.t.Fatalf("seed %d: %d of %d partitions of %s are assigned\n%v", seed, has[name], w.size(name), name, g)
		}
	}
	for _, m := range w.members {
		if m.dead {
			continue
		}
		i := slices.IndexFunc(d.Members, func(d kmsg.ConsumerGroupDescribeResponseGroupMember) bool { return d.MemberID == m.id })
		if i < 0 {
			w.t.Fatalf("seed %d: %s lives and is not in the group\n%v", seed, m.id, g)
		}
		n := 0
		for _, topic := range d.Members[i].Assignment.TopicPartitions {
			n += len(topic.Partitions)
			for _, p := range topic.Partitions {
				if _, ok := m.owned[partitionID{topic.TopicID, p}]; !ok {
					w.t.Fatalf("seed %d: %s does not know of %s-%d\n%v", seed, m.id, topic.Topic, p, g)
				}
			}
		}
		if n != len(m.owned) {
			w.t.Fatalf("seed %d: %s has %d partitions in hand\n%v", seed, m.id, len(m.owned), g)
		}
	}
}
