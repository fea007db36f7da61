package replication_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// node is broker 1 with the replicas of topic t, whose leader is broker 2, a fake, and the controller, another one.
type node struct {
	t        *testing.T
	m        *partition.Manager
	engine   *replication.Engine
	image    *metadata.Image
	leader   *testkit.Fake
	mu       sync.Mutex // guards what follows
	requests []*kmsg.FetchRequest
	// script answers the partitions of a fetch, in turn; the last one stays.
	script  []func(*kmsg.FetchResponseTopicPartition)
	altered []*kmsg.AlterPartitionRequest
	refuse  error // what the controller says

	dialed atomic.Int32 // connections to the leader that are open
}

// counted is a connection that is counted while it is open.
type counted struct {
	net.Conn
	of   *atomic.Int32
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.of.Add(-1) })
	return c.Conn.Close()
}

var topic = kafka.UUID{1}

func newNode(t *testing.T, script ...func(*kmsg.FetchResponseTopicPartition)) *node {
	t.Helper()
	n := &node{t: t, image: metadata.Empty(), script: script}
	n.leader = &testkit.Fake{T: t, Handle: n.lead, Versions: []kmsg.ApiVersionsResponseApiKey{
		{ApiKey: 1, MinVersion: 4, MaxVersion: 17}, {ApiKey: 2, MinVersion: 1, MaxVersion: 10},
	}}
	n.engine = replication.New(replication.Options{
		Self: 1, Epoch: func() kafka.BrokerEpoch { return 77 }, Controller: n, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Dial: func(ctx context.Context, id kafka.NodeID) (net.Conn, error) {
			if id != 2 {
				return nil, fmt.Errorf("broker %d is not there", id)
			}
			nc, err := n.leader.Dial(ctx)
			if err == nil {
				n.dialed.Add(1)
				nc = &counted{Conn: nc, of: &n.dialed}
			}
			return nc, err
		},
		Limits: replication.Limits{MaxWait: time.Second, MinBytes: 1, MaxBytes: 1 << 20, MaxPartitionBytes: 1 << 20, Backoff: 50 * time.Millisecond, Timeout: 20 * time.Second},
	})
	n.open(n.engine.Propose, n.engine.Moved)
	t.Cleanup(n.engine.Close)
	n.apply(&schema.TopicRecord{Name: "t", TopicID: topic}, n.partition(0, 2))
	return n
}

// open opens the partitions of an empty disk.
func (n *node) open(propose func(partition.Proposed), moved func([]*partition.Partition)) {
	n.t.Helper()
	fs := vfs.NewMem()
	if err := fs.Mkdir("/data"); err != nil {
		n.t.Fatal(err)
	}
	var err error
	n.m, err = partition.Open(partition.Options{
		Self: 1, FS: fs, Dirs: []partition.Dir{{Path: "/data", ID: kafka.UUID{9}}}, Template: commitlog.Options{Cache: segment.NewCache(10, 1<<20)},
		TopicConfig: func(string, map[string]string) partition.Config {
			return partition.Config{Log: commitlog.DefaultConfig(), MinInSyncReplicas: 1, MaxMessageBytes: 1 << 20, MaxDecompressed: 1 << 20,
				FlushInterval: -1, TimestampBefore: -1, TimestampAfter: math.MaxInt64}
		},
		Now: time.Now, NewID: func() kafka.UUID { return kafka.UUID{8} }, Propose: propose, Moved: moved, Cluster: all{}, MaxLag: time.Minute,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if _, err := n.m.Close(); err != nil {
			n.t.Error(err)
		}
	})
}

// all brokers may come into an in-sync set.
type all struct{}

func (all) InSyncEpoch(id kafka.NodeID) kafka.BrokerEpoch { return 70 + kafka.BrokerEpoch(id) }

func (n *node) partition(id, leader int32) *schema.PartitionRecord {
	return &schema.PartitionRecord{TopicID: topic, PartitionID: id, Replicas: []int32{1, 2}, ISR: []int32{leader}, Leader: leader, Directories: make([]kafka.UUID, 2)}
}

func (n *node) apply(records ...schema.MetadataRecord) {
	n.t.Helper()
	delta := metadata.NewDelta(n.image)
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			n.t.Fatal(err)
		}
	}
	n.image = delta.Apply(n.image.Offset+kafka.Offset(len(records)), 1, 1)
	n.m.Apply(delta, n.image)
}

