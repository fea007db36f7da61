package node_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
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
	for name, levels := range controller.DefaultSupported() {
		f := kmsg.NewBrokerRegistrationRequestFeature()
		f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = name, int16(levels.Min), int16(levels.Max)
		req.Features = append(req.Features, f)
	}
	return req
}

// siege is a node to which things are sent that it refuses, and what it says of that.
type siege struct {
	*testing.T
	*testkit.Node
	log    *lockedBuffer
	before int64 // the end of the metadata log
}

func besiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{T: t, log: new(lockedBuffer)}
	s.Node = testkit.Start(t, testkit.Options{Log: s.log, Set: []string{"metadata.max.idle.interval.ms=0", "broker.heartbeat.interval.ms=60000"}})
	s.before = metadataEnd(t, s.Node)
	return s
}

// refusals are the lines of the log about who was refused.
func (s *siege) refusals() []string {
	var all []string
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, `level=WARN msg="refused `) {
			all = append(all, line)
		}
	}
	return all
}

// unchanged checks that not a record was written, and that the log has one more line than before, with these words; no words, no line.
func (s *siege) unchanged(name string, said int, words ...string) {
	s.Helper()
	if end := metadataEnd(s.T, s.Node); end != s.before {
		s.Errorf("%s: the metadata log grew from %d to %d", name, s.before, end)
	}
	lines := s.refusals()[said:]
	if len(words) == 0 && len(lines) == 0 {
		return
	}
	if len(words) == 0 || len(lines) != 1 {
		s.Errorf("%s: the log says\n%s", name, strings.Join(lines, ""))
		return
	}
	for _, word := range append(words, "peer=127.0.0.1:", "hint=") {
		if !strings.Contains(lines[0], word) {
			s.Errorf("%s: %q is not in\n%s", name, word, lines[0])
		}
	}
}

