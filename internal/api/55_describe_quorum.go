package api

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// DescribeQuorum, key 55, versions 0 to 2. KIP-595, KIP-836 (fetch times), KIP-853 (version 2: directories and the
// voters' endpoints). The one partition that may be asked for is __cluster_metadata-0. A broker asks the active controller.
func describeQuorum(c *call, req *kmsg.DescribeQuorumRequest) *kmsg.DescribeQuorumResponse {
	if c.on == onBroker {
		if resp, here := ask[*kmsg.DescribeQuorumResponse](c, req); !here {
			return resp
		}
	}
	resp := kmsg.NewPtrDescribeQuorumResponse()
	resp.ErrorMessage = new(string) // Kafka's message is empty, not null
	if len(req.Topics) != 1 || req.Topics[0].Topic != kafka.ClusterMetadataTopic ||
		len(req.Topics[0].Partitions) != 1 || req.Topics[0].Partitions[0].Partition != 0 {
		return unknownQuorum(req, resp)
	}
	status := c.Quorum.Status()
	t := kmsg.NewDescribeQuorumResponseTopic()
	t.Topic = kafka.ClusterMetadataTopic
	p := kmsg.NewDescribeQuorumResponseTopicPartition()
	p.ErrorMessage = new(string)
	p.LeaderID, p.LeaderEpoch, p.HighWatermark = int32(status.Leader), int32(status.Epoch), int64(status.HighWatermark)
	p.CurrentVoters = quorumReplicas(status.Voters)
	p.Observers = quorumReplicas(status.Observers)
	if status.Leader != c.id() {
		p = kmsg.NewDescribeQuorumResponseTopicPartition()
		text := fmt.Sprintf("the leader is node %d", status.Leader)
		p.ErrorCode, p.ErrorMessage = kerr.NotLeaderForPartition.Code, &text
	}
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	for _, v := range status.Nodes {
		resp.Nodes = append(resp.Nodes, quorumNode(v))
	}
	return resp
}

func unknownQuorum(req *kmsg.DescribeQuorumRequest, resp *kmsg.DescribeQuorumResponse) *kmsg.DescribeQuorumResponse {
	for _, asked := range req.Topics {
		t := kmsg.NewDescribeQuorumResponseTopic()
		t.Topic = asked.Topic
		for _, a := range asked.Partitions {
			p := kmsg.NewDescribeQuorumResponseTopicPartition()
			p.Partition, p.ErrorCode = a.Partition, kerr.UnknownTopicOrPartition.Code
			p.ErrorMessage = message(kerr.UnknownTopicOrPartition)
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func quorumReplicas(states []quorum.ReplicaState) []kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
	var out []kmsg.DescribeQuorumResponseTopicPartitionReplicaState
	for _, s := range states {
		r := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
		r.ReplicaID, r.ReplicaDirectoryID, r.LogEndOffset = int32(s.ID), s.Directory, int64(s.LogEndOffset)
		r.LastFetchTimestamp, r.LastCaughtUpTimestamp = stamp(s.LastFetch), stamp(s.LastCaughtUp)
		out = append(out, r)
	}
	return out
}

func quorumNode(v quorum.Voter) kmsg.DescribeQuorumResponseNode {
	n := kmsg.NewDescribeQuorumResponseNode()
	n.NodeID = int32(v.ID)
	for _, e := range v.Endpoints {
		n.Listeners = append(n.Listeners, quorumListener(e))
	}
	return n
}

func quorumListener(e metadata.Endpoint) kmsg.DescribeQuorumResponseNodeListener {
	l := kmsg.NewDescribeQuorumResponseNodeListener()
	l.Name, l.Host, l.Port = e.Listener, e.Host, e.Port
	return l
}

// stamp is a moment in milliseconds, -1 when it is not known.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return kafka.NoTimestamp
	}
	return t.UnixMilli()
}
