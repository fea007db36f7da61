package script

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// committed is one partition of a commit.
type committed struct {
	partition int32
	offset    int64
	metadata  *string
}

// offsetCommitRequest commits offsets of one topic, named both ways, as one who is in no group.
func offsetCommitRequest(group, topic string, id [16]byte, parts ...committed) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID = group, -1, ""
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = topic, id
	for _, p := range parts {
		rp := kmsg.NewOffsetCommitRequestTopicPartition()
		rp.Partition, rp.Offset, rp.Metadata = p.partition, p.offset, p.metadata
		t.Partitions = append(t.Partitions, rp)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// commit commits an offset outside the transcript, as one who is in no group.
func (r *run) commit(group, topic string, partition int32, offset int64) {
	r.commitFor(group, "", -1, topic, partition, offset)
}

func (r *run) commitAs(m *classicMember, topic string, partition int32, offset int64) {
	r.commitFor(m.group, m.id, m.generation, topic, partition, offset)
}

// commitFor commits an offset outside the transcript, as a member of a classic or a consumer group.
func (r *run) commitFor(group, member string, epoch int32, topic string, partition int32, offset int64) {
	req := offsetCommitRequest(r.name(group), r.name(topic), [16]byte{}, committed{partition, offset, ptr("m")})
	req.MemberID, req.Generation = member, epoch
	resp := r.must(req).(*kmsg.OffsetCommitResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		r.fail("commit for %s: %s", group, errorName(code))
	}
}

// offsets records all that a group has committed.
func (r *run) offsets(name, group string) {
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = r.name(group)
	req.Groups = append(req.Groups, g)
	r.on(name, req)
}

func offsetCommitSample(*run) kmsg.Request {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = "sample", -1
	return req
}

func offsetCommit(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("b"), 1))
	one := committed{0, 5, ptr("m")}
	simple := func(name string, change func(*kmsg.OffsetCommitRequest), parts ...committed) {
		req := offsetCommitRequest(r.name("simple"), r.name("a"), r.id("a"), parts...)
		if change != nil {
			change(req)
		}
		r.do("simple: "+name, req)
	}
	simple("first", nil, one)
	simple("back", nil, committed{0, 3, ptr("n")})
	simple("two partitions", nil, committed{0, 6, ptr("")}, committed{1, 7, nil})
	simple("no partitions", nil)
	simple("no topics", func(req *kmsg.OffsetCommitRequest) { req.Topics = []kmsg.OffsetCommitRequestTopic{} })
	simple("unknown partition", nil, committed{3, 1, nil}, committed{2, 1, nil})
	simple("negative partition", nil, committed{-1, 1, nil})
	simple("offset -1", nil, committed{2, -1, nil})
	simple("offset -2", nil, committed{2, -2, nil})
	simple("absurd offset", nil, committed{2, 1<<63 - 1, nil})
	simple("metadata at the limit", nil, committed{0, 8, ptr(strings.Repeat("x", 4096))})
	simple("metadata above the limit", nil, committed{0, 9, ptr(strings.Repeat("x", 4097))}, committed{1, 9, nil})
	simple("metadata of wide letters", nil, committed{0, 9, ptr(strings.Repeat("ü", 2049))})
	simple("the same partition twice", nil, committed{0, 10, nil}, committed{0, 11, nil})
	simple("the same topic twice", func(req *kmsg.OffsetCommitRequest) { req.Topics = append(req.Topics, req.Topics[0]) }, one)
	simple("leader epoch", func(req *kmsg.OffsetCommitRequest) { req.Topics[0].Partitions[0].LeaderEpoch = 3 }, one)
	simple("leader epoch -2", func(req *kmsg.OffsetCommitRequest) { req.Topics[0].Partitions[0].LeaderEpoch = -2 }, committed{2, 5, nil})
	simple("retention", func(req *kmsg.OffsetCommitRequest) { req.RetentionTimeMillis = 3_600_000 }, committed{1, 12, nil})
	simple("retention 0", func(req *kmsg.OffsetCommitRequest) { req.RetentionTimeMillis = 0 }, committed{2, 12, nil})
	simple("retention below -1", func(req *kmsg.OffsetCommitRequest) { req.RetentionTimeMillis = -5 }, committed{1, 13, nil})
	simple("as a member", func(req *kmsg.OffsetCommitRequest) { req.MemberID = "nobody" }, one)
	simple("as a member of generation 0", func(req *kmsg.OffsetCommitRequest) { req.MemberID, req.Generation = "nobody", 0 }, one)
	simple("of generation 0", func(req *kmsg.OffsetCommitRequest) { req.Generation = 0 }, one)
	simple("of generation -2", func(req *kmsg.OffsetCommitRequest) { req.Generation = -2 }, one)
	simple("with an instance", func(req *kmsg.OffsetCommitRequest) { req.InstanceID = ptr("i") }, one)
	simple("empty group", func(req *kmsg.OffsetCommitRequest) { req.Group = "" }, one)
	r.on("simple: empty group, deleted", deleteGroupsRequest(""))
	simple("group with odd letters", func(req *kmsg.OffsetCommitRequest) { req.Group = r.name("a b/ü") }, one)
	r.offsets("simple: afterwards", "simple")
	offsetCommitTopics(r)
	r.eachState(func(s groupState) {
		commit := func(name, member string, generation int32) {
			req := offsetCommitRequest(r.name(s.m.group), r.name("a"), r.id("a"), one)
			req.MemberID, req.Generation = member, generation
			r.do(s.name+": "+name, req)
		}
		commit("next generation", s.m.id, s.m.generation+1)
		commit("last generation", s.m.id, s.m.generation-1)
		commit("member without generation", s.m.id, -1)
		commit("unknown member", "nobody", s.m.generation)
		commit("generation without member", "", s.m.generation)
		if s.other != nil {
			commit("the one that waits", s.other.id, s.m.generation)
		}
		commit("member", s.m.id, s.m.generation)
		commit("neither member nor generation", "", -1)
		r.offsets(s.name+": afterwards", s.m.group)
	})
	offsetCommitStatic(r)
	offsetCommitModern(r)
}

