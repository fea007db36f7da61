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

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/testkit"
)

// values decodes the records of a partition's answer.
func values(t *testing.T, p kmsg.FetchResponseTopicPartition) []string {
	t.Helper()
	if p.ErrorCode != 0 {
		t.Fatalf("fetch: %s", testkit.Code(p.ErrorCode))
	}
	all, err := testkit.Values(p.RecordBatches)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parked sends a fetch and returns once the node has it.
func parked(n *testkit.Node, req *kmsg.FetchRequest, version int16) *testkit.Conn {
	c := n.Dial()
	c.Write(append(testkit.Frame(kmsg.NewPtrApiVersionsRequest(), 0, 1), testkit.Frame(req, version, 2)...))
	c.Answer()
	return c
}

func TestLongPollWakesWithTheAppend(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 2)
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxWaitMillis = 300_000
	poll := parked(n, req, 12)
	c.MustProduce("a", 1, testkit.BatchOf(1, "of another partition"))
	c.MustProduce("a", 0, testkit.BatchOf(1, "x"))
	resp, _ := poll.Receive(req)
	if got := values(t, resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]); !slices.Equal(got, []string{"0=x"}) {
		t.Errorf("the poll got %q", got)
	}
}

func TestLongPollEndsByItsTime(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxWaitMillis = 20
	begin := time.Now()
	resp := testkit.Ask[*kmsg.FetchResponse](c, req, 12)
	if got := values(t, resp.Topics[0].Partitions[0]); len(got) != 0 {
		t.Errorf("the poll got %q", got)
	}
	if took := time.Since(begin); took < 20*time.Millisecond {
		t.Errorf("a poll of 20 ms took %v", took)
	}
}

func TestLongPollHearsOfADeletion(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	req := testkit.FetchRequest("a", 0, 0)
	req.MaxWaitMillis, req.MinBytes = 300_000, 1000
	poll := parked(n, req, 12)
	c.Delete("a")
	resp, _ := poll.Receive(req)
	if got := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode; got == 0 {
		t.Error("the poll of a deleted topic got no error")
	}
}

// A fetch waits for its minimum, over all its partitions, and costs nothing while it waits, though a part is there.
func TestMinBytes(t *testing.T) {
	var looks atomic.Int64
	n := testkit.Start(t, testkit.Options{Now: func() time.Time { looks.Add(1); return time.Now() }})
	c := n.Dial()
	c.Create("a", 2)
	c.MustProduce("a", 0, testkit.BatchOf(1, strings.Repeat("x", 100)))
	req := testkit.FetchRequest("a", 0, 0)
	second := req.Topics[0].Partitions[0]
	second.Partition = 1
	req.Topics[0].Partitions = append(req.Topics[0].Partitions, second)
	req.MaxWaitMillis, req.MinBytes = 300_000, 1000
	busy := func() int64 {
		before := looks.Load()
		for range 50 {
			c.Topics()
		}
		return looks.Load() - before
	}
	alone := busy()
	poll := parked(n, req, 12)
	if got := busy(); got > alone+25 {
		t.Errorf("beside a waiting fetch the clock was looked at %d times, without it %d", got, alone)
	}
	c.MustProduce("a", 1, testkit.BatchOf(1, strings.Repeat("y", 100)))
	c.MustProduce("a", 0, testkit.BatchOf(1, strings.Repeat("z", 800)))
	resp, _ := poll.Receive(req)
	total := 0
	for _, p := range resp.(*kmsg.FetchResponse).Topics[0].Partitions {
		total += len(p.RecordBatches)
	}
	if total < 1000 {
		t.Errorf("the poll was answered with %d bytes, want 1000 at least", total)
	}
}

// The first batch that is found comes whole, however small the limits; after it the limits hold.
func TestMaxBytes(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 3)
	for p := range int32(3) {
		for i := range 3 {
			c.MustProduce("a", p, testkit.BatchOf(1, fmt.Sprintf("%d%s", i, strings.Repeat("x", 99))))
		}
	}
	batch := len(c.Fetch("a", 0, 2).RecordBatches)
	f := func(total, each int32, want ...int) {
		t.Helper()
		req := testkit.FetchRequest("a", 0, 0)
		req.MaxBytes = total
		one := req.Topics[0].Partitions[0]
		one.PartitionMaxBytes = each
		req.Topics[0].Partitions = nil
		for p := range int32(3) {
			one.Partition = p
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
		}
		resp := testkit.Ask[*kmsg.FetchResponse](c, req, 12)
		var got []int
		for _, p := range resp.Topics[0].Partitions {
			whole, err := testkit.Values(p.RecordBatches)
			if err != nil && !errors.Is(err, record.ErrShort) { // the last one may be cut, as in Kafka
				t.Fatal(err)
			}
			got = append(got, len(whole))
		}
		if !slices.Equal(got, want) {
			t.Errorf("max bytes %d, %d each: records %v, want %v", total, each, got, want)
		}
	}
	all := int32(100 * batch)
	f(all, all, 3, 3, 3)
	f(all, int32(batch), 1, 1, 1)
	f(all, int32(2*batch+1), 2, 2, 2)
	f(all, 1, 1, 0, 0)
	f(1, all, 1, 0, 0)
	f(0, 0, 1, 0, 0)
	f(int32(4*batch), all, 3, 1, 0)
	f(int32(4*batch), int32(batch), 1, 1, 1)
}

