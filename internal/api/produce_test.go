package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// acks=0 has no answer, so that the next request's comes first; an error closes the connection, as in Kafka.
func TestProduceWithoutAcks(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	c.Send(testkit.ProduceRequest("a", 0, 0, testkit.BatchOf(1, "x")), 12)
	if got := c.Read("a", 0, 0); !slices.Equal(got, []string{"0=x"}) {
		t.Errorf("read %q", got)
	}
	for name, req := range map[string]*kmsg.ProduceRequest{
		"unknown topic": testkit.ProduceRequest("none", 0, 0, testkit.BatchOf(1, "x")),
		"bad batch":     testkit.ProduceRequest("a", 0, 0, corrupt(testkit.BatchOf(1, "x"))),
	} {
		t.Run(name, func(t *testing.T) {
			c := n.Dial()
			c.Send(req, 12)
			c.Closed()
		})
	}
	if got := n.Dial().Read("a", 0, 0); len(got) != 1 {
		t.Errorf("read %q after the errors", got)
	}
}

// corrupt spoils a batch below its CRC.
func corrupt(batch []byte) []byte {
	spoilt := slices.Clone(batch)
	spoilt[len(spoilt)-1] ^= 1
	return spoilt
}

func TestProduceAcrossVersionsAndCodecs(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	id := c.Create("a", 1)
	var want []string
	for version := int16(3); version <= 13; version++ {
		for _, codec := range []compress.Codec{compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd} {
			if codec == compress.Zstd && version < 7 {
				continue
			}
			for _, acks := range []int16{1, -1} {
				value := fmt.Sprintf("v%d-%d-%d", version, codec, acks)
				o := record.NewOptions(0, 0)
				o.Codec = codec
				req := testkit.ProduceRequest("a", 0, acks, testkit.Batch(o, 1, value))
				if version >= 13 {
					req.Topics[0].Topic, req.Topics[0].TopicID = "", id
				}
				p := testkit.Ask[*kmsg.ProduceResponse](c, req, version).Topics[0].Partitions[0]
				if p.ErrorCode != 0 || p.BaseOffset != int64(len(want)) {
					t.Fatalf("%s: %s at %d", value, testkit.Code(p.ErrorCode), p.BaseOffset)
				}
				want = append(want, fmt.Sprintf("%d=%s", len(want), value))
			}
		}
	}
	if got := c.Read("a", 0, 0); !slices.Equal(got, want) {
		t.Errorf("read %q", got)
	}
}

func idempotent(producer int64, epoch int16, sequence int32, values ...string) []byte {
	o := record.NewOptions(0, 0)
	o.ProducerID, o.ProducerEpoch, o.BaseSequence = kafka.ProducerID(producer), epoch, sequence
	return testkit.Batch(o, time.Now().UnixMilli(), values...) // a producer is forgotten by the time of its last batch
}

// A batch that is sent again is acknowledged with its first offset and not written again, also by the next life of the
// node; a gap and an old epoch are refused.
func TestIdempotentProducer(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	init := testkit.Ask[*kmsg.InitProducerIDResponse](c, initProducer(), 4)
	if init.ErrorCode != 0 || init.ProducerID < 0 {
		t.Fatalf("no producer id: %s", testkit.Code(init.ErrorCode))
	}
	id := init.ProducerID
	f := func(epoch int16, sequence int32, want string, wantOffset int64, values ...string) {
		t.Helper()
		p := c.Produce("a", 0, idempotent(id, epoch, sequence, values...))
		if got := testkit.Code(p.ErrorCode); got != want || p.BaseOffset != wantOffset {
			t.Errorf("epoch %d sequence %d: %s at %d, want %s at %d", epoch, sequence, got, p.BaseOffset, want, wantOffset)
		}
	}
	f(0, 0, "NONE", 0, "a", "b")
	f(0, 2, "NONE", 2, "c")
	f(0, 0, "NONE", 0, "a", "b")
	f(0, 2, "NONE", 2, "c")
	f(0, 5, "OUT_OF_ORDER_SEQUENCE_NUMBER", -1, "x")
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c = n.Dial()
	f(0, 2, "NONE", 2, "c")
	f(0, 3, "NONE", 3, "d")
	f(1, 0, "NONE", 4, "e")
	f(0, 4, "INVALID_PRODUCER_EPOCH", -1, "x")
	if got := c.Read("a", 0, 0); !slices.Equal(got, []string{"0=a", "1=b", "2=c", "3=d", "4=e"}) {
		t.Errorf("read %q", got)
	}
}

func initProducer() *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = 1000, -1, -1
	return req
}

