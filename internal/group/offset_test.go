package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// offsetWorld is a shard whose records are kept, and loaded into another shard after each turn.
type offsetWorld struct {
	t     *testing.T
	s     *Shard
	now   time.Time
	room  int
	log   []schema.GroupRecord
	image *metadata.Image
	parts []int // records of each part of the last turn
}

func newOffsetWorld(t *testing.T) *offsetWorld {
	w := &offsetWorld{t: t, now: time.UnixMilli(1_700_000_000_000), image: metadata.Empty()}
	w.s = w.shard()
	w.turn(func(t *shard.Turn) { w.s.Loaded(t, w.image) })
	return w
}

func (w *offsetWorld) shard() *Shard {
	return NewShard(Config{
		NewID:   func() kafka.UUID { return kafka.UUID{1} },
		Times:   func(string) modern.Times { return modern.Times{} },
		Offsets: offsets.Config{MaxMetadata: 10, Retention: time.Hour, RetentionCheck: time.Minute},
	})
}

// turn gives the shard a turn and returns its one reply, if it has one.
func (w *offsetWorld) turn(step func(*shard.Turn)) (reply any) {
	w.t.Helper()
	turn := shard.NewTurn(w.now, func(r shard.Record) { w.replay(w.s, r, len(w.log)) })
	turn.Room = w.room
	step(turn)
	w.parts = nil
	for part := range turn.Parts() {
		w.parts = append(w.parts, len(part))
	}
	for _, r := range turn.Replies() {
		reply = r.Response
	}
	w.checkReload()
	return reply
}

func (w *offsetWorld) replay(s *Shard, r shard.Record, at int) {
	w.t.Helper()
	if s == w.s {
		w.log = append(w.log, r.(schema.GroupRecord))
	}
	if err := s.Replay(kafka.Offset(at), r); err != nil {
		w.t.Fatal(err)
	}
}

// checkReload compares the shard with one that has read the log, from bytes.
func (w *offsetWorld) checkReload() {
	w.t.Helper()
	again := w.shard()
	for i, r := range w.log {
		value, ok := r.AppendValue([]byte{})
		if !ok {
			value = nil
		}
		parsed, err := again.Parse(r.AppendKey(nil), value)
		if err != nil {
			w.t.Fatal(err)
		}
		w.replay(again, parsed, i)
	}
	if a, b := w.s.Describe(), again.Describe(); a != b {
		w.t.Fatalf("the shard is\n%swhat was loaded\n%s", a, b)
	}
}

func (w *offsetWorld) handle(cmd any) any {
	w.t.Helper()
	return w.turn(func(t *shard.Turn) { w.s.Handle(t, 1, cmd) })
}

// commit commits offsets of a topic's partitions from 0 on and returns the error codes.
func (w *offsetWorld) commit(group, topic string, change func(*kmsg.OffsetCommitRequest), at ...int64) string {
	w.t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 9, group, -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = topic
	if known := w.image.Topics.ByName(topic); known != nil {
		t.TopicID = known.ID
	}
	for i, o := range at {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = int32(i), o
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	if change != nil {
		change(req)
	}
	var codes []string
	for _, t := range w.handle(CommitOffsets{Request: req}).(*kmsg.OffsetCommitResponse).Topics {
		for _, p := range t.Partitions {
			codes = append(codes, code(p.ErrorCode))
		}
	}
	return strings.Join(codes, " ")
}

// pass lets time pass, minute by minute.
func (w *offsetWorld) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Minute)
		if at := w.s.Deadline(); !at.IsZero() && !at.After(w.now) {
			w.turn(w.s.Expire)
		}
	}
}

func (w *offsetWorld) refresh(records ...schema.MetadataRecord) {
	w.t.Helper()
	delta := metadata.NewDelta(w.image)
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.image = delta.Apply(w.image.Offset+1, 1, 0)
	w.turn(func(t *shard.Turn) { w.s.Refresh(t, w.image) })
}

func (w *offsetWorld) is(want string) {
	w.t.Helper()
	if got := w.s.Describe(); got != want {
		w.t.Errorf("the shard is\n%swant\n%s", got, want)
	}
}

func metadataOf(text string) func(*kmsg.OffsetCommitRequest) {
	return func(req *kmsg.OffsetCommitRequest) { req.Topics[0].Partitions[0].Metadata = &text }
}