func (n *node) get(id int32) *partition.Partition {
	n.t.Helper()
	p, err := n.m.Get("t", id)
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// lead answers as the leader does.
func (n *node) lead(h wire.Header, body []byte) []byte {
	decoded, err := wire.Decode(h, body)
	if err != nil {
		n.t.Error(err)
		return nil
	}
	if req, ok := decoded.(*kmsg.ListOffsetsRequest); ok {
		return testkit.Answer(h, n.offsets(req))
	}
	req := decoded.(*kmsg.FetchRequest)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, req)
	play := n.script[0]
	if len(n.script) > 1 {
		n.script = n.script[1:]
	}
	resp := kmsg.NewPtrFetchResponse()
	for _, t := range req.Topics {
		out := kmsg.NewFetchResponseTopic()
		out.TopicID = t.TopicID
		for _, p := range t.Partitions {
			a := kmsg.NewFetchResponseTopicPartition()
			a.Partition, a.HighWatermark, a.LogStartOffset = p.Partition, p.FetchOffset, 0
			play(&a)
			out.Partitions = append(out.Partitions, a)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return testkit.Answer(h, resp)
}

// offsets says that the log goes from 100 to 200.
func (n *node) offsets(req *kmsg.ListOffsetsRequest) *kmsg.ListOffsetsResponse {
	resp := kmsg.NewPtrListOffsetsResponse()
	out := kmsg.NewListOffsetsResponseTopic()
	p := kmsg.NewListOffsetsResponseTopicPartition()
	if p.Offset = 200; req.Topics[0].Partitions[0].Timestamp == partition.EarliestTimestamp {
		p.Offset = 100
	}
	out.Partitions = append(out.Partitions, p)
	resp.Topics = append(resp.Topics, out)
	return resp
}

// Submit is the controller's part: it says yes, or refuse.
func (n *node) Submit(_ context.Context, cmd controller.Command) (any, error) {
	req := cmd.(controller.AlterPartition).Request
	n.mu.Lock()
	defer n.mu.Unlock()
	n.altered = append(n.altered, req)
	if err := n.refuse; err != nil {
		n.refuse = nil
		return nil, err
	}
	resp := kmsg.NewPtrAlterPartitionResponse()
	for _, t := range req.Topics {
		out := kmsg.NewAlterPartitionResponseTopic()
		out.TopidID = t.TopicID
		for _, p := range t.Partitions {
			a := kmsg.NewAlterPartitionResponseTopicPartition()
			a.Partition, a.LeaderID, a.LeaderEpoch, a.PartitionEpoch, a.ISR = p.Partition, 1, p.LeaderEpoch, p.PartitionEpoch+1, p.NewISR
			out.Partitions = append(out.Partitions, a)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return resp, nil
}

func (n *node) asked() []*kmsg.FetchRequest {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

func fails(err *kerr.Error) func(*kmsg.FetchResponseTopicPartition) {
	return func(a *kmsg.FetchResponseTopicPartition) { a.ErrorCode = err.Code }
}

func nothing(*kmsg.FetchResponseTopicPartition) {}

// batchAt is a leader's batch of one record.
func batchAt(base kafka.Offset) []byte {
	b := testkit.BatchOf(1, "value")
	record.Batch(b).SetBaseOffset(base)
	record.Batch(b).SetLeaderEpoch(0)
	return b
}

// TestFetchesGoOn: a follower asks with its epochs and broker epoch, writes what comes, takes over the high watermark, and goes on
// whatever the leader says: an error of the partition, another end, another beginning.
func TestFetchesGoOn(t *testing.T) {
	n := newNode(t,
		fails(kerr.UnknownLeaderEpoch),
		fails(kerr.NotLeaderForPartition),
		func(a *kmsg.FetchResponseTopicPartition) { a.RecordBatches = append(batchAt(0), batchAt(1)...) },
		func(a *kmsg.FetchResponseTopicPartition) { a.DivergingEpoch.Epoch, a.DivergingEpoch.EndOffset = 0, 1 },
		func(a *kmsg.FetchResponseTopicPartition) { a.RecordBatches, a.HighWatermark = batchAt(1), 1 },
		fails(kerr.OffsetOutOfRange),
		func(a *kmsg.FetchResponseTopicPartition) { a.RecordBatches = batchAt(100) },
		nothing,
	)
	testkit.Eventually(t, "it goes on behind the leader's log start", func() bool { return n.get(0).LogEndOffset() == 101 })
	asked := n.asked()
	var offsets []int64
	for _, r := range asked[:7] {
		p := r.Topics[0].Partitions[0]
		offsets = append(offsets, p.FetchOffset)
		if r.Version != 17 || r.ReplicaState.ID != 1 || r.ReplicaState.Epoch != 77 || r.SessionEpoch != 0 || p.CurrentLeaderEpoch != 0 {
			t.Errorf("%+v", r)
		}
	}
	if want := []int64{0, 0, 0, 2, 1, 2, 100}; !slices.Equal(offsets, want) {
		t.Errorf("fetched from %v, want %v", offsets, want)
	}
	if asked[2].Topics[0].Partitions[0].LastFetchedEpoch != -1 || asked[3].Topics[0].Partitions[0].LastFetchedEpoch != 0 {
		t.Error("not the epochs of what it has")
	}
}

// TestFollowsWhoLeads: a partition that gets another leader is fetched from there, one that this node leads, or that is gone, from nowhere.
func TestFollowsWhoLeads(t *testing.T) {
	n := newNode(t, nothing)
	n.apply(n.partition(1, 2))
	both := func(r *kmsg.FetchRequest) bool { return len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 2 }
	testkit.Eventually(t, "both are asked for at once", func() bool { return slices.ContainsFunc(n.asked(), both) })
	n.apply(&schema.PartitionChangeRecord{TopicID: topic, PartitionID: 0, Leader: 1, ISR: []int32{1, 2}, LeaderRecoveryState: -1})
	onlySecond := func() bool {
		all := n.asked()
		last := all[len(all)-1]
		return len(last.Topics) == 1 && len(last.Topics[0].Partitions) == 1 && last.Topics[0].Partitions[0].Partition == 1
	}
	testkit.Eventually(t, "the second alone", onlySecond)
	n.apply(&schema.PartitionChangeRecord{TopicID: topic, PartitionID: 1, Leader: 3, LeaderRecoveryState: -1}) // who can't be reached
	n.apply(&schema.RemoveTopicRecord{TopicID: topic})
	if dials := n.leader.Dials.Load(); dials != 1 {
		t.Errorf("%d connections to the leader", dials)
	}
}

// TestAsksForInSyncSets: a leader whose follower has caught up asks for it with both broker epochs, and again if the controller did not answer.
func TestAsksForInSyncSets(t *testing.T) {
	n := newNode(t, nothing)
	n.refuse = errors.New("no controller")
	n.apply(n.partition(1, 1))
	p := n.get(1)
	if _, err := p.Append(partition.AppendRequest{Records: batchAt(0), RequiredAcks: 1, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := p.Fetched(time.Now(), replica.Fetch{From: 2, Epoch: 72, LeaderEpoch: kafka.NoEpoch, LogEnd: 1}, nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it is in sync", func() bool { return slices.Contains(p.Leadership().ISR, 2) })
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.altered) != 2 {
		t.Fatalf("%d requests", len(n.altered))
	}
	for _, r := range n.altered {
		a := r.Topics[0].Partitions[0]
		if r.BrokerID != 1 || r.BrokerEpoch != 77 || a.Partition != 1 || len(a.NewEpochISR) != 2 || a.NewEpochISR[1].BrokerEpoch != 72 || !slices.Equal(a.NewISR, []int32{1, 2}) {
			t.Errorf("%+v", r)
		}
	}
}

// TestFetcherEndsWithItsPartitions: who follows nothing from a node any more has no connection to it, and makes one when there is something again.
func TestFetcherEndsWithItsPartitions(t *testing.T) {
	n := newNode(t, func(*kmsg.FetchResponseTopicPartition) {})
	n.apply(n.partition(1, 2))
	lead := func(id, leader int32, epoch int32) {
		p := n.partition(id, leader)
		p.LeaderEpoch, p.PartitionEpoch = epoch, epoch
		n.apply(p)
	}
	has := func(what string, want int32) {
		t.Helper()
		testkit.Eventually(t, what, func() bool { return n.dialed.Load() == want })
	}
	has("it follows", 1)
	lead(0, 1, 1)
	has("it follows the other one", 1)
	lead(1, 1, 1)
	has("it follows nothing", 0)
	lead(0, 2, 2)
	has("it follows again", 1)
	n.engine.Close()
	has("it is closed", 0)
}
