package script

import "github.com/twmb/franz-go/pkg/kmsg"

func deleteRecordsRequest(topic string, n int32, offset int64) *kmsg.DeleteRecordsRequest {
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Partition, p.Offset = n, offset
	t := kmsg.NewDeleteRecordsRequestTopic()
	t.Topic = topic
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 5000
	req.Topics = append(req.Topics, t)
	return req
}

func deleteRecordsSample(*run) kmsg.Request { return kmsg.NewPtrDeleteRecordsRequest() }

func deleteRecords(r *run) {
	r.make(newTopic(r.name("a"), 2), newTopic(r.name("compact"), 1, "cleanup.policy", "compact"), newTopic(r.name("both"), 1, "cleanup.policy", "compact,delete"))
	r.produce("a", records{count: 4}.batch(), records{count: 4}.batch())
	to := func(name, topic string, n int32, offset int64) {
		r.do(name, deleteRecordsRequest(r.name(topic), n, offset))
	}
	r.do("no topics", deleteRecordsSample(r))
	to("within a batch", "a", 0, 2)
	to("to where it is", "a", 0, 2)
	to("backwards", "a", 0, 1)
	to("past the end", "a", 0, 9)
	to("negative", "a", 0, -2)
	to("to the end by -1", "a", 0, -1)
	to("to the end again", "a", 0, 8)
	to("empty partition", "a", 1, 0)
	to("unknown partition", "a", 5, 0)
	to("negative partition", "a", -1, 0)
	to("unknown topic", "none", 0, 0)
	to("compacted topic", "compact", 0, 0)
	to("compacted and deleted topic", "both", 0, 0)
	r.do("empty name", deleteRecordsRequest("", 0, 0))
	two := deleteRecordsRequest(r.name("a"), 0, -1)
	two.Topics[0].Partitions = append(two.Topics[0].Partitions, two.Topics[0].Partitions[0])
	two.Topics[0].Partitions[1].Offset = 3
	r.do("the same partition twice", two)
	again := deleteRecordsRequest(r.name("a"), 0, -1)
	again.Topics = append(again.Topics, deleteRecordsRequest(r.name("a"), 1, 0).Topics...)
	r.do("the same topic twice", again)
	none := deleteRecordsRequest(r.name("a"), 0, 0)
	none.Topics[0].Partitions = nil
	r.do("no partitions", none)
	zero := deleteRecordsRequest(r.name("a"), 0, 8)
	zero.TimeoutMillis = 0
	r.do("timeout 0", zero)
}
