package script

import "github.com/twmb/franz-go/pkg/kmsg"

func listOffsetsRequest(topic string, n int32, timestamp int64) *kmsg.ListOffsetsRequest {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = n, timestamp
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.TimeoutMillis = -1, 5000
	req.Topics = append(req.Topics, t)
	return req
}

func listOffsetsSample(*run) kmsg.Request {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	return req
}

func listOffsets(r *run) {
	r.make(newTopic(r.name("a"), 2), newTopic(r.name("cut"), 1), newTopic(r.name("gzip"), 1))
	// Timestamps rise, but for the last batch, which is older than the third.
	for _, ts := range []int64{0, 1000, 5000, 2000} {
		r.produce("a", records{count: 3, ts: epochTime + ts}.batch())
	}
	r.produce("gzip", records{count: 10, codec: 1}.batch())
	r.produce("cut", records{count: 4}.batch(), records{count: 4, ts: epochTime + 100}.batch())
	r.deleteRecords("cut", 0, 6)
	at := func(name, topic string, n int32, ts int64) { r.do(name, listOffsetsRequest(r.name(topic), n, ts)) }
	r.do("no topics", listOffsetsSample(r))
	special := map[int64]string{-1: "latest", -2: "earliest", -3: "max timestamp", -4: "earliest local", -5: "latest tiered", -6: "earliest pending upload", -7: "-7", -8: "-8"}
	for ts := int64(-1); ts >= -8; ts-- {
		at(special[ts], "a", 0, ts)
		at(special[ts]+", empty partition", "a", 1, ts)
		at(special[ts]+", after a deletion", "cut", 0, ts)
	}
	at("max timestamp within a compressed batch", "gzip", 0, -3)
	at("timestamp within a compressed batch", "gzip", 0, epochTime+4)
	at("timestamp 0", "a", 0, 0)
	at("timestamp of the first", "a", 0, epochTime)
	at("timestamp within the first batch", "a", 0, epochTime+2)
	at("timestamp between batches", "a", 0, epochTime+3)
	at("timestamp of the third batch", "a", 0, epochTime+5000)
	at("timestamp of the last record", "a", 0, epochTime+2002)
	at("timestamp after all", "a", 0, epochTime+6000)
	at("timestamp at the end of time", "a", 0, 1<<63-1)
	at("timestamp at the beginning of time", "a", 0, -1<<63)
	at("timestamp in a deleted batch", "cut", 0, epochTime)
	at("timestamp in a half deleted batch", "cut", 0, epochTime+100)
	at("timestamp, empty partition", "a", 1, epochTime)
	at("unknown topic", "none", 0, -1)
	at("unknown partition", "a", 9, -1)
	at("negative partition", "a", -1, -1)
	r.do("empty name", listOffsetsRequest("", 0, -1))
	listOffsetsOdd(r)
}

func listOffsetsOdd(r *run) {
	edited := func(name string, edit func(*kmsg.ListOffsetsRequest)) {
		req := listOffsetsRequest(r.name("a"), 0, -1)
		edit(req)
		r.do(name, req)
	}
	edited("read committed", func(q *kmsg.ListOffsetsRequest) { q.IsolationLevel = 1 })
	edited("isolation level 2", func(q *kmsg.ListOffsetsRequest) { q.IsolationLevel = 2 })
	edited("isolation level -1", func(q *kmsg.ListOffsetsRequest) { q.IsolationLevel = -1 })
	edited("current epoch right", func(q *kmsg.ListOffsetsRequest) { q.Topics[0].Partitions[0].CurrentLeaderEpoch = 0 })
	edited("current epoch unknown", func(q *kmsg.ListOffsetsRequest) { q.Topics[0].Partitions[0].CurrentLeaderEpoch = 3 })
	edited("current epoch -2", func(q *kmsg.ListOffsetsRequest) { q.Topics[0].Partitions[0].CurrentLeaderEpoch = -2 })
	edited("as a replica", func(q *kmsg.ListOffsetsRequest) { q.ReplicaID = 9 })
	edited("as a debug consumer", func(q *kmsg.ListOffsetsRequest) { q.ReplicaID = -2 })
	edited("replica id -7", func(q *kmsg.ListOffsetsRequest) { q.ReplicaID = -7 })
	edited("timeout 0", func(q *kmsg.ListOffsetsRequest) { q.TimeoutMillis = 0 })
	edited("timeout negative", func(q *kmsg.ListOffsetsRequest) { q.TimeoutMillis = -1 })
	edited("the same partition twice", func(q *kmsg.ListOffsetsRequest) {
		ps := &q.Topics[0].Partitions
		*ps = append(*ps, (*ps)[0])
	})
	edited("the same partition thrice, and another", func(q *kmsg.ListOffsetsRequest) {
		ps := &q.Topics[0].Partitions
		other := (*ps)[0]
		other.Partition = 1
		*ps = append(*ps, (*ps)[0], other, (*ps)[0])
	})
	edited("the same topic twice", func(q *kmsg.ListOffsetsRequest) { q.Topics = append(q.Topics, q.Topics[0]) })
	edited("no partitions", func(q *kmsg.ListOffsetsRequest) { q.Topics[0].Partitions = nil })
	edited("good and bad", func(q *kmsg.ListOffsetsRequest) {
		q.Topics = append(q.Topics, listOffsetsRequest(r.name("none"), 0, -2).Topics...)
	})
}