// No producer id is given twice, not even by the next life of the node.
func TestProducerIDsAreUnique(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	seen := map[int64]bool{}
	for range 3 {
		c := n.Dial()
		for range 1500 { // more than a block
			id := testkit.Ask[*kmsg.InitProducerIDResponse](c, initProducer(), 4).ProducerID
			if id < 0 || seen[id] {
				t.Fatalf("producer id %d is given twice, or none", id)
			}
			seen[id] = true
		}
		n.Stop()
		n = testkit.Start(t, testkit.Options{FS: n.FS})
	}
}

// What a client may not store is refused, and nothing of it stays.
func TestBadBatchesAreRefused(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	control := record.NewOptions(0, 0)
	control.Control = true
	set := func(batch []byte, at int, v byte) []byte {
		spoilt := slices.Clone(batch)
		spoilt[at] = v
		return spoilt
	}
	good := testkit.BatchOf(1, "x", "y")
	f := func(name string, batch []byte, want ...string) {
		t.Helper()
		p := c.Produce("a", 0, batch)
		if got := testkit.Code(p.ErrorCode); !slices.Contains(want, got) || p.BaseOffset != -1 {
			t.Errorf("%s: %s at %d, want %v", name, got, p.BaseOffset, want)
		}
	}
	f("bad CRC", corrupt(good), "CORRUPT_MESSAGE")
	f("magic 0", set(good, 16, 0), "CORRUPT_MESSAGE", "INVALID_RECORD", "UNSUPPORTED_FOR_MESSAGE_FORMAT")
	f("magic 3", set(good, 16, 3), "CORRUPT_MESSAGE", "INVALID_RECORD", "UNSUPPORTED_FOR_MESSAGE_FORMAT")
	f("last offset delta", set(good, 26, 9), "CORRUPT_MESSAGE", "INVALID_RECORD")
	f("control batch", testkit.Batch(control, 1, "x"), "INVALID_RECORD")
	f("two batches", append(slices.Clone(good), good...), "INVALID_RECORD")
	f("torn", good[:len(good)-1], "CORRUPT_MESSAGE", "INVALID_RECORD")
	f("nothing", []byte{}, "CORRUPT_MESSAGE", "INVALID_RECORD")
	if got := c.Read("a", 0, 0); len(got) != 0 {
		t.Errorf("read %q", got)
	}
	c.MustProduce("a", 0, good)
}

func listOffset(c *testkit.Conn, version int16, timestamp int64) kmsg.ListOffsetsResponseTopicPartition {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = "a"
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Timestamp = timestamp
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	return testkit.Ask[*kmsg.ListOffsetsResponse](c, req, version).Topics[0].Partitions[0]
}

func TestListOffsetsSpecialTimestamps(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	f := func(version int16, timestamp int64, want string) {
		t.Helper()
		p := listOffset(c, version, timestamp)
		got := testkit.Code(p.ErrorCode)
		if p.ErrorCode == 0 {
			got = fmt.Sprintf("%d at %d", p.Offset, p.Timestamp)
		}
		if got != want {
			t.Errorf("version %d, timestamp %d: %s, want %s", version, timestamp, got, want)
		}
	}
	f(11, -1, "0 at -1")
	f(11, -2, "0 at -1")
	f(11, -3, "-1 at -1")
	f(11, 0, "-1 at -1")
	c.MustProduce("a", 0, testkit.BatchOf(1000, "0", "1", "2"))
	c.MustProduce("a", 0, testkit.BatchOf(5000, "3"))
	c.MustProduce("a", 0, testkit.BatchOf(3000, "4"))
	f(11, -1, "5 at -1")
	f(1, -1, "5 at -1")
	f(11, -2, "0 at -1")
	f(11, -3, "3 at 5000")
	f(6, -3, "UNSUPPORTED_VERSION")
	f(11, -4, "0 at -1")
	f(7, -4, "UNSUPPORTED_VERSION")
	f(11, -5, "-1 at -1")
	f(8, -5, "UNSUPPORTED_VERSION")
	f(11, -6, "-1 at -1")
	f(10, -6, "UNSUPPORTED_VERSION")
	f(11, -7, "UNSUPPORTED_VERSION")
	f(11, 0, "0 at 1000")
	f(11, 1001, "1 at 1001")
	f(11, 1003, "3 at 5000")
	f(11, 5001, "-1 at -1")
	deleteRecords(t, c, 2, 2, "NONE")
	f(11, -2, "2 at -1")
	f(11, -4, "2 at -1")
	f(11, 0, "2 at 1002")
}