func TestCommits(t *testing.T) {
	w := newOffsetWorld(t)
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(w.commit("g", "a", nil, 5, 6), "ok ok")
	f(w.commit("g", "a", nil, 7), "ok")
	f(w.commit("g", "a", metadataOf("0123456789"), 8), "ok")
	f(w.commit("g", "a", metadataOf("0123456789x"), 9, 9), "OFFSET_METADATA_TOO_LARGE ok")
	f(w.commit("g", "a", metadataOf("12345678😀"), 9), "ok")
	f(w.commit("g", "a", metadataOf("123456789😀"), 10), "OFFSET_METADATA_TOO_LARGE")
	of := func(version int16) func(*kmsg.OffsetCommitRequest) {
		return func(req *kmsg.OffsetCommitRequest) { req.Version, req.MemberID, req.Generation = version, "m", 3 }
	}
	f(w.commit("nobody", "a", of(8), 1), "ILLEGAL_GENERATION")
	f(w.commit("nobody", "a", of(9), 1), "GROUP_ID_NOT_FOUND")
	w.is("g: classic Empty \"\"\n  a-0 at 9 epoch -1 \"12345678😀\"\n  a-1 at 9 epoch -1 \"\"\n")
}

// A commit that fits in no batch is refused whole, and nothing of it stays.
func TestCommitTooLarge(t *testing.T) {
	w := newOffsetWorld(t)
	w.room = 500
	if got := w.commit("g", "a", nil, 1, 2, 3, 4, 5, 6, 7); got != strings.TrimSpace(strings.Repeat("UNKNOWN_SERVER_ERROR ", 7)) {
		t.Error(got)
	}
	w.is("")
}

func TestOffsetsExpire(t *testing.T) {
	w := newOffsetWorld(t)
	if at := w.s.Deadline(); !at.IsZero() {
		t.Errorf("a shard without groups wakes at %v", at)
	}
	w.commit("g", "a", nil, 5)
	retention := func(req *kmsg.OffsetCommitRequest) {
		req.Version, req.RetentionTimeMillis = 4, (2 * time.Hour).Milliseconds()
	}
	w.commit("old", "a", retention, 6)
	w.pass(30 * time.Minute)
	w.commit("g", "b", nil, 7)
	w.pass(31 * time.Minute)
	w.is("g: classic Empty \"\"\n  b-0 at 7 epoch -1 \"\"\nold: classic Empty \"\"\n  a-0 at 6 epoch -1 \"\"\n")
	w.pass(30 * time.Minute)
	w.is("old: classic Empty \"\"\n  a-0 at 6 epoch -1 \"\"\n")
	w.pass(30 * time.Minute)
	w.is("")
	if at := w.s.Deadline(); !at.IsZero() {
		t.Errorf("a shard whose groups are gone wakes at %v", at)
	}
}

// A sweep of many offsets needs not fit in a batch.
func TestSweepsAreCut(t *testing.T) {
	w := newOffsetWorld(t)
	w.commit("g", "a", nil, make([]int64, 100)...)
	w.room = 200
	list := w.handle(DeleteGroups{GroupIDs: []string{"g", "h"}}).([]kmsg.DeleteGroupsResponseGroup)
	if got := fmt.Sprint(code(list[0].ErrorCode), " ", code(list[1].ErrorCode)); got != "ok GROUP_ID_NOT_FOUND" {
		t.Error(got)
	}
	if len(w.parts) != 101 {
		t.Errorf("%d parts", len(w.parts))
	}
	w.is("")
}

// Nor does what OffsetDelete names.
func TestDeletedOffsetsAreCut(t *testing.T) {
	w := newOffsetWorld(t)
	w.commit("g", "a", nil, make([]int64, 100)...)
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = "g"
	topic := kmsg.NewOffsetDeleteRequestTopic()
	topic.Topic = "a"
	for i := range 100 {
		topic.Partitions = append(topic.Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: int32(i)})
	}
	req.Topics = append(req.Topics, topic)
	if resp := w.handle(DeleteOffsets{Request: req}).(*kmsg.OffsetDeleteResponse); resp.ErrorCode != 0 || len(w.parts) != 100 {
		t.Errorf("answered %s, in %d parts", code(resp.ErrorCode), len(w.parts))
	}
	w.is("g: classic Empty \"\"\n")
}