// offsetCommitTopics plays topics that are not there, as each version names them.
func offsetCommitTopics(r *run) {
	commit := func(name, topic string, id [16]byte) {
		r.do(name, offsetCommitRequest(r.name("topics"), topic, id, committed{0, 5, nil}))
	}
	commit("topic: unknown", r.name("none"), strangeID)
	if r.version < 10 {
		commit("topic: empty", "", [16]byte{})
		commit("topic: invalid", "a b", [16]byte{})
		commit("topic: internal", "__consumer_offsets", [16]byte{})
	} else {
		commit("topic: id zero", r.name("a"), [16]byte{})
		commit("topic: id of another", r.name("a"), r.id("b"))
	}
	mixed := offsetCommitRequest(r.name("topics"), r.name("none"), strangeID, committed{0, 5, nil})
	mixed.Topics = append(mixed.Topics, offsetCommitRequest("", r.name("a"), r.id("a"), committed{0, 5, nil}).Topics...)
	r.do("topic: known and unknown", mixed)
	old := r.id("b")
	commit("topic: before its deletion", r.name("b"), old)
	r.remove("b")
	commit("topic: deleted", r.name("b"), old)
	r.make(newTopic(r.name("b"), 1))
	commit("topic: made again, by the old id", r.name("b"), old)
	commit("topic: made again", r.name("b"), r.id("b"))
	r.offsets("topic: afterwards", "topics")
}

// offsetCommitStatic plays static members, which can be replaced.
func offsetCommitStatic(r *run) {
	m := r.stable("static", instance("i"))
	commit := func(name, member string, instance *string, generation int32) {
		req := offsetCommitRequest(r.name("static"), r.name("a"), r.id("a"), committed{0, 5, nil})
		req.MemberID, req.InstanceID, req.Generation = member, instance, generation
		r.do("static: "+name, req)
	}
	commit("member", m.id, m.instance, m.generation)
	commit("another member id", "another", m.instance, m.generation)
	commit("unknown instance", m.id, ptr("j"), m.generation)
	commit("without instance", m.id, nil, m.generation)
	commit("without member id", "", m.instance, m.generation)
	commit("next generation", m.id, m.instance, m.generation+1)
	old := *m
	m.id = ""
	m.joining().joined()
	commit("replaced", old.id, m.instance, m.generation)
	commit("replacing", m.id, m.instance, m.generation)
}

// offsetCommitModern plays members of a consumer group.
func offsetCommitModern(r *run) {
	c := r.consumer("modern")
	c.beat(c.holding, func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.SubscribedTopicNames = []string{r.name("a"), r.name("b")}
	})
	commit := func(name, member string, epoch int32) {
		req := offsetCommitRequest(r.name("modern"), r.name("a"), r.id("a"), committed{0, 5, nil})
		req.MemberID, req.Generation = member, epoch
		r.do("consumer group: "+name, req)
	}
	commit("member", c.id, c.epoch)
	commit("next epoch", c.id, c.epoch+1)
	commit("last epoch", c.id, c.epoch-1)
	commit("epoch 0", c.id, 0)
	commit("epoch -1", c.id, -1)
	commit("unknown member", "nobody", c.epoch)
	commit("no member", "", c.epoch)
	commit("neither member nor epoch", "", -1)
	c.leave()
	commit("left", c.id, 2)
	commit("left: neither member nor epoch", "", -1)
	r.offsets("consumer group: afterwards", "modern")
}
