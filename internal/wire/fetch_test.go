package wire

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// The flat form has what kmsg wrote, also when it is used again.
func TestFetchRequest(t *testing.T) {
	var got FetchRequest
	for v := int16(4); v <= 18; v++ {
		for seed := range uint64(50) {
			req, body := random(rand.New(rand.NewPCG(seed, uint64(v))), Header{Key: keyFetch, Version: v})
			want := req.(*kmsg.FetchRequest)
			if seed == 0 {
				want.ClusterID = nil
				want.ReplicaState = kmsg.NewFetchRequestReplicaState()
				want.Topics[0].Partitions[0].HighWatermark = math.MaxInt64
				body = want.AppendTo(nil)
			}
			if err := got.Read(v, body); err != nil {
				t.Fatalf("version %d, seed %d: %v", v, seed, err)
			}
			compareFetch(t, want, &got)
		}
	}
}

func compareFetch(t *testing.T, want *kmsg.FetchRequest, got *FetchRequest) {
	t.Helper()
	v := want.Version
	expect := FetchRequest{
		ReplicaID: kafka.NodeID(want.ReplicaID), ReplicaEpoch: -1, SessionEpoch: -1,
		MaxWait: time.Duration(want.MaxWaitMillis) * time.Millisecond, MinBytes: want.MinBytes, MaxBytes: want.MaxBytes, Isolation: want.IsolationLevel,
	}
	if v >= 15 {
		expect.ReplicaID, expect.ReplicaEpoch = kafka.NodeID(want.ReplicaState.ID), kafka.BrokerEpoch(want.ReplicaState.Epoch)
	}
	if v >= 7 {
		expect.SessionID, expect.SessionEpoch = want.SessionID, want.SessionEpoch
	}
	head := *got
	head.Partitions, head.Forgotten, head.RackID, head.ClusterID = nil, nil, nil, nil
	if !equalHead(&head, &expect) {
		t.Fatalf("version %d: got %+v, want %+v", v, head, expect)
	}
	if v >= 11 && string(got.RackID) != want.Rack || v >= 12 && text0(want.ClusterID) != string(got.ClusterID) {
		t.Fatalf("version %d: rack %q, cluster %q, want %q, %v", v, got.RackID, got.ClusterID, want.Rack, want.ClusterID)
	}
	i := 0
	for _, topic := range want.Topics {
		for _, p := range topic.Partitions {
			comparePartition(t, v, topic, p, got.Partitions[i])
			i++
		}
	}
	if i != len(got.Partitions) {
		t.Fatalf("%d partitions, want %d", len(got.Partitions), i)
	}
	if v < 7 {
		return
	}
	i = 0
	for _, topic := range want.ForgottenTopics {
		for _, p := range topic.Partitions {
			f := got.Forgotten[i]
			if f.Partition != p || v < 13 && string(f.Topic) != topic.Topic || v >= 13 && f.TopicID != topic.TopicID {
				t.Fatalf("version %d: forgotten %+v, want %d of %+v", v, f, p, topic)
			}
			i++
		}
	}
	if i != len(got.Forgotten) {
		t.Fatalf("%d forgotten, want %d", len(got.Forgotten), i)
	}
}

func equalHead(a, b *FetchRequest) bool {
	return a.ReplicaID == b.ReplicaID && a.ReplicaEpoch == b.ReplicaEpoch && a.MaxWait == b.MaxWait && a.MinBytes == b.MinBytes &&
		a.MaxBytes == b.MaxBytes && a.Isolation == b.Isolation && a.SessionID == b.SessionID && a.SessionEpoch == b.SessionEpoch
}

func comparePartition(t *testing.T, v int16, topic kmsg.FetchRequestTopic, want kmsg.FetchRequestTopicPartition, got FetchPartition) {
	t.Helper()
	expect := FetchPartition{
		Topic: got.Topic, Partition: want.Partition, CurrentLeaderEpoch: -1, FetchOffset: kafka.Offset(want.FetchOffset),
		LastFetchedEpoch: -1, LogStartOffset: -1, MaxBytes: want.PartitionMaxBytes, HighWatermark: math.MaxInt64,
	}
	if v >= 5 {
		expect.LogStartOffset = kafka.Offset(want.LogStartOffset)
	}
	if v >= 9 {
		expect.CurrentLeaderEpoch = kafka.LeaderEpoch(want.CurrentLeaderEpoch)
	}
	if v >= 12 {
		expect.LastFetchedEpoch = kafka.LeaderEpoch(want.LastFetchedEpoch)
	}
	if v >= 13 {
		expect.TopicID = topic.TopicID
	} else if string(got.Topic) != topic.Topic {
		t.Fatalf("version %d: topic %q, want %q", v, got.Topic, topic.Topic)
	}
	if v >= 17 {
		expect.ReplicaDirectoryID = want.ReplicaDirectoryID
	}
	if v >= 18 {
		expect.HighWatermark = kafka.Offset(want.HighWatermark)
	}
	if got.TopicID != expect.TopicID || got.Partition != expect.Partition || got.CurrentLeaderEpoch != expect.CurrentLeaderEpoch ||
		got.FetchOffset != expect.FetchOffset || got.LastFetchedEpoch != expect.LastFetchedEpoch || got.LogStartOffset != expect.LogStartOffset ||
		got.MaxBytes != expect.MaxBytes || got.ReplicaDirectoryID != expect.ReplicaDirectoryID || got.HighWatermark != expect.HighWatermark {
		t.Fatalf("version %d: got %+v, want %+v", v, got, expect)
	}
}

