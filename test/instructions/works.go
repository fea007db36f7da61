package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// work is something that requests have done.
type work struct {
	name, what string
	times      int // so often that what the runtime does beside is less than a hundredth
	prepare    func() func()
}

var works = []work{
	{"produce-decode", "a Produce request of one partition", 20_000, produceDecode},
	{"produce-encode", "its answer", 100_000, produceEncode},
	{"fetch-decode", "a Fetch request of 100 partitions", 1000, fetchDecode},
	{"fetch-encode", "its answer", 2000, fetchEncode},
	{"batch-validate", "a batch of 100 records of 100 bytes", 1000, validate},
	{"index-lookup", "a batch in the middle of a segment, by its index", 20_000, lookup},
}

const (
	produceVersion = 12
	fetchVersion   = 18
	produceKey     = 0
	fetchKey       = 1
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func batch(base kafka.Offset, records int) record.Batch {
	var b record.Builder
	b.Begin(record.NewOptions(base, 0))
	for range records {
		b.Add(1_700_000_000_000, nil, make([]byte, 100))
	}
	out, err := b.AppendTo(nil)
	must(err)
	return out
}

func produceDecode() func() {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(produceVersion)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch(0, 1)
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	body := req.AppendTo(nil)
	var v wire.ProduceRequest
	return func() {
		must(v.Read(produceVersion, body))
		for it := v.Partitions(); it.Next(); {
			_ = it.Records
		}
	}
}

func produceEncode() func() {
	buf := make([]byte, 0, 4096)
	return func() {
		var w wire.ProduceWriter
		w.Begin(buf, wire.Header{Key: produceKey, Version: produceVersion}, 1)
		w.Topic("orders", kafka.UUID{}, 1)
		w.Partition(&wire.Produced{BaseOffset: 1, LogAppendTime: kafka.NoTimestamp, CurrentLeader: wire.NoLeader})
		w.End(0, nil)
	}
}

func fetchDecode() func() {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(fetchVersion)
	for i := range byte(10) {
		topic := kmsg.NewFetchRequestTopic()
		topic.TopicID = [16]byte{1, i}
		for j := range int32(10) {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition = j
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
	}
	body := req.AppendTo(nil)
	var f wire.FetchRequest
	return func() { must(f.Read(fetchVersion, body)) }
}

func fetchEncode() func() {
	buf := make([]byte, 0, 16<<10)
	p := wire.NewFetched(1)
	return func() {
		var w wire.FetchWriter
		w.Begin(buf, wire.Header{Key: fetchKey, Version: fetchVersion}, wire.FetchHead{}, 10)
		for range 10 {
			w.Topic("orders", kafka.UUID{1}, 10)
			for range 10 {
				w.Partition(&p, 1<<20)
			}
		}
		w.End(nil)
	}
}

func validate() func() {
	b := batch(0, 100)
	const day = 24 * time.Hour
	rules := record.Rules{
		Origin: kafka.FromClient, Now: 1_700_000_000_000, MaxBatchBytes: 1 << 20, MaxDecompressed: 1 << 20, Before: 365 * day, After: day,
	}
	return func() {
		_, err := record.Validate(b, &rules)
		must(err)
	}
}

func lookup() func() {
	const batches = 2000
	disk := vfs.NewMem()
	must(disk.Mkdir("log"))
	now := time.UnixMilli(1_700_000_000_000)
	s, err := segment.Create(&segment.Dir{FS: disk, Path: "log", Cache: segment.NewCache(10, 1<<20)}, 0, now)
	must(err)
	b := batch(0, 10)
	for i := range batches {
		b.SetBaseOffset(kafka.Offset(i * 10))
		must(s.Append(b, 4096, now))
	}
	_, size := s.End()
	next := kafka.Offset(0)
	return func() {
		next = (next + 7919) % (batches * 10)
		_, found, err := s.Locate(next, size)
		must(err)
		if !found {
			panic("not found")
		}
	}
}
