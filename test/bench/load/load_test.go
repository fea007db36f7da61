package load

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
)

// A batch is as large as it may be, no larger, and is one that a server takes.
func TestBatches(t *testing.T) {
	for _, c := range []struct {
		size, each int
		codec      compress.Codec
	}{{256 << 10, 1000, compress.None}, {64 << 10, 100, compress.None}, {100, 100, compress.None}, {256 << 10, 1000, compress.LZ4}} {
		b, err := NewBatch(c.size, c.each, c.codec)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := record.Next(b.Bytes)
		if err != nil || len(rest) > 0 || got.CheckCRC() != nil || int(got.Count()) != b.Records || got.Codec() != c.codec {
			t.Errorf("%+v: %v with %d bytes behind it, %v", c, got, len(rest), err)
		}
		if b.Records > 1 && (b.Uncompressed > c.size || b.Uncompressed < c.size-c.each-100) {
			t.Errorf("%+v: %d bytes", c, b.Uncompressed)
		}
		if c.codec != compress.None && len(b.Bytes) >= b.Uncompressed {
			t.Errorf("%+v: %d bytes are %d compressed", c, b.Uncompressed, len(b.Bytes))
		}
	}
}

// body is an answer as Answer gives it: correlation id, tags, and what kmsg encodes.
func body(resp kmsg.Response) []byte { return resp.AppendTo([]byte{0, 0, 0, 1, 0}) }

// What is looked at in place is what kmsg has written.
func TestAnswersInPlace(t *testing.T) {
	produce := kmsg.NewPtrProduceResponse()
	produce.Version = produceVersion
	pt := kmsg.NewProduceResponseTopic()
	pt.Topic = "bench-17"
	pt.Partitions = append(pt.Partitions, kmsg.NewProduceResponseTopicPartition())
	produce.Topics = append(produce.Topics, pt)
	if err := Produced(body(produce)); err != nil {
		t.Error(err)
	}
	produce.Topics[0].Partitions[0].ErrorCode = kerr.NotLeaderForPartition.Code
	if err := Produced(body(produce)); err != kerr.NotLeaderForPartition {
		t.Errorf("not leader is %v", err)
	}
	batch, err := NewBatch(1000, 100, compress.None)
	if err != nil {
		t.Fatal(err)
	}
	fetch := kmsg.NewPtrFetchResponse()
	fetch.Version = fetchVersion
	ft := kmsg.NewFetchResponseTopic()
	ft.Topic = "bench-17"
	fp := kmsg.NewFetchResponseTopicPartition()
	fp.RecordBatches = append(append([]byte{}, batch.Bytes...), batch.Bytes[:200]...) // the second one is cut short
	ft.Partitions = append(ft.Partitions, fp)
	fetch.Topics = append(fetch.Topics, ft)
	records, err := fetched(body(fetch))
	if n, next := whole(records); err != nil || n != len(batch.Bytes) || next != int64(batch.Records) {
		t.Errorf("%d bytes up to offset %d, %v", n, next, err)
	}
	fetch.Topics[0].Partitions[0].ErrorCode = kerr.OffsetOutOfRange.Code
	if _, err := fetched(body(fetch)); err != kerr.OffsetOutOfRange {
		t.Errorf("out of range is %v", err)
	}
	for cut := range 40 { // no answer that is cut short panics
		_ = Produced(body(produce)[:min(cut, len(body(produce)))])
		_, _ = fetched(body(fetch)[:cut])
	}
}

func TestFetcherSeeks(t *testing.T) {
	c := &Conn{format: kmsg.NewRequestFormatter()}
	f, err := newFetcher(c, "t", 3, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	f.seek(77)
	req := kmsg.NewPtrFetchRequest()
	req.Version = fetchVersion
	const header = 4 + 2 + 2 + 4 + 2 + 1
	if err := req.ReadFrom(f.frame[header:]); err != nil || req.Topics[0].Partitions[0].FetchOffset != 77 || f.position() != 77 {
		t.Errorf("%+v, %v", req, err)
	}
}

func TestConsumerPerformanceIsUnderstood(t *testing.T) {
	const line = "2026-11-22 06:00:00:000, 2026-11-22 06:00:02:000, 1953.1250, 976.5, 2000000, 1000000.0, 400, 1600, 1220.7, 1250000.0\n"
	done, err := consumed(line, time.Second)
	if err != nil || done.Records != 2_000_000 || done.Bytes != 2_048_000_000 || done.Took != 1600*time.Millisecond || done.ClientCPU != time.Second {
		t.Errorf("%+v, %v", done, err)
	}
	for _, line := range []string{"", "a, b, c", "1, 2, x, 4, 5, 6, 7, 8"} {
		if _, err := consumed(line, 0); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestForeignClientsEndAfterRecords(t *testing.T) {
	if n := (Limit{Bytes: 6 << 30}).records(1000); n != 6<<30/1000 {
		t.Errorf("%d records", n)
	}
	if n := (Limit{Bytes: 6 << 30, Time: time.Second}).records(1000); n != 300_000 {
		t.Errorf("%d records in a second", n)
	}
	if n := (Limit{Bytes: 10}).records(1000); n != 1000 {
		t.Errorf("%d records at the least", n)
	}
}

// Each connection leads to one node; partitions are shared out among those that lead to their leader.
func TestConnectionsLeadToLeaders(t *testing.T) {
	for _, c := range []struct {
		leaders []string
		conns   int
		want    string
	}{
		{nil, 2, "[{here [0 2 4]} {here [1 3 5]}]"},
		{[]string{"a", "b", "c", "a", "b", "c"}, 3, "[{a [0 3]} {b [1 4]} {c [2 5]}]"},
		{[]string{"a", "b", "c", "a", "b", "c"}, 6, "[{a [0]} {b [1]} {c [2]} {a [3]} {b [4]} {c [5]}]"},
		{[]string{"a", "b", "b", "b", "b", "b"}, 5, "[{a [0]} {b [1 3 5]} {a [0]} {b [2 4]} {a [0]}]"},
	} {
		if got := fmt.Sprint(Traffic{Partitions: 6, Conns: c.conns, Leaders: c.leaders}.parts("here")); got != c.want {
			t.Errorf("%v by %d connections: %s", c.leaders, c.conns, got)
		}
	}
}