func TestDeletedTopicsTakeTheirOffsets(t *testing.T) {
	w := newOffsetWorld(t)
	first, second := kafka.UUID{1}, kafka.UUID{2}
	w.refresh(&schema.TopicRecord{Name: "a", TopicID: first}, &schema.TopicRecord{Name: "b", TopicID: kafka.UUID{3}})
	w.commit("g", "a", nil, 5)
	w.commit("g", "b", nil, 6)
	w.commit("other", "c", nil, 7)
	w.refresh(&schema.RemoveTopicRecord{TopicID: first}, &schema.TopicRecord{Name: "a", TopicID: second})
	w.is("g: classic Empty \"\"\n  b-0 at 6 epoch -1 \"\"\nother: classic Empty \"\"\n  c-0 at 7 epoch -1 \"\"\n")
	w.commit("g", "a", nil, 8)
	w.refresh(&schema.TopicRecord{Name: "d", TopicID: kafka.UUID{4}})
	w.is("g: classic Empty \"\"\n  a-0 at 8 epoch -1 \"\"\n  b-0 at 6 epoch -1 \"\"\nother: classic Empty \"\"\n  c-0 at 7 epoch -1 \"\"\n")
}

// An offset of an earlier life of the topic is not one of the topic that is asked for by id.
func TestFetchByTopicID(t *testing.T) {
	w := newOffsetWorld(t)
	w.refresh(&schema.TopicRecord{Name: "a", TopicID: kafka.UUID{1}})
	w.commit("g", "a", nil, 5)
	fetch := func(group string, id kafka.UUID) string {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		topic := kmsg.NewOffsetFetchRequestGroupTopic()
		topic.Topic, topic.TopicID, topic.Partitions = "a", id, []int32{0, 1}
		g.Topics = append(g.Topics, topic)
		resp := w.handle(FetchOffsets{Group: g}).(*kmsg.OffsetFetchResponseGroup)
		return fmt.Sprint(resp.Topics[0].Partitions[0].Offset, resp.Topics[0].Partitions[1].Offset)
	}
	for id, want := range map[kafka.UUID]string{{1}: "5 -1", {}: "5 -1", {2}: "-1 -1"} {
		if got := fetch("g", id); got != want {
			t.Errorf("by %v: %s, want %s", id, got, want)
		}
	}
	if got := fetch("none", kafka.UUID{1}); got != "-1 -1" {
		t.Errorf("of no group: %s", got)
	}
}

// A record of the releases before 0.8.2 is a commit, and its tombstone a deletion.
func TestLegacyOffsets(t *testing.T) {
	w := newOffsetWorld(t)
	key := &schema.LegacyOffsetCommitKey{Group: "g", Topic: "a", Partition: 1}
	w.turn(func(t *shard.Turn) {
		t.Write(schema.GroupRecord{Key: key, Value: &schema.LegacyOffsetCommitValue{Offset: 5, Metadata: "m"}})
	})
	w.is("g: classic Empty \"\"\n  a-1 at 5 epoch -1 \"m\"\n")
	w.turn(func(t *shard.Turn) { t.Write(schema.GroupRecord{Key: key}) })
	w.is("g: classic Empty \"\"\n")
}

// FuzzLoad gives a shard records that anybody may have written.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x01g\x00\x01a\x00\x00\x00\x00"), []byte("\x00\x03\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x02\x00\x01g"), []byte("\x00\x03\x00\x08consumer\x00\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	for key := range int16(18) {
		f.Add([]byte{0, byte(key), 0, 1, 'g', 0, 1, 'm'}, []byte{0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		s := NewShard(Config{
			NewID: func() kafka.UUID { return kafka.UUID{1} }, Times: func(string) modern.Times { return modern.Times{} },
		})
		for i, v := range [][]byte{value, value, nil, value} {
			r, err := s.Parse(key, v)
			if err != nil || r == nil {
				return
			}
			if err := s.Replay(kafka.Offset(i), r); err != nil {
				t.Fatalf("what was parsed does not replay: %v", err)
			}
		}
		turn := shard.NewTurn(time.UnixMilli(1), func(shard.Record) {})
		s.Loaded(turn, metadata.Empty())
		s.Handle(turn, 1, ListGroups{})
		_ = s.Describe()
	})
}
