package node_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/wire"
)

// metadataEnd is how far the metadata log is.
func metadataEnd(t *testing.T, n *testkit.Node) int64 {
	t.Helper()
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic, topic.Partitions = "__cluster_metadata", []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), n.Client())
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[0].Partitions[0].HighWatermark
}

// registration is that of a broker that does not exist.
func registration(id int32, cluster string) *kmsg.BrokerRegistrationRequest {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.BrokerID, req.ClusterID, req.IncarnationID, req.PreviousBrokerEpoch = id, cluster, [16]byte{6: 0x40, 8: 0x80, 15: 7}, -1
	req.LogDirs = [][16]byte{{0: 1, 6: 0x40, 8: 0x80, 15: byte(id)}}
	l := kmsg.NewBrokerRegistrationRequestListener()
	l.Name, l.Host, l.Port = "PLAINTEXT", "127.0.0.1", 1
	req.Listeners = append(req.Listeners, l)
	f := kmsg.NewBrokerRegistrationRequestFeature()
	f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = "metadata.version", 7, 33
	req.Features = append(req.Features, f)
	return req
}

// What a node does not accept from those that are not of its cluster, or are no longer: each is refused with Kafka's error, and not a
// record is written.
func TestIntruders(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"metadata.max.idle.interval.ms=0", "broker.heartbeat.interval.ms=60000"}})
	before := metadataEnd(t, n)
	refused := func(name string, want *kerr.Error, req kmsg.Request, code func(kmsg.Response) int16) {
		t.Helper()
		c := n.DialController()
		c.Send(req, req.MaxVersion())
		resp, _ := c.Receive(req)
		if got := kerr.ErrorForCode(code(resp)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if end := metadataEnd(t, n); end != before {
			t.Errorf("%s: the metadata log grew from %d to %d", name, before, end)
		}
	}
	registered := func(r kmsg.Response) int16 { return r.(*kmsg.BrokerRegistrationResponse).ErrorCode }
	refused("a foreign cluster", kerr.InconsistentClusterID, registration(9, "another"), registered)
	refused("a node with the id of one that is alive", kerr.DuplicateBrokerRegistration, registration(1, n.ClusterID()), registered)

	beat := kmsg.NewPtrBrokerHeartbeatRequest()
	beat.BrokerID, beat.BrokerEpoch = 1, 0
	refused("a heartbeat of an earlier incarnation", kerr.StaleBrokerEpoch, beat, func(r kmsg.Response) int16 { return r.(*kmsg.BrokerHeartbeatResponse).ErrorCode })
	ids := kmsg.NewPtrAllocateProducerIDsRequest()
	ids.BrokerID, ids.BrokerEpoch = 1, 0
	refused("producer ids for it", kerr.StaleBrokerEpoch, ids, func(r kmsg.Response) int16 { return r.(*kmsg.AllocateProducerIDsResponse).ErrorCode })
	alter := kmsg.NewPtrAlterPartitionRequest()
	alter.BrokerID, alter.Topics = 1, []kmsg.AlterPartitionRequestTopic{kmsg.NewAlterPartitionRequestTopic()}
	refused("its in-sync sets", kerr.StaleBrokerEpoch, alter, func(r kmsg.Response) int16 { return r.(*kmsg.AlterPartitionResponse).ErrorCode })
	dirs := kmsg.NewPtrAssignReplicasToDirsRequest()
	dirs.BrokerID = 1
	refused("its directories", kerr.StaleBrokerEpoch, dirs, func(r kmsg.Response) int16 { return r.(*kmsg.AssignReplicasToDirsResponse).ErrorCode })
}

// What brokers and controllers say to each other is nothing for the listener of clients: the connection is closed, and nothing happens.
func TestClientsThatSpeakAsBrokers(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"metadata.max.idle.interval.ms=0", "broker.heartbeat.interval.ms=60000"}})
	before := metadataEnd(t, n)
	for _, req := range []kmsg.Request{
		kmsg.NewPtrVoteRequest(), kmsg.NewPtrBeginQuorumEpochRequest(), kmsg.NewPtrEndQuorumEpochRequest(), kmsg.NewPtrAlterPartitionRequest(),
		kmsg.NewPtrEnvelopeRequest(), kmsg.NewPtrFetchSnapshotRequest(), registration(9, n.ClusterID()), kmsg.NewPtrBrokerHeartbeatRequest(),
		kmsg.NewPtrAllocateProducerIDsRequest(), kmsg.NewPtrControllerRegistrationRequest(), kmsg.NewPtrAssignReplicasToDirsRequest(),
	} {
		c := n.Dial()
		c.Write(testkit.Frame(req, req.MaxVersion(), 1))
		c.Closed()
	}
	c := n.Dial()
	c.Write(testkit.Raw(wire.KeyRaft, 0, 1, true, []byte{0}))
	c.Closed()
	if end := metadataEnd(t, n); end != before {
		t.Errorf("the metadata log grew from %d to %d", before, end)
	}
}
