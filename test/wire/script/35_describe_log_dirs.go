package script

import "github.com/twmb/franz-go/pkg/kmsg"

func describeLogDirsRequest(topic string, ns ...int32) *kmsg.DescribeLogDirsRequest {
	t := kmsg.NewDescribeLogDirsRequestTopic()
	t.Topic, t.Partitions = topic, ns
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Topics = append(req.Topics, t)
	return req
}

func describeLogDirsSample(*run) kmsg.Request {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{}
	return req
}

func describeLogDirs(r *run) {
	r.make(newTopic(r.name("a"), 2), newTopic(r.name("b"), 1))
	r.produce("a", records{count: 5}.batch())
	r.do("all topics", kmsg.NewPtrDescribeLogDirsRequest())
	r.do("no topics", describeLogDirsSample(r))
	r.do("one topic", describeLogDirsRequest(r.name("a"), 0, 1))
	r.do("one partition", describeLogDirsRequest(r.name("a"), 1))
	r.do("no partitions", describeLogDirsRequest(r.name("a")))
	r.do("unknown partition", describeLogDirsRequest(r.name("a"), 7))
	r.do("negative partition", describeLogDirsRequest(r.name("a"), -1))
	r.do("partition twice", describeLogDirsRequest(r.name("a"), 0, 0))
	r.do("unknown topic", describeLogDirsRequest(r.name("none"), 0))
	r.do("empty name", describeLogDirsRequest("", 0))
	two := describeLogDirsRequest(r.name("a"), 0)
	two.Topics = append(two.Topics, describeLogDirsRequest(r.name("a"), 1).Topics...)
	r.do("topic twice", two)
}
