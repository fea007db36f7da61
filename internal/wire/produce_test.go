package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// The view sees what kmsg wrote.
func TestProduceRequest(t *testing.T) {
	for v := int16(3); v <= 13; v++ {
		for seed := range uint64(50) {
			req, body := random(rand.New(rand.NewPCG(seed, uint64(v))), Header{Key: keyProduce, Version: v})
			want := req.(*kmsg.ProduceRequest)
			if seed == 0 {
				want.TransactionID = nil
				want.Topics[0].Partitions[0].Records = nil
				want.Topics = append(want.Topics[:1:1], kmsg.NewProduceRequestTopic())
				body = want.AppendTo(nil)
			}
			var got ProduceRequest
			if err := got.Read(v, body); err != nil {
				t.Fatalf("version %d, seed %d: %v", v, seed, err)
			}
			compareProduce(t, want, &got)
		}
	}
}

func compareProduce(t *testing.T, want *kmsg.ProduceRequest, got *ProduceRequest) {
	t.Helper()
	if got.Acks != want.Acks || got.Timeout != time.Duration(want.TimeoutMillis)*time.Millisecond || got.Topics() != len(want.Topics) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if (want.TransactionID == nil) != (got.TransactionalID == nil) || want.TransactionID != nil && *want.TransactionID != string(got.TransactionalID) {
		t.Fatalf("transactional id %q, want %v", got.TransactionalID, want.TransactionID)
	}
	it := got.Partitions()
	for _, topic := range want.Topics {
		for i, p := range topic.Partitions {
			if !it.Next() {
				t.Fatalf("ends before %s-%d", topic.Topic, p.Partition)
			}
			if it.First != (i == 0) || it.Count != len(topic.Partitions) || it.Index != p.Partition {
				t.Fatalf("partition %d: first %v, count %d; want %d of %d", it.Index, it.First, it.Count, i, len(topic.Partitions))
			}
			if !bytes.Equal(it.Records, p.Records) || (it.Records == nil) != (p.Records == nil) {
				t.Fatalf("records %x, want %x", it.Records, p.Records)
			}
			if want.Version >= 13 && it.TopicID != topic.TopicID || want.Version < 13 && string(it.Topic) != topic.Topic {
				t.Fatalf("topic %q %v, want %q %v", it.Topic, it.TopicID, topic.Topic, topic.TopicID)
			}
		}
	}
	if it.Next() {
		t.Fatalf("one more: %+v", it)
	}
}

// Records lie in the frame, and reading allocates nothing.
func TestProduceAliases(t *testing.T) {
	_, body := random(rand.New(rand.NewPCG(1, 1)), Header{Key: keyProduce, Version: 11})
	var p ProduceRequest
	allocs := testing.AllocsPerRun(100, func() {
		if err := p.Read(11, body); err != nil {
			t.Fatal(err)
		}
		for it := p.Partitions(); it.Next(); {
			it.Records = it.Records[:0]
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	it := p.Partitions()
	it.Next()
	it.Records[0] ^= 0xff
	changed := p.Partitions()
	changed.Next()
	if changed.Records[0] != it.Records[0] {
		t.Error("the records were copied")
	}
	if cap(it.Records) != len(it.Records) {
		t.Error("an append to the records would overwrite the frame")
	}
}

// The writer writes what kmsg writes.
func TestProduceWriter(t *testing.T) {
	for v := int16(3); v <= 13; v++ {
		for seed := range uint64(50) {
			h := Header{Key: keyProduce, Version: v, CorrelationID: int32(seed)}
			resp := randomResponse(rand.New(rand.NewPCG(seed, uint64(v))), h).(*kmsg.ProduceResponse)
			if seed == 0 {
				resp.Topics = append(resp.Topics, kmsg.ProduceResponseTopic{})
			}
			if v < 10 {
				withoutLeaders(resp)
			}
			want := AppendResponse([]byte("size"), h, resp)
			if got := writeProduce(h, resp); !bytes.Equal(got, want) {
				t.Fatalf("version %d, seed %d:\n%x, want\n%x", v, seed, got, want)
			}
		}
	}
}

// withoutLeaders takes away what only version 10 has and kmsg writes in version 9 too.
func withoutLeaders(resp *kmsg.ProduceResponse) {
	resp.Brokers = nil
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].CurrentLeader = kmsg.NewProduceResponseTopicPartitionCurrentLeader()
		}
	}
}

func writeProduce(h Header, resp *kmsg.ProduceResponse) []byte {
	var w ProduceWriter
	w.Begin([]byte("size"), h, len(resp.Topics))
	for _, topic := range resp.Topics {
		w.Topic(topic.Topic, topic.TopicID, len(topic.Partitions))
		for _, p := range topic.Partitions {
			out := Produced{
				Partition: p.Partition, ErrorCode: p.ErrorCode, BaseOffset: kafka.Offset(p.BaseOffset), LogAppendTime: p.LogAppendTime,
				LogStartOffset: kafka.Offset(p.LogStartOffset), CurrentLeader: LeaderEpoch{kafka.NodeID(p.CurrentLeader.LeaderID), kafka.LeaderEpoch(p.CurrentLeader.LeaderEpoch)},
				ErrorMessage: text0(p.ErrorMessage),
			}
			for _, e := range p.ErrorRecords {
				out.RecordErrors = append(out.RecordErrors, RecordError{e.RelativeOffset, text0(e.ErrorMessage)})
			}
			w.Partition(&out)
		}
	}
	var nodes []NodeEndpoint
	for _, n := range resp.Brokers {
		nodes = append(nodes, NodeEndpoint{kafka.NodeID(n.NodeID), n.Host, n.Port, text0(n.Rack)})
	}
	return w.End(time.Duration(resp.ThrottleMillis)*time.Millisecond, nodes)
}

// text0 is the string, or "" for null.
func text0(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