func TestFetchByTopicID(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	id := c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "x"))
	for version := int16(13); version <= 18; version++ {
		req := testkit.FetchRequest("", 0, 0)
		req.Topics[0].TopicID = id
		resp := testkit.Ask[*kmsg.FetchResponse](c, req, version)
		if got := values(t, resp.Topics[0].Partitions[0]); !slices.Equal(got, []string{"0=x"}) || resp.Topics[0].TopicID != id {
			t.Errorf("version %d: %q of topic %v", version, got, resp.Topics[0].TopicID)
		}
		req.Topics[0].TopicID = kafka.UUID{1}
		resp = testkit.Ask[*kmsg.FetchResponse](c, req, version)
		if got := testkit.Code(resp.Topics[0].Partitions[0].ErrorCode); got != "UNKNOWN_TOPIC_ID" {
			t.Errorf("version %d: an unknown id gives %s", version, got)
		}
	}
}

func TestFetchEpochsAndOffsets(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "0", "1"))
	n.Stop() // the next life leads in a later epoch
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c = n.Dial()
	c.MustProduce("a", 0, testkit.BatchOf(1, "2"))
	leader := testkit.Ask[*kmsg.MetadataResponse](c, kmsg.NewPtrMetadataRequest(), 12).Topics[0].Partitions[0].LeaderEpoch
	if leader < 1 {
		t.Fatalf("the second life leads in epoch %d", leader)
	}
	f := func(offset int64, current, last int32, want string) {
		t.Helper()
		req := testkit.FetchRequest("a", 0, offset)
		p := &req.Topics[0].Partitions[0]
		p.CurrentLeaderEpoch, p.LastFetchedEpoch = current, last
		a := testkit.Ask[*kmsg.FetchResponse](c, req, 12).Topics[0].Partitions[0]
		got := testkit.Code(a.ErrorCode)
		if a.ErrorCode == 0 {
			got = strings.Join(values(t, a), " ")
		}
		if a.DivergingEpoch.Epoch >= 0 {
			got = fmt.Sprintf("diverges: epoch %d ends at %d", a.DivergingEpoch.Epoch, a.DivergingEpoch.EndOffset)
		}
		if got != want {
			t.Errorf("offset %d, current epoch %d, last epoch %d: %q, want %q", offset, current, last, got, want)
		}
	}
	f(1, -1, -1, "0=0 1=1 2=2")
	f(2, leader, -1, "2=2")
	f(2, leader-1, -1, "FENCED_LEADER_EPOCH")
	f(2, leader+1, -1, "UNKNOWN_LEADER_EPOCH")
	f(2, leader, 0, "2=2")
	f(3, leader, leader, "")
	f(3, leader, 0, "diverges: epoch 0 ends at 2")
	f(3, leader, leader+5, "OFFSET_OUT_OF_RANGE")
	f(4, -1, -1, "OFFSET_OUT_OF_RANGE")
	f(-1, -1, -1, "OFFSET_OUT_OF_RANGE")
}

// An incremental session names only what is news.
func TestFetchSession(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 3)
	for p := range int32(3) {
		c.MustProduce("a", p, testkit.BatchOf(1, "first"))
	}
	ask := func(id, epoch int32, forget []int32, want string, partitions ...int32) *kmsg.FetchResponse {
		t.Helper()
		req := testkit.FetchRequest("a", 0, 1)
		req.SessionID, req.SessionEpoch = id, epoch
		one := req.Topics[0].Partitions[0]
		req.Topics[0].Partitions = nil
		for _, p := range partitions {
			one.Partition = p
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
		}
		if len(partitions) == 0 {
			req.Topics = nil
		}
		if forget != nil {
			topic := kmsg.NewFetchRequestForgottenTopic()
			topic.Topic, topic.Partitions = "a", forget
			req.ForgottenTopics = append(req.ForgottenTopics, topic)
		}
		resp := testkit.Ask[*kmsg.FetchResponse](c, req, 12)
		got := testkit.Code(resp.ErrorCode)
		if resp.ErrorCode == 0 {
			got = ""
			for _, topic := range resp.Topics {
				for _, p := range topic.Partitions {
					got += fmt.Sprintf(" %d:%d", p.Partition, len(values(t, p)))
				}
			}
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("session %d epoch %d, partitions %v, forget %v: %q, want %q", id, epoch, partitions, forget, got, want)
		}
		return resp
	}
	id := ask(0, 0, nil, "0:0 1:0 2:0", 0, 1, 2).SessionID
	if id == 0 {
		t.Fatal("there is no session")
	}
	ask(id, 1, nil, "")
	c.MustProduce("a", 1, testkit.BatchOf(1, "second"))
	ask(id, 2, nil, "1:1")
	ask(id, 3, []int32{1}, "")
	c.MustProduce("a", 2, testkit.BatchOf(1, "second"))
	ask(id, 4, nil, "2:1")
	ask(id, 4, nil, "INVALID_FETCH_SESSION_EPOCH")
	ask(id+1, 5, nil, "FETCH_SESSION_ID_NOT_FOUND")
	ask(id, 5, nil, "2:1 1:1", 1)
	ask(id, -1, nil, "0:0", 0)
	ask(id, 6, nil, "FETCH_SESSION_ID_NOT_FOUND")
}