// Once its slices have grown, reading allocates nothing.
func TestFetchAllocations(t *testing.T) {
	for _, v := range []int16{4, 12, 18} {
		_, body := random(rand.New(rand.NewPCG(1, 1)), Header{Key: keyFetch, Version: v})
		var f FetchRequest
		allocs := testing.AllocsPerRun(100, func() {
			if err := f.Read(v, body); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("version %d: %v allocations", v, allocs)
		}
	}
}

// The writer writes what kmsg writes once the records are put in their places.
func TestFetchWriter(t *testing.T) {
	for v := int16(4); v <= 18; v++ {
		for seed := range uint64(50) {
			h := Header{Key: keyFetch, Version: v, CorrelationID: int32(seed)}
			resp := randomResponse(rand.New(rand.NewPCG(seed, uint64(v))), h).(*kmsg.FetchResponse)
			if seed == 0 {
				resp.Topics[0].Partitions[0].AbortedTransactions = nil
				resp.Topics[0].Partitions[0].RecordBatches = nil
				resp.Topics = append(resp.Topics, kmsg.FetchResponseTopic{})
			}
			if v < 16 {
				resp.Brokers = nil // kmsg would write them all the same
			}
			want := AppendResponse([]byte("size"), h, resp)
			if got := writeFetch(h, resp); !bytes.Equal(got, want) {
				t.Fatalf("version %d, seed %d:\n%x, want\n%x", v, seed, got, want)
			}
		}
	}
}

// writeFetch writes resp with a FetchWriter and puts the records into the holes.
func writeFetch(h Header, resp *kmsg.FetchResponse) []byte {
	type hole struct {
		at      int
		records []byte
	}
	var holes []hole
	var w FetchWriter
	w.Begin([]byte("size"), h, FetchHead{time.Duration(resp.ThrottleMillis) * time.Millisecond, resp.ErrorCode, resp.SessionID}, len(resp.Topics))
	for _, topic := range resp.Topics {
		w.Topic(topic.Topic, topic.TopicID, len(topic.Partitions))
		for _, p := range topic.Partitions {
			out := fetchedFrom(&p)
			if p.RecordBatches == nil {
				w.Partition(&out, -1)
				continue
			}
			holes = append(holes, hole{w.Partition(&out, len(p.RecordBatches)), p.RecordBatches})
		}
	}
	var nodes []NodeEndpoint
	for _, n := range resp.Brokers {
		nodes = append(nodes, NodeEndpoint{kafka.NodeID(n.NodeID), n.Host, n.Port, text0(n.Rack)})
	}
	b, out, from := w.End(nodes), []byte(nil), 0
	for _, h := range holes {
		out = append(append(out, b[from:h.at]...), h.records...)
		from = h.at
	}
	return append(out, b[from:]...)
}

func fetchedFrom(p *kmsg.FetchResponseTopicPartition) Fetched {
	out := NewFetched(p.Partition)
	out.ErrorCode = p.ErrorCode
	out.HighWatermark, out.LastStableOffset = kafka.Offset(p.HighWatermark), kafka.Offset(p.LastStableOffset)
	out.LogStartOffset = kafka.Offset(p.LogStartOffset)
	out.Diverging = EpochEnd{kafka.LeaderEpoch(p.DivergingEpoch.Epoch), kafka.Offset(p.DivergingEpoch.EndOffset)}
	out.CurrentLeader = LeaderEpoch{kafka.NodeID(p.CurrentLeader.LeaderID), kafka.LeaderEpoch(p.CurrentLeader.LeaderEpoch)}
	out.Snapshot = EpochEnd{kafka.LeaderEpoch(p.SnapshotID.Epoch), kafka.Offset(p.SnapshotID.EndOffset)}
	out.PreferredReplica = kafka.NodeID(p.PreferredReadReplica)
	if p.AbortedTransactions != nil {
		out.Aborted = []AbortedTransaction{}
	}
	for _, a := range p.AbortedTransactions {
		out.Aborted = append(out.Aborted, AbortedTransaction{kafka.ProducerID(a.ProducerID), kafka.Offset(a.FirstOffset)})
	}
	return out
}

// Writing into a buffer that is large enough allocates nothing.
func TestWriterAllocations(t *testing.T) {
	buf := make([]byte, 0, 4096)
	p := NewFetched(3)
	p.Diverging = EpochEnd{4, 5}
	nodes := []NodeEndpoint{{1, "localhost", 9092, ""}}
	allocs := testing.AllocsPerRun(100, func() {
		var w FetchWriter
		w.Begin(buf, Header{Key: keyFetch, Version: 18}, FetchHead{}, 1)
		w.Topic("orders", kafka.UUID{1}, 1)
		w.Partition(&p, 1000)
		w.End(nodes)
		var pw ProduceWriter
		pw.Begin(buf, Header{Key: keyProduce, Version: 12}, 1)
		pw.Topic("orders", kafka.UUID{1}, 1)
		pw.Partition(&Produced{CurrentLeader: LeaderEpoch{1, 2}})
		pw.End(0, nodes)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