// refuse sends a request to the controller by three connections.
func (s *siege) refuse(name string, want *kerr.Error, req kmsg.Request, code func(kmsg.Response) int16, words ...string) {
	s.Helper()
	said := len(s.refusals())
	for range 3 {
		c := s.DialController()
		c.Send(req, req.MaxVersion())
		resp, _ := c.Receive(req)
		if got := kerr.ErrorForCode(code(resp)); got != want {
			s.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	s.unchanged(name, said, words...)
}

func registered(r kmsg.Response) int16 { return r.(*kmsg.BrokerRegistrationResponse).ErrorCode }
func beaten(r kmsg.Response) int16     { return r.(*kmsg.BrokerHeartbeatResponse).ErrorCode }
func delivered(r kmsg.Response) int16  { return r.(*wire.RaftResponse).ErrorCode }

// What a node does not accept from those that are not of its cluster, or are no longer: each is refused with Kafka's error, not a
// record is written, and however often it comes there is one line in the log, with who it was, what he claims and what to do.
func TestIntruders(t *testing.T) {
	s := besiege(t)
	s.refuse("a foreign cluster", kerr.InconsistentClusterID, registration(9, "another"), registered,
		"another cluster", "node=9", `claims="cluster another"`, "request=BrokerRegistration", "client=testkit", "answer=INCONSISTENT_CLUSTER_ID")
	s.refuse("the same in other words", kerr.InconsistentClusterID, registration(9, "a third"), registered, `claims="cluster a third"`)
	s.refuse("a node with the id of one that is alive", kerr.DuplicateBrokerRegistration, registration(1, s.ClusterID()), registered,
		"id of a living one", "node=1", "incarnation AAAAAAAAQACAAAAAAAAABw", "answer=DUPLICATE_BROKER_REGISTRATION")

	beat := kmsg.NewPtrBrokerHeartbeatRequest()
	beat.BrokerID, beat.BrokerEpoch = 1, 0
	s.refuse("a heartbeat of an earlier incarnation", kerr.StaleBrokerEpoch, beat, beaten,
		"old epoch", "node=1", `claims="broker epoch 0"`, "request=BrokerHeartbeat", "answer=STALE_BROKER_EPOCH")
	ids := kmsg.NewPtrAllocateProducerIDsRequest()
	ids.BrokerID, ids.BrokerEpoch = 1, 0
	s.refuse("producer ids for it", kerr.StaleBrokerEpoch, ids, func(r kmsg.Response) int16 { return r.(*kmsg.AllocateProducerIDsResponse).ErrorCode })
	alter := kmsg.NewPtrAlterPartitionRequest()
	alter.BrokerID, alter.BrokerEpoch, alter.Topics = 1, 0, []kmsg.AlterPartitionRequestTopic{kmsg.NewAlterPartitionRequestTopic()}
	s.refuse("its in-sync sets", kerr.StaleBrokerEpoch, alter, func(r kmsg.Response) int16 { return r.(*kmsg.AlterPartitionResponse).ErrorCode })
	dirs := kmsg.NewPtrAssignReplicasToDirsRequest()
	dirs.BrokerID, dirs.BrokerEpoch = 1, 0
	s.refuse("its directories", kerr.StaleBrokerEpoch, dirs, func(r kmsg.Response) int16 { return r.(*kmsg.AssignReplicasToDirsResponse).ErrorCode })
	beat.BrokerID, beat.BrokerEpoch = 9, 5
	s.refuse("a heartbeat of who is not registered", kerr.StaleBrokerEpoch, beat, beaten, "old epoch", "node=9")

	voter := &wire.RaftRequest{ClusterID: "another", From: wire.RaftNode{ID: 7, Directory: kafka.UUID{1}}, To: 1}
	s.refuse("a voter of another cluster", kerr.InconsistentClusterID, voter, delivered, "another cluster", "node=7", "request=Raft")
	voter.ClusterID = s.ClusterID()
	s.refuse("who is no voter", kerr.InconsistentVoterSet, voter, delivered, "no voter", "node=7", "directory AQAAAAAAAAAAAAAAAAAAAA")
	snapshot := kmsg.NewPtrFetchSnapshotRequest()
	snapshot.ClusterID, snapshot.ReplicaID = kmsg.StringPtr(strings.Repeat("x", 5000)), 8
	s.refuse("an observer of another cluster", kerr.InconsistentClusterID, snapshot, func(r kmsg.Response) int16 { return r.(*kmsg.FetchSnapshotResponse).ErrorCode },
		"another cluster", "node=8", strings.Repeat("x", 50)+`"`)
}

// A broker that was fenced, and does not know it yet, has its partitions' in-sync sets changed by nobody: others lead them, or no one.
func TestFencedBroker(t *testing.T) {
	s := besiege(t)
	c := s.DialController()
	joined := testkit.Ask[*kmsg.BrokerRegistrationResponse](c, registration(9, s.ClusterID()), 4)
	if joined.ErrorCode != 0 {
		t.Fatalf("register: %s", testkit.Code(joined.ErrorCode))
	}
	epoch := joined.BrokerEpoch
	beat := kmsg.NewPtrBrokerHeartbeatRequest()
	beat.BrokerID, beat.BrokerEpoch, beat.CurrentMetadataOffset = 9, epoch, epoch
	if r := testkit.Ask[*kmsg.BrokerHeartbeatResponse](c, beat, 1); r.ErrorCode != 0 || r.IsFenced {
		t.Fatalf("the broker is not in the cluster: %+v", r)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "t", -1, -1
	topic.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: []int32{9}}}
	create.Topics = append(create.Topics, topic)
	created := testkit.Ask[*kmsg.CreateTopicsResponse](c, create, 7).Topics[0]
	if created.ErrorCode != 0 {
		t.Fatalf("create: %s", testkit.Code(created.ErrorCode))
	}
	beat.WantFence = true
	if r := testkit.Ask[*kmsg.BrokerHeartbeatResponse](c, beat, 1); r.ErrorCode != 0 || !r.IsFenced {
		t.Fatalf("the broker is not fenced: %+v", r)
	}
	s.before = metadataEnd(t, s.Node)
	alter := kmsg.NewPtrAlterPartitionRequest()
	alter.BrokerID, alter.BrokerEpoch = 9, epoch
	asked := kmsg.NewAlterPartitionRequestTopic()
	asked.TopicID = created.TopicID
	p := kmsg.NewAlterPartitionRequestTopicPartition()
	p.NewEpochISR = []kmsg.AlterPartitionRequestTopicPartitionNewEpochISR{{BrokerID: 9, BrokerEpoch: epoch}}
	asked.Partitions = append(asked.Partitions, p)
	alter.Topics = append(alter.Topics, asked)
	s.refuse("its in-sync sets", kerr.FencedLeaderEpoch, alter, func(r kmsg.Response) int16 {
		return r.(*kmsg.AlterPartitionResponse).Topics[0].Partitions[0].ErrorCode
	},
		"broker that is fenced", "node=9", "request=AlterPartition", "answer=FENCED_LEADER_EPOCH")
	if said := s.refusals(); len(said) != 1 {
		t.Errorf("the log says\n%s", strings.Join(said, ""))
	}
}

// What brokers and controllers say to each other is nothing for the listener of clients: the connection is closed, nothing happens, and
// one line says who it was.
func TestClientsThatSpeakAsBrokers(t *testing.T) {
	s := besiege(t)
	for _, req := range []kmsg.Request{
		kmsg.NewPtrVoteRequest(), kmsg.NewPtrBeginQuorumEpochRequest(), kmsg.NewPtrEndQuorumEpochRequest(), kmsg.NewPtrAlterPartitionRequest(),
		kmsg.NewPtrEnvelopeRequest(), kmsg.NewPtrFetchSnapshotRequest(), registration(9, s.ClusterID()), kmsg.NewPtrBrokerHeartbeatRequest(),
		kmsg.NewPtrAllocateProducerIDsRequest(), kmsg.NewPtrControllerRegistrationRequest(), kmsg.NewPtrAssignReplicasToDirsRequest(),
	} {
		c := s.Dial()
		c.Write(testkit.Frame(req, req.MaxVersion(), 1))
		c.Closed()
	}
	c := s.Dial()
	c.Write(testkit.Raw(wire.KeyRaft, 0, 1, true, []byte{0}))
	c.Closed()
	s.unchanged("all of them", 0, "nodes alone", "request=Vote", "client=testkit")
}
