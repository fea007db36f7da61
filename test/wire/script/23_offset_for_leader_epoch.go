package script

import "github.com/twmb/franz-go/pkg/kmsg"

func offsetForLeaderEpochRequest(topic string, n, current, epoch int32) *kmsg.OffsetForLeaderEpochRequest {
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = n, current, epoch
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic = topic
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	req.Topics = append(req.Topics, t)
	return req
}

func offsetForLeaderEpochSample(*run) kmsg.Request {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	return req
}

func offsetForLeaderEpoch(r *run) {
	r.make(newTopic(r.name("a"), 2))
	r.produce("a", records{count: 5}.batch())
	at := func(name string, n, current, epoch int32) {
		r.do(name, offsetForLeaderEpochRequest(r.name("a"), n, current, epoch))
	}
	r.do("no topics", offsetForLeaderEpochSample(r))
	at("the only epoch", 0, -1, 0)
	at("current epoch right", 0, 0, 0)
	at("current epoch unknown", 0, 4, 0)
	at("current epoch -2", 0, -2, 0)
	at("epoch not reached", 0, -1, 7)
	at("epoch -1", 0, -1, -1)
	at("epoch -2", 0, -1, -2)
	at("empty partition", 1, -1, 0)
	at("unknown partition", 5, -1, 0)
	at("negative partition", -1, -1, 0)
	r.do("unknown topic", offsetForLeaderEpochRequest(r.name("none"), 0, -1, 0))
	r.do("empty name", offsetForLeaderEpochRequest("", 0, -1, 0))
	edited := func(name string, edit func(*kmsg.OffsetForLeaderEpochRequest)) {
		req := offsetForLeaderEpochRequest(r.name("a"), 0, -1, 0)
		edit(req)
		r.do(name, req)
	}
	edited("as a replica", func(q *kmsg.OffsetForLeaderEpochRequest) { q.ReplicaID = 9 })
	edited("as a debug consumer", func(q *kmsg.OffsetForLeaderEpochRequest) { q.ReplicaID = -2 })
	edited("the same partition twice", func(q *kmsg.OffsetForLeaderEpochRequest) {
		q.Topics[0].Partitions = append(q.Topics[0].Partitions, q.Topics[0].Partitions[0])
	})
	edited("no partitions", func(q *kmsg.OffsetForLeaderEpochRequest) { q.Topics[0].Partitions = nil })
}
