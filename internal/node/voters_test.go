package node_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
)

// describe asks for the state of the quorum.
func describe(t *testing.T, client *kgo.Client) (kmsg.DescribeQuorumResponseTopicPartition, []kmsg.DescribeQuorumResponseNode) {
	t.Helper()
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = kafka.ClusterMetadataTopic
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		t.Fatalf("%+v", resp)
	}
	return resp.Topics[0].Partitions[0], resp.Nodes
}

// ids are the voters or observers of an answer, by id.
func ids(replicas []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) []string {
	var all []string
	for _, r := range replicas {
		all = append(all, fmt.Sprint(r.ReplicaID, " ", kafka.UUID(r.ReplicaDirectoryID)))
	}
	slices.Sort(all)
	return all
}

// TestDynamicQuorumOfThree: nodes that were formatted with the same initial controllers find each other, elect a leader, and go on when that one goes.
func TestDynamicQuorumOfThree(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Dynamic: true})
	client := c.Client()
	var want []string
	for id := 1; id <= 3; id++ {
		want = append(want, fmt.Sprint(id, " ", testkit.Directory(id)))
	}
	first, nodes := describe(t, client)
	if got := ids(first.CurrentVoters); !slices.Equal(got, want) || len(first.Observers) > 0 {
		t.Fatalf("voters %v, observers %v, want %v", got, ids(first.Observers), want)
	}
	for _, n := range nodes {
		l := n.Listeners[0]
		if at := fmt.Sprintf("%s:%d", l.Host, l.Port); l.Name != "CONTROLLER" || at != c.Nodes[n.NodeID-1].ControllerAddr {
			t.Errorf("voter %d is at %s %s, want %s", n.NodeID, l.Name, at, c.Nodes[n.NodeID-1].ControllerAddr)
		}
	}
	testkit.Eventually(t, "all voters have told how far they are", func() bool {
		p, _ := describe(t, client)
		return !slices.ContainsFunc(p.CurrentVoters, func(r kmsg.DescribeQuorumResponseTopicPartitionReplicaState) bool {
			return r.LogEndOffset < first.HighWatermark || r.LastCaughtUpTimestamp < 0
		})
	})
	c.Stop(int(first.LeaderID))
	testkit.Eventually(t, "another one leads", func() bool {
		p, _ := describe(t, client)
		return p.LeaderID != first.LeaderID && p.LeaderEpoch > first.LeaderEpoch
	})
	c.Restart(int(first.LeaderID))
	if second, _ := describe(t, client); !slices.Equal(ids(second.CurrentVoters), want) {
		t.Errorf("voters %v after a restart, want %v", ids(second.CurrentVoters), want)
	}
}

// change sends a request about voters by a broker's listener, and wants this error.
func change(t *testing.T, client *kgo.Client, req kmsg.Request, want error) {
	t.Helper()
	resp, err := client.Request(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var code int16
	var why *string
	switch resp := resp.(type) {
	case *kmsg.AddRaftVoterResponse:
		code, why = resp.ErrorCode, resp.ErrorMessage
	case *kmsg.RemoveRaftVoterResponse:
		code, why = resp.ErrorCode, resp.ErrorMessage
	}
	if got := kerr.ErrorForCode(code); !errors.Is(got, want) {
		text := ""
		if why != nil {
			text = *why
		}
		t.Fatalf("%T: %v (%s), want %v", req, got, text, want)
	}
}

func removal(id int, directory kafka.UUID) *kmsg.RemoveRaftVoterRequest {
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID = int32(id), directory
	return req
}

func addition(n *testkit.Node, id int, directory kafka.UUID) *kmsg.AddRaftVoterRequest {
	req := kmsg.NewPtrAddRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID, req.TimeoutMillis, req.AckWhenCommitted = int32(id), directory, 10_000, true
	l := kmsg.NewAddRaftVoterRequestListener()
	host, port, _ := net.SplitHostPort(n.ControllerAddr)
	at, _ := strconv.ParseUint(port, 10, 16)
	l.Name, l.Host, l.Port = "CONTROLLER", host, uint16(at)
	req.Listeners = append(req.Listeners, l)
	return req
}

// TestVotersComeAndGo: any voter, the leader too, is removed, goes on as a broker and observer, and is made a voter again when it has caught up; one of
// another disk is none.
func TestVotersComeAndGo(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Dynamic: true})
	client := c.Client()
	for range 3 {
		before, _ := describe(t, client)
		gone := int(before.LeaderID)
		change(t, client, removal(gone, kafka.UUID{9}), kerr.VoterNotFound)
		change(t, client, addition(c.Nodes[gone-1], gone, testkit.Directory(gone)), kerr.DuplicateVoter)
		change(t, client, removal(gone, testkit.Directory(gone)), nil)
		change(t, client, removal(gone, testkit.Directory(gone)), kerr.VoterNotFound)
		testkit.Eventually(t, "it observes", func() bool {
			p, _ := describe(t, client)
			return len(p.CurrentVoters) == 2 && len(p.Observers) == 1 && int(p.Observers[0].ReplicaID) == gone && p.Observers[0].LogEndOffset >= p.HighWatermark
		})
		req := addition(c.Nodes[gone-1], gone, testkit.Directory(gone))
		other := *req
		other.VoterDirectoryID = kafka.UUID{9}
		change(t, client, &other, kerr.RequestTimedOut)
		change(t, client, req, nil)
		if p, _ := describe(t, client); len(p.CurrentVoters) != 3 || len(p.Observers) != 0 {
			t.Fatalf("voters %v, observers %v", ids(p.CurrentVoters), ids(p.Observers))
		}
	}
}

