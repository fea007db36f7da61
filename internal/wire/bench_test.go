package wire

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// hundred returns the body of a Fetch request of 100 partitions in 10 topics.
func hundred(version int16) []byte {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(version)
	for range 10 {
		topic := kmsg.NewFetchRequestTopic()
		topic.Topic = "orders"
		for i := range int32(10) {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition = i
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
	}
	return req.AppendTo(nil)
}

func BenchmarkFetchRead100(b *testing.B) {
	body := hundred(18)
	var f FetchRequest
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Read(18, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFetchDecode100(b *testing.B) {
	body := hundred(18)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(Header{Key: keyFetch, Version: 18}, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProduceRead(b *testing.B) {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(12)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = make([]byte, 16<<10)
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	body := req.AppendTo(nil)
	b.ReportAllocs()
	for b.Loop() {
		var v ProduceRequest
		if err := v.Read(12, body); err != nil {
			b.Fatal(err)
		}
		for it := v.Partitions(); it.Next(); {
			_ = it.Records
		}
	}
}

func BenchmarkFetchWrite100(b *testing.B) {
	buf := make([]byte, 0, 16<<10)
	p := NewFetched(1)
	b.ReportAllocs()
	for b.Loop() {
		var w FetchWriter
		w.Begin(buf, Header{Key: keyFetch, Version: 18}, FetchHead{}, 10)
		for range 10 {
			w.Topic("orders", kafka.UUID{1}, 10)
			for range 10 {
				w.Partition(&p, 1<<20)
			}
		}
		w.End(nil)
	}
}
