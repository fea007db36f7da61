package replication_test

import (
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/testkit"
)

func sends(high int64, bases ...kafka.Offset) func(*kmsg.FetchResponseTopicPartition) {
	return func(a *kmsg.FetchResponseTopicPartition) {
		a.HighWatermark = high
		for _, base := range bases {
			a.RecordBatches = append(a.RecordBatches, batchAt(base)...)
		}
	}
}

// TestStepsGap: a gap in what the leader sends is written only when the leader's log, which goes from 100 to 200, goes on behind it and the same comes
// again; those up to that end are then, as of a log that was compacted once. One bit that flipped on the way costs a question.
func TestStepsGap(t *testing.T) {
	s := newStepped(t)
	end := func(want kafka.Offset) {
		t.Helper()
		if got := s.get(0).LogEndOffset(); got != want {
			t.Fatalf("ends at %d, want %d", got, want)
		}
	}
	asksItsEnd := func() {
		t.Helper()
		req, ok := s.ask().(*kmsg.ListOffsetsRequest)
		if !ok || req.ReplicaID != 1 || req.Topics[0].Partitions[0].Timestamp != -1 {
			t.Fatalf("%+v", req)
		}
		s.steps.Answered(2, s.offsets(req), nil, s.now)
	}
	waits := func() {
		t.Helper()
		asks, next := s.steps.Asks(s.now)
		if len(asks) > 0 || !next.After(s.now) {
			t.Fatalf("%+v", asks)
		}
		s.now = next
	}
	s.fetched(sends(100, 0, 1|1<<6)) // the second is at 1
	end(1)
	asksItsEnd()
	s.fetched(sends(100, 1, 2))
	end(3)

	s.fetched(sends(math.MaxInt64, 200)) // nothing is there, whatever it says of its high watermark
	end(3)
	asksItsEnd()
	waits()
	s.fetched(sends(100, 3, 4))
	end(5)

	s.fetched(sends(100, 10))
	asksItsEnd()
	s.fetched(sends(100, 11)) // something else each time
	waits()
	s.fetched(sends(100, 10))
	asksItsEnd()
	s.fetched(sends(100, 10, 20, 31)) // it was compacted once: the first is believed, then all
	end(11)
	s.fetched(sends(100, 20, 31, 40))
	end(41)
	s.fetched(sends(100, 41, 199))
	end(200)
	s.fetched(sends(300, 202)) // but not of what came since
	end(200)
	asksItsEnd()
	waits()
}

// TestStepsBeginsWithin: an empty log begins within a batch of the leader's when that comes twice.
func TestStepsBeginsWithin(t *testing.T) {
	s := newStepped(t)
	two := testkit.BatchOf(1, "deleted", "not")
	record.Batch(two).SetBaseOffset(99)
	record.Batch(two).SetLeaderEpoch(0)
	s.fetched(fails(kerr.OffsetOutOfRange))
	for range 2 {
		s.steps.Answered(2, s.offsets(s.ask().(*kmsg.ListOffsetsRequest)), nil, s.now)
	}
	p := s.get(0)
	for _, want := range []kafka.Offset{100, 101} {
		s.fetched(func(a *kmsg.FetchResponseTopicPartition) {
			a.RecordBatches, a.HighWatermark, a.LogStartOffset = two, 200, 100
		})
		if got := p.LogEndOffset(); got != want {
			t.Fatalf("ends at %d, want %d", got, want)
		}
		if want == 100 {
			s.steps.Answered(2, s.offsets(s.ask().(*kmsg.ListOffsetsRequest)), nil, s.now)
		}
	}
	if got := p.LogStartOffset(); got != 100 {
		t.Errorf("begins at %d", got)
	}
}

// TestHostileLeader: whatever a leader's node sends, over and over, a follower writes no more than what comes next, and goes on when that comes.
func TestHostileLeader(t *testing.T) {
	spoilt := func(spoil func(record.Batch)) func(*kmsg.FetchResponseTopicPartition) {
		return func(a *kmsg.FetchResponseTopicPartition) {
			b := batchAt(0)
			spoil(b)
			a.RecordBatches, a.HighWatermark, a.LogStartOffset = b, math.MaxInt64, math.MaxInt64
		}
	}
	script := []func(*kmsg.FetchResponseTopicPartition){
		spoilt(func(b record.Batch) { b.SetBaseOffset(math.MaxInt64) }),
		spoilt(func(b record.Batch) { b.SetBaseOffset(math.MinInt64) }),
		spoilt(func(b record.Batch) { b.SetBaseOffset(1 << 40) }),
		spoilt(func(b record.Batch) { b.SetBaseOffset(300) }),
		spoilt(func(b record.Batch) { b.SetLeaderEpoch(-1) }),
		spoilt(func(b record.Batch) { b.SetLeaderEpoch(math.MaxInt32) }),
		spoilt(func(b record.Batch) { b[len(b)-1] ^= 1 }),
		spoilt(func(b record.Batch) { b[9] = 0x7f }), // its length
	}
	wrong := len(script)
	n := newNode(t, append(script, sends(1, 0), nothing)...)
	p := n.get(0)
	testkit.Eventually(t, "it goes on with what comes next", func() bool { return p.LogEndOffset() == 1 && p.HighWatermark() == 1 && p.LogStartOffset() == 0 })
	for i, r := range n.asked()[:wrong+1] {
		if at := r.Topics[0].Partitions[0].FetchOffset; at != 0 {
			t.Errorf("fetch %d asks from %d", i, at)
		}
	}
}
