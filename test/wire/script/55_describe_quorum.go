package script

import "github.com/twmb/franz-go/pkg/kmsg"

// metadataLog is the name of the metadata log's topic.
const metadataLog = "__cluster_metadata"

func describeQuorumRequest(topic string, ns ...int32) *kmsg.DescribeQuorumRequest {
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = topic
	for _, n := range ns {
		p := kmsg.NewDescribeQuorumRequestTopicPartition()
		p.Partition = n
		t.Partitions = append(t.Partitions, p)
	}
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Topics = append(req.Topics, t)
	return req
}

func describeQuorumSample(*run) kmsg.Request { return describeQuorumRequest(metadataLog, 0) }

func describeQuorum(r *run) {
	r.do("ordinary", describeQuorumRequest(metadataLog, 0))
	r.do("no topics", kmsg.NewPtrDescribeQuorumRequest())
	r.do("no partitions", describeQuorumRequest(metadataLog))
	r.do("unknown partition", describeQuorumRequest(metadataLog, 1))
	r.do("negative partition", describeQuorumRequest(metadataLog, -1))
	r.do("partition twice", describeQuorumRequest(metadataLog, 0, 0))
	r.do("right and wrong partition", describeQuorumRequest(metadataLog, 0, 5))
	r.do("another topic", describeQuorumRequest(marker, 0))
	r.do("unknown topic", describeQuorumRequest("none", 0))
	r.do("empty name", describeQuorumRequest("", 0))
	two := describeQuorumRequest(metadataLog, 0)
	two.Topics = append(two.Topics, describeQuorumRequest("none", 0).Topics...)
	r.do("right and wrong topic", two)
}
