package script

import "github.com/twmb/franz-go/pkg/kmsg"

func describeTopicPartitionsRequest(names ...string) *kmsg.DescribeTopicPartitionsRequest {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit = 2000
	for _, n := range names {
		t := kmsg.NewDescribeTopicPartitionsRequestTopic()
		t.Topic = n
		req.Topics = append(req.Topics, t)
	}
	return req
}

func describeTopicPartitionsSample(r *run) kmsg.Request {
	return describeTopicPartitionsRequest(r.name("none"))
}

func describeTopicPartitions(r *run) {
	r.make(newTopic(r.name("a"), 5), newTopic(r.name("b"), 2), newTopic(r.name("c"), 1))
	r.do("all topics", describeTopicPartitionsRequest())
	r.do("one topic", describeTopicPartitionsRequest(r.name("a")))
	r.do("two topics, not in order", describeTopicPartitionsRequest(r.name("b"), r.name("a")))
	r.do("topic twice", describeTopicPartitionsRequest(r.name("b"), r.name("b")))
	r.do("unknown topic", describeTopicPartitionsRequest(r.name("none")))
	r.do("known and unknown", describeTopicPartitionsRequest(r.name("a"), r.name("none")))
	r.do("invalid name", describeTopicPartitionsRequest("a b"))
	r.do("empty name", describeTopicPartitionsRequest(""))
	paged := func(name string, limit int32, topic string, n int32, topics ...string) {
		req := describeTopicPartitionsRequest(topics...)
		req.ResponsePartitionLimit = limit
		if topic != "" {
			c := kmsg.NewDescribeTopicPartitionsRequestCursor()
			c.Topic, c.Partition = topic, n
			req.Cursor = &c
		}
		r.do(name, req)
	}
	a, b, c := r.name("a"), r.name("b"), r.name("c")
	paged("limit 3", 3, "", 0, a, b, c)
	paged("limit 5, just one topic", 5, "", 0, a, b, c)
	paged("limit 6", 6, "", 0, a, b, c)
	paged("limit 1", 1, "", 0, a)
	paged("limit 0", 0, "", 0, a)
	paged("limit negative", -1, "", 0, a)
	paged("limit absurd", 1<<31-1, "", 0, a)
	paged("cursor within a topic", 3, a, 3, a, b, c)
	paged("cursor at a topic", 10, b, 0, a, b, c)
	paged("cursor past a topic's partitions", 10, a, 9, a, b, c)
	paged("cursor negative", 10, a, -1, a, b, c)
	paged("cursor at a topic not asked for", 10, b, 0, a, c)
	paged("cursor at a topic that is gone", 10, r.name("bb"), 1, a, r.name("bb"), c)
	paged("cursor after all", 10, r.name("z"), 0, a, b, c)
	paged("cursor with an empty name", 10, "", 0, a)
}