// A parked fetch of a session gets what has come for partitions that its request did not name.
func TestLongPollOfASession(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 2)
	req := testkit.FetchRequest("a", 0, 0)
	one := req.Topics[0].Partitions[0]
	one.Partition = 1
	req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
	req.SessionEpoch = 0
	id := testkit.Ask[*kmsg.FetchResponse](c, req, 12).SessionID
	req.SessionID, req.SessionEpoch, req.Topics, req.MaxWaitMillis = id, 1, nil, 300_000
	poll := parked(n, req, 12)
	c.MustProduce("a", 1, testkit.BatchOf(1, "x"))
	resp, _ := poll.Receive(req)
	f := resp.(*kmsg.FetchResponse)
	if len(f.Topics) != 1 || len(f.Topics[0].Partitions) != 1 || f.Topics[0].Partitions[0].Partition != 1 {
		t.Errorf("the poll names %+v", f.Topics)
	}
}

// read_committed ends at the last stable offset; here nothing is open, so at the high watermark.
func TestFetchTellsBounds(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("a", 1)
	c.MustProduce("a", 0, testkit.BatchOf(1, "0", "1", "2"))
	req := testkit.FetchRequest("a", 0, 3)
	req.IsolationLevel = 1
	p := testkit.Ask[*kmsg.FetchResponse](c, req, 12).Topics[0].Partitions[0]
	if p.HighWatermark != 3 || p.LastStableOffset != 3 || p.LogStartOffset != 0 {
		t.Errorf("high watermark %d, last stable offset %d, log start offset %d", p.HighWatermark, p.LastStableOffset, p.LogStartOffset)
	}
}

// A node finds a partition with transactions in it, as Kafka may have left it: readers of committed records are told which are aborted,
// and get nothing of the one that is open, on a first fetch and on one that waited.
func TestReadCommittedOfALogWithTransactions(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	n.Dial().Create("a", 1)
	n.Dial().MustProduce("a", 0, testkit.BatchOf(1, "plain"))
	n.Stop()
	opts := commitlog.Options{Config: commitlog.DefaultConfig(), Cache: segment.NewCache(10, 1<<20), Clean: true, Now: time.Now()}
	log, _, err := commitlog.Open(n.FS, "/data/a-0", opts)
	if err != nil {
		t.Fatal(err)
	}
	in := func(id kafka.ProducerID, value string) []byte {
		o := record.NewOptions(log.LogEndOffset(), 0)
		o.Transactional, o.ProducerID, o.ProducerEpoch, o.BaseSequence = true, id, 0, 0
		return testkit.Batch(o, 1, value)
	}
	add := func(b []byte) {
		if _, err := log.Append(b, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	add(in(70, "aborted"))
	add(record.AppendEndTxnMarker(nil, log.LogEndOffset(), 0, 1, 70, 0, record.Abort, 0))
	add(in(71, "open"))
	if err := log.Close(time.Now()); err != nil {
		t.Fatal(err)
	}
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c := n.Dial()
	f := func(isolation int8, from int64, want string) {
		t.Helper()
		req := testkit.FetchRequest("a", 0, from)
		req.IsolationLevel, req.MinBytes, req.MaxWaitMillis = isolation, 10_000, 20
		p := testkit.Ask[*kmsg.FetchResponse](c, req, 12).Topics[0].Partitions[0]
		var aborted []string
		for _, a := range p.AbortedTransactions {
			aborted = append(aborted, fmt.Sprintf("%d from %d", a.ProducerID, a.FirstOffset))
		}
		end := from
		for b := p.RecordBatches; len(b) > 0; {
			batch, rest, err := record.Next(b)
			if err != nil {
				t.Fatal(err)
			}
			end, b = int64(batch.NextOffset()), rest
		}
		got := fmt.Sprintf("%d to %d, stable %d, aborted %v, null %v", from, end, p.LastStableOffset, aborted, p.AbortedTransactions == nil)
		if got != want {
			t.Errorf("isolation %d: %s, want %s", isolation, got, want)
		}
	}
	f(1, 0, "0 to 3, stable 3, aborted [70 from 1], null false")
	f(1, 3, "3 to 3, stable 3, aborted [], null false")
	f(0, 0, "0 to 4, stable 3, aborted [], null true")
}
