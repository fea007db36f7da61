package replication_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/schema"
)

// stepped is a node whose replication is stepped by the test.
type stepped struct {
	node
	steps *replication.Steps
	now   time.Time
}

func newStepped(t *testing.T) *stepped {
	s := &stepped{node: node{t: t, image: metadata.Empty()}, now: time.UnixMilli(1_000_000)}
	s.steps = replication.NewSteps(replication.Options{
		Self: 1, Epoch: func() kafka.BrokerEpoch { return 77 }, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		Limits: replication.Limits{MaxWait: time.Second, MinBytes: 1, MaxBytes: 1 << 20, MaxPartitionBytes: 1 << 20, Backoff: 50 * time.Millisecond},
	})
	s.open(s.steps.Propose, s.steps.Moved)
	s.apply(&schema.TopicRecord{Name: "t", TopicID: topic}, s.partition(0, 2))
	return s
}

// ask returns the one request that is to be sent.
func (s *stepped) ask() kmsg.Request {
	s.t.Helper()
	asks, _ := s.steps.Asks(s.now)
	if len(asks) != 1 || asks[0].Leader != 2 {
		s.t.Fatalf("asks %+v", asks)
	}
	return asks[0].Request
}

func (s *stepped) fetched(edit func(*kmsg.FetchResponseTopicPartition)) {
	s.t.Helper()
	req := s.ask().(*kmsg.FetchRequest)
	resp, out := kmsg.NewPtrFetchResponse(), kmsg.NewFetchResponseTopic()
	out.TopicID = req.Topics[0].TopicID
	a := kmsg.NewFetchResponseTopicPartition()
	edit(&a)
	out.Partitions = append(out.Partitions, a)
	resp.Topics = append(resp.Topics, out)
	s.steps.Answered(2, resp, nil, s.now)
}

// The same decisions as the loop's, one call at a time: one request is on its way to a node, a failure makes it wait, a log that lies elsewhere is
// asked for both its ends.
func TestStepsFetch(t *testing.T) {
	s := newStepped(t)
	s.ask()
	if again, next := s.steps.Asks(s.now); len(again) > 0 || !next.IsZero() {
		t.Fatalf("a second request before the answer to the first, or one at %v", next)
	}
	s.steps.Answered(2, nil, errors.New("the connection broke"), s.now)
	none, next := s.steps.Asks(s.now)
	if len(none) > 0 || !next.After(s.now) {
		t.Fatalf("after a failure: %+v, the next at %v", none, next)
	}
	s.now = next
	s.fetched(func(a *kmsg.FetchResponseTopicPartition) { a.RecordBatches, a.HighWatermark = batchAt(0), 1 })
	if got := s.get(0); got.LogEndOffset() != 1 || got.HighWatermark() != 1 {
		t.Fatalf("%v", got)
	}
	s.fetched(fails(kerr.OffsetOutOfRange))
	for range 2 {
		s.steps.Answered(2, s.offsets(s.ask().(*kmsg.ListOffsetsRequest)), nil, s.now)
	}
	if got := s.get(0); got.LogStartOffset() != 100 {
		t.Fatalf("%v", got)
	}
	s.ask()
}

// One alteration is on its way; one that the controller did not take is asked for again a little later.
func TestStepsAlter(t *testing.T) {
	s := newStepped(t)
	if _, ok := s.steps.Alteration(s.now); ok {
		t.Fatal("nobody wants another in-sync set")
	}
	s.apply(s.partition(1, 1))
	p := s.get(1)
	if _, err := p.Append(partition.AppendRequest{Records: batchAt(0), RequiredAcks: 1, Now: s.now}); err != nil {
		t.Fatal(err)
	}
	if err := p.Fetched(s.now, replica.Fetch{From: 2, Epoch: 72, LeaderEpoch: kafka.NoEpoch, LogEnd: 1}, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, ok := s.steps.Alteration(s.now); !ok {
			t.Fatal("the follower has caught up")
		}
		if _, ok := s.steps.Alteration(s.now); ok {
			t.Fatal("a second one is on its way")
		}
		s.steps.Altered(nil, errors.New("no controller"), s.now)
		if _, ok := s.steps.Alteration(s.now); ok {
			t.Fatal("asked again at once")
		}
		s.now = s.now.Add(time.Second)
	}
}

// What is answered after the partition has gone to another leader, or has come back, is of no use: it was asked for in another life of the source.
func TestStepsLateAnswer(t *testing.T) {
	s := newStepped(t)
	late := s.ask()
	lead := func(leader, epoch int32) {
		p := s.partition(0, leader)
		p.LeaderEpoch, p.PartitionEpoch = epoch, epoch
		s.apply(p)
	}
	lead(1, 1)
	lead(2, 2)
	if all, _ := s.steps.Asks(s.now); len(all) != 0 {
		t.Fatalf("while %v is on its way: %v", late, all)
	}
	s.steps.Answered(2, nil, errors.New("too late"), s.now)
	req := s.ask().(*kmsg.FetchRequest) // at once, as if nothing had failed
	if got := req.Topics[0].Partitions[0].CurrentLeaderEpoch; got != 2 || req.SessionEpoch != 0 {
		t.Errorf("in epoch %d, and epoch %d of the session", got, req.SessionEpoch)
	}
}
