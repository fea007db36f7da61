package script

import "github.com/twmb/franz-go/pkg/kmsg"

func describeProducersRequest(topic string, ns ...int32) *kmsg.DescribeProducersRequest {
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = topic, ns
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, t)
	return req
}

func describeProducersSample(*run) kmsg.Request { return kmsg.NewPtrDescribeProducersRequest() }

func describeProducers(r *run) {
	r.make(newTopic(r.name("a"), 2))
	r.produce("a", records{count: 1}.batch(),
		records{count: 3, withPID: true, pid: 5_000_000}.batch(),
		records{count: 2, withPID: true, pid: 5_000_000, seq: 3}.batch(),
		records{count: 1, withPID: true, pid: 5_000_001, pepoch: 4, seq: 9}.batch())
	r.do("no topics", describeProducersSample(r))
	r.do("two producers", describeProducersRequest(r.name("a"), 0))
	r.do("no producers", describeProducersRequest(r.name("a"), 1))
	r.do("no partitions", describeProducersRequest(r.name("a")))
	r.do("unknown partition", describeProducersRequest(r.name("a"), 5))
	r.do("negative partition", describeProducersRequest(r.name("a"), -1))
	r.do("unknown topic", describeProducersRequest(r.name("none"), 0))
	r.do("invalid name", describeProducersRequest("a b", 0))
	r.do("empty name", describeProducersRequest("", 0))
	r.do("partition twice", describeProducersRequest(r.name("a"), 1, 1))
	two := describeProducersRequest(r.name("a"), 1)
	two.Topics = append(two.Topics, describeProducersRequest(r.name("a"), 0).Topics...)
	r.do("topic twice", two)
}