func deleteRecords(t *testing.T, c *testkit.Conn, upTo, low int64, want string) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = "a"
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = upTo
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	req.TimeoutMillis = 10_000
	got := testkit.Ask[*kmsg.DeleteRecordsResponse](c, req, 2).Topics[0].Partitions[0]
	if testkit.Code(got.ErrorCode) != want || got.LowWatermark != low {
		t.Errorf("delete up to %d: %s, low watermark %d, want %s, %d", upTo, testkit.Code(got.ErrorCode), got.LowWatermark, want, low)
	}
}

// Deleted records are gone for readers at once and stay gone after a restart.
func TestDeleteRecords(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	for i := range 5 {
		c.MustProduce("a", 0, testkit.BatchOf(1, fmt.Sprint(i)))
	}
	deleteRecords(t, c, 3, 3, "NONE")
	deleteRecords(t, c, 2, 3, "NONE")
	deleteRecords(t, c, 6, -1, "OFFSET_OUT_OF_RANGE")
	deleteRecords(t, c, -2, -1, "OFFSET_OUT_OF_RANGE")
	check := func(c *testkit.Conn, want ...string) {
		t.Helper()
		if got := testkit.Code(c.Fetch("a", 0, 2).ErrorCode); got != "OFFSET_OUT_OF_RANGE" {
			t.Errorf("a read below the start gives %s", got)
		}
		if got := c.Read("a", 0, 3); len(want) > 0 && !slices.Equal(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	check(c, "3=3", "4=4")
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c = n.Dial()
	check(c, "3=3", "4=4")
	deleteRecords(t, c, -1, 5, "NONE")
	if got := testkit.Code(c.Fetch("a", 0, 4).ErrorCode); got != "OFFSET_OUT_OF_RANGE" {
		t.Errorf("a read of what was deleted gives %s", got)
	}
	if got := c.MustProduce("a", 0, testkit.BatchOf(1, "5")); got != 5 {
		t.Errorf("the next record has offset %d", got)
	}
}

// TestDurableAnswers: with flush.messages=1 requests are answered after a sync, which those that are in flight on a connection share; acks=all needs no time
// of its own for that. One whose sync fails is told so.
func TestDurableAnswers(t *testing.T) {
	var syncs atomic.Int64
	gate := make(chan error)
	disk := vfs.NewFaulty(vfs.NewMem(), func(o vfs.Op) error {
		if o.Kind != vfs.OpSync || !strings.Contains(o.Name, "durable-") || !strings.HasSuffix(o.Name, ".log") {
			return nil
		}
		syncs.Add(1)
		return <-gate
	})
	n := testkit.Start(t, testkit.Options{FS: disk})
	c := n.Dial()
	c.Create("durable", 1, "flush.messages", "1")
	request := func(acks int16) *kmsg.ProduceRequest {
		req := testkit.ProduceRequest("durable", 0, acks, testkit.BatchOf(1, "x"))
		req.Version, req.TimeoutMillis = 9, 0
		return req
	}
	const more = 5
	c.Send(request(1), 9)
	testkit.Eventually(t, "the first sync begins", func() bool { return syncs.Load() == 1 })
	for i := range more {
		c.Send(request(int16(1-2*(i%2))), 9)
	}
	other := n.Dial()
	testkit.Eventually(t, "all are appended", func() bool { return endOf(other, "durable") == 1+more })
	if got := other.Read("durable", 0, 0); len(got) > 0 {
		t.Errorf("a consumer sees %q", got)
	}
	gate <- nil
	gate <- nil
	for i := range 1 + more {
		resp, _ := c.Receive(request(1))
		if p := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]; p.ErrorCode != 0 || p.BaseOffset != int64(i) {
			t.Errorf("request %d: %s at %d", i, testkit.Code(p.ErrorCode), p.BaseOffset)
		}
	}
	if got := other.Read("durable", 0, 0); len(got) != 1+more || syncs.Load() != 2 {
		t.Errorf("%q after %d syncs", got, syncs.Load())
	}
	for i, acks := range []int16{1, -1} {
		c.Send(request(acks), 9)
		testkit.Eventually(t, "it is appended", func() bool { return endOf(other, "durable") == int64(2+more+i) })
	}
	gate <- errors.New("the disk is gone")
	for range 2 {
		resp, _ := c.Receive(request(1))
		if p := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]; testkit.Code(p.ErrorCode) != "KAFKA_STORAGE_ERROR" {
			t.Errorf("a failed sync is answered with %s", testkit.Code(p.ErrorCode))
		}
	}
	n.Abandon() // it could not stop cleanly
}

// endOf is the end of partition 0's log, as a replica sees it.
func endOf(c *testkit.Conn, topic string) int64 {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -2
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic = topic
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.CurrentLeaderEpoch, p.LeaderEpoch = -1, 0
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return testkit.Ask[*kmsg.OffsetForLeaderEpochResponse](c, req, 4).Topics[0].Partitions[0].EndOffset
}
