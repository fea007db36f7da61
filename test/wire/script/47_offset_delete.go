package script

import "github.com/twmb/franz-go/pkg/kmsg"

// offsetDeleteRequest forgets the offsets of partitions of one topic.
func offsetDeleteRequest(group, topic string, partitions ...int32) *kmsg.OffsetDeleteRequest {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = group
	t := kmsg.NewOffsetDeleteRequestTopic()
	t.Topic = topic
	for _, p := range partitions {
		t.Partitions = append(t.Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: p})
	}
	req.Topics = append(req.Topics, t)
	return req
}

func offsetDeleteSample(*run) kmsg.Request {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = "sample"
	return req
}

func offsetDelete(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("b"), 1))
	del := func(name, group, topic string, partitions ...int32) {
		r.do(name, offsetDeleteRequest(r.name(group), r.name(topic), partitions...))
	}
	none := kmsg.NewPtrOffsetDeleteRequest()
	r.do("empty group, no topics", none)
	r.do("empty group", offsetDeleteRequest("", r.name("a"), 0))
	r.eachState(func(s groupState) {
		del(s.name, s.m.group, "a", 0)
		del(s.name+": unknown topic", s.m.group, "none", 0)
		none := kmsg.NewPtrOffsetDeleteRequest()
		none.Group = r.name(s.m.group)
		r.do(s.name+": no topics", none)
	})
	r.commit("simple", "a", 0, 5)
	r.commit("simple", "a", 1, 6)
	r.commit("simple", "b", 0, 7)
	del("simple: no partitions", "simple", "a")
	del("simple: one", "simple", "a", 0)
	del("simple: one again", "simple", "a", 0)
	del("simple: never committed", "simple", "a", 2)
	del("simple: unknown partition", "simple", "a", 3)
	del("simple: negative partition", "simple", "a", -1)
	del("simple: good and bad", "simple", "a", 1, 9)
	r.do("simple: empty topic", offsetDeleteRequest(r.name("simple"), "", 0))
	r.do("simple: invalid topic", offsetDeleteRequest(r.name("simple"), "a b", 0))
	two := offsetDeleteRequest(r.name("simple"), r.name("b"), 0, 0)
	two.Topics = append(two.Topics, offsetDeleteRequest("", r.name("none"), 0).Topics...)
	r.do("simple: partition twice, and an unknown topic", two)
	r.offsets("simple: afterwards", "simple")
	offsetDeleteSubscribed(r)
	r.remove("b")
	del("deleted topic", "simple", "b", 0)
}

// offsetDeleteSubscribed plays topics that members read.
func offsetDeleteSubscribed(r *run) {
	del := func(name, group, topic string, partitions ...int32) {
		r.do(name, offsetDeleteRequest(r.name(group), r.name(topic), partitions...))
	}
	m := r.stable("classic", protocols(protocol("range", subscription(r.name("a")))))
	r.commitAs(m, "a", 0, 5)
	r.commitAs(m, "b", 0, 5)
	del("classic: subscribed", "classic", "a", 0)
	del("classic: not subscribed", "classic", "b", 0)
	both := offsetDeleteRequest(r.name("classic"), r.name("a"), 0, 1)
	both.Topics = append(both.Topics, offsetDeleteRequest("", r.name("b"), 0).Topics...)
	r.do("classic: both", both)
	m.leave()
	del("classic: left", "classic", "a", 0)
	unread := r.stable("unread", protocols(protocol("range", "nonsense")))
	r.commitAs(unread, "a", 0, 5)
	del("classic: undecodable subscription", "unread", "a", 0)
	connect := r.stable("connect", typed("connect"))
	r.commitAs(connect, "a", 0, 5)
	del("classic: other protocol type", "connect", "a", 0)
	c := r.consumer("modern")
	r.commitFor("modern", c.id, c.epoch, "a", 0, 5)
	r.commitFor("modern", c.id, c.epoch, "b", 0, 5)
	del("consumer group: subscribed", "modern", "a", 0)
	del("consumer group: not subscribed", "modern", "b", 0)
	c.leave()
	del("consumer group: left", "modern", "a", 0)
	r.offsets("consumer group: afterwards", "modern")
}