// directoryOf waits until a node observes with all of the metadata, and returns its directory.
func directoryOf(t *testing.T, client *kgo.Client, id int) kafka.UUID {
	t.Helper()
	var directory kafka.UUID
	testkit.Eventually(t, "it observes", func() bool {
		p, _ := describe(t, client)
		for _, o := range p.Observers {
			if int(o.ReplicaID) == id && o.LogEndOffset >= p.HighWatermark {
				directory = o.ReplicaDirectoryID
				return true
			}
		}
		return false
	})
	return directory
}

// TestNodesJoin: a node that was formatted without voters finds the quorum, serves, and is given a vote; one that comes back with an empty disk when its
// old vote was taken away is given another one.
func TestNodesJoin(t *testing.T) {
	c := testkit.StartCluster(t, 1, testkit.Options{Dynamic: true})
	client := c.Client()
	for id := 2; id <= 3; id++ {
		if got := c.Join(); got != id {
			t.Fatalf("node %d joins", got)
		}
		change(t, client, addition(c.Nodes[id-1], id, directoryOf(t, client, id)), nil)
	}
	all := c.Client()
	p, _ := describe(t, all)
	if len(p.CurrentVoters) != 3 || len(p.Observers) != 0 {
		t.Fatalf("voters %v, observers %v", ids(p.CurrentVoters), ids(p.Observers))
	}
	old := kafka.UUID(p.CurrentVoters[slices.IndexFunc(p.CurrentVoters, func(r kmsg.DescribeQuorumResponseTopicPartitionReplicaState) bool { return r.ReplicaID == 3 })].ReplicaDirectoryID)
	c.Stop(3)
	change(t, all, removal(3, old), nil)
	c.Wipe(3, "/data")
	c.Restart(3)
	fresh := directoryOf(t, all, 3)
	if fresh == old {
		t.Fatal("the wiped node has its old directory")
	}
	change(t, all, removal(3, fresh), kerr.VoterNotFound)
	change(t, all, addition(c.Nodes[2], 3, fresh), nil)
	c.Stop(1) // the first voter of all is not needed any more
	testkit.Eventually(t, "the others go on", func() bool {
		p, _ := describe(t, all)
		return p.LeaderID != 1 && len(p.CurrentVoters) == 3
	})
}

// TestWipedVoter: a voter that comes back with an empty disk serves at once, without a vote, whoever leads and though nobody removed the voter
// that it was; that is done when there is time.
func TestWipedVoter(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Dynamic: true})
	client := c.Client()
	first, _ := describe(t, client)
	id := int(first.LeaderID)%3 + 1
	c.Stop(id)
	c.Wipe(id, "/data")
	c.Restart(id)
	fresh := directoryOf(t, client, id)
	old := testkit.Directory(id)
	if p, _ := describe(t, client); fresh == old || !slices.Equal(ids(p.CurrentVoters), ids(first.CurrentVoters)) {
		t.Fatalf("it has directory %v, and the voters are %v", fresh, ids(p.CurrentVoters))
	}
	c.Nodes[id-1].Dial().Create("t", 1)
	change(t, client, addition(c.Nodes[id-1], id, fresh), kerr.DuplicateVoter)
	c.Kill(int(first.LeaderID)) // one of three has its vote until it is back
	c.Restart(int(first.LeaderID))
	if again := directoryOf(t, client, id); again != fresh {
		t.Fatalf("it has directory %v, had %v", again, fresh)
	}
	change(t, client, removal(id, old), nil)
	change(t, client, addition(c.Nodes[id-1], id, directoryOf(t, client, id)), nil)
	if p, _ := describe(t, client); len(p.CurrentVoters) != 3 || len(p.Observers) != 0 || !slices.Contains(ids(p.CurrentVoters), fmt.Sprint(id, " ", fresh)) {
		t.Fatalf("voters %v", ids(p.CurrentVoters))
	}
}

// TestNodesJoinByThemselves: with controller.quorum.auto.join.enable nobody has to add a node, nor to remove what it was when its disk was lost.
func TestNodesJoinByThemselves(t *testing.T) {
	c := testkit.StartCluster(t, 1, testkit.Options{Dynamic: true, Set: []string{"controller.quorum.auto.join.enable=true"}})
	c.Join()
	c.Join()
	client := c.Client()
	var p kmsg.DescribeQuorumResponseTopicPartition
	vote := func() bool {
		p, _ = describe(t, client)
		return len(p.CurrentVoters) == 3 && len(p.Observers) == 0
	}
	testkit.Eventually(t, "all three vote", vote)
	before := ids(p.CurrentVoters)
	c.Stop(3)
	c.Wipe(3, "/data")
	c.Restart(3)
	testkit.Eventually(t, "the third votes with its new disk", func() bool {
		return vote() && slices.Equal(ids(p.CurrentVoters)[:2], before[:2]) && ids(p.CurrentVoters)[2] != before[2]
	})
}

// TestStaticQuorumBecomesDynamic: kraft.version is raised when all voters have told their disks; then the log names them, also after a restart, and they come
// and go.
func TestStaticQuorumBecomesDynamic(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	client := c.Client()
	change(t, client, removal(1, kafka.UUID{1}), kerr.UnsupportedVersion)
	req := kmsg.NewPtrUpdateFeaturesRequest()
	f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	f.Feature, f.MaxVersionLevel, f.UpgradeType = "kraft.version", 1, 1
	req.FeatureUpdates, req.TimeoutMillis = append(req.FeatureUpdates, f), 10_000
	testkit.Eventually(t, "all have told their disks", func() bool {
		resp, err := req.RequestWith(t.Context(), client)
		return err == nil && resp.ErrorCode == 0
	})
	before, nodes := describe(t, client)
	if len(before.CurrentVoters) != 3 || len(nodes) != 3 || nodes[0].Listeners[0].Port == 0 {
		t.Fatalf("%+v, %+v", before, nodes)
	}
	for _, v := range before.CurrentVoters {
		if kafka.UUID(v.ReplicaDirectoryID).IsZero() {
			t.Fatalf("voter %d has no directory", v.ReplicaID)
		}
	}
	for id := 1; id <= 3; id++ {
		c.Stop(id)
		c.Restart(id)
	}
	again, _ := describe(t, client)
	if !slices.Equal(ids(again.CurrentVoters), ids(before.CurrentVoters)) {
		t.Fatalf("after a restart %v, before %v", ids(again.CurrentVoters), ids(before.CurrentVoters))
	}
	leader := slices.IndexFunc(again.CurrentVoters, func(r kmsg.DescribeQuorumResponseTopicPartitionReplicaState) bool {
		return r.ReplicaID == again.LeaderID
	})
	directory := kafka.UUID(again.CurrentVoters[leader].ReplicaDirectoryID)
	id := int(again.LeaderID)
	change(t, client, removal(id, directory), nil)
	if got := directoryOf(t, client, id); got != directory {
		t.Errorf("observes with directory %v, was %v", got, directory)
	}
	change(t, client, addition(c.Nodes[id-1], id, directory), nil)
}
