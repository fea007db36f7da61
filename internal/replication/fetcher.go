package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/peer"
)

const (
	// firstPause is the pause after a first failure; it doubles up to Limits.Backoff.
	firstPause = 20 * time.Millisecond
	// holdOff is the pause of a throttled partition whose rate is used up.
	holdOff = 100 * time.Millisecond
	// besideRecords is what a fetch's answer holds beside records and the one batch that may be larger, in bytes.
	besideRecords = 64 << 20
)

// fetcher fetches from one leader's node all that is followed from there.
type fetcher struct {
	e      *Engine
	leader kafka.NodeID
	wake   chan struct{} // holds one: partitions changed

	partitions map[*partition.Partition]*followed // under the engine's mu

	client  *peer.Client // the loop's, as what follows
	session session
	pause   time.Duration // before the next try, after failures of the whole
}

// followed is one partition of a fetcher.
type followed struct {
	p  *partition.Partition
	is key
	// until is when it is fetched again, after it failed; pause is how long that was. Both are the loop's.
	until time.Time
	pause time.Duration
	asked partition.Fetching // in the request that is on its way
	level bool               // it had all that the leader shows, at the last answer
}

func follow(p *partition.Partition) *followed {
	return &followed{p: p, is: key{p.TopicID(), p.ID().Partition}}
}

// look wakes the loop.
func (f *fetcher) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fetcher) run() {
	f.client = peer.New(peer.Options{
		Dial: func(ctx context.Context) (net.Conn, error) { return f.e.o.Dial(ctx, f.leader) },
		ID:   fmt.Sprint("replica-", f.e.o.Self), MaxFrame: int(f.e.o.Limits.MaxBytes) + besideRecords,
	})
	defer f.client.Close()
	for f.e.life.Err() == nil {
		wanted, next := f.wanted(f.e.o.Now())
		if len(wanted) == 0 {
			f.rest(next)
			continue
		}
		if err := f.fetch(wanted); err != nil && f.e.life.Err() == nil {
			f.pause = min(max(2*f.pause, firstPause), f.e.o.Limits.Backoff)
			f.e.o.Log.Debug("a fetch failed", "leader", f.leader, "partitions", len(wanted), "err", err)
			f.rest(f.e.o.Now().Add(f.pause))
			continue
		}
		f.pause = 0
	}
}

// rest waits until something changes, or for a time; the zero time is none.
func (f *fetcher) rest(until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(f.e.o.Now()))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-f.wake:
	case <-due:
	case <-f.e.life.Done():
	}
}

// wanted lists what is to be fetched now, by topic, and when something is that is not.
func (f *fetcher) wanted(now time.Time) (wanted []*followed, next time.Time) {
	f.e.mu.Lock()
	for _, x := range f.partitions {
		until := x.until
		if !until.After(now) && !x.level && x.p.HoldOff(now) {
			until = now.Add(holdOff)
		}
		switch {
		case !until.After(now):
			wanted = append(wanted, x)
		case next.IsZero() || until.Before(next):
			next = until
		}
	}
	f.e.mu.Unlock()
	wanted = slices.DeleteFunc(wanted, func(x *followed) bool {
		asked, ok := x.p.Fetching()
		x.asked = asked
		return !ok
	})
	slices.SortFunc(wanted, func(a, b *followed) int {
		x, y := a.p.ID(), b.p.ID()
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return wanted, next
}

// fetch asks once and takes in the answer.
func (f *fetcher) fetch(wanted []*followed) error {
	l := &f.e.o.Limits
	ctx, cancel := context.WithTimeout(f.e.life, l.MaxWait+l.Timeout)
	defer cancel()
	answer, err := f.client.Do(ctx, f.request(f.session.ask(wanted)))
	var resp *kmsg.FetchResponse
	if err == nil {
		resp = answer.(*kmsg.FetchResponse)
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		f.session.broken()
		return err
	}
	f.session.answered(resp.SessionID)
	now := f.e.o.Now()
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			a := &t.Partitions[j]
			x := f.session.asked[key{t.TopicID, a.Partition}]
			if x == nil {
				f.session.broken()
				return fmt.Errorf("an answer with partition %d of topic %v, which was not asked for", a.Partition, kafka.TopicID(t.TopicID))
			}
			f.settle(x, f.take(ctx, x, a), now)
		}
	}
	return nil
}

func (f *fetcher) request(named []*followed, forgotten []key) *kmsg.FetchRequest {
	l := &f.e.o.Limits
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(req.MaxVersion())
	req.ReplicaID = int32(f.e.o.Self) // until version 14
	req.ReplicaState.ID, req.ReplicaState.Epoch = int32(f.e.o.Self), int64(f.e.o.Epoch())
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(l.MaxWait.Milliseconds()), l.MinBytes, l.MaxBytes
	f.session.fill(req, forgotten)
	for _, x := range named {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].TopicID != x.p.TopicID() {
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = x.p.ID().Topic, x.p.TopicID()
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.FetchOffset = x.p.ID().Partition, int32(x.asked.LeaderEpoch), int64(x.asked.Offset)
		p.LastFetchedEpoch, p.LogStartOffset, p.PartitionMaxBytes = int32(x.asked.LastEpoch), int64(x.asked.LogStart), l.MaxPartitionBytes
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, p)
	}
	return req
}

// take acts on the answer for a partition.
func (f *fetcher) take(ctx context.Context, x *followed, a *kmsg.FetchResponseTopicPartition) error {
	now := f.e.o.Now()
	err := kerr.ErrorForCode(a.ErrorCode)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return f.outOfRange(ctx, x)
	case err != nil:
		return err
	case a.DivergingEpoch.EndOffset >= 0:
		there := partition.EpochEnd{Epoch: kafka.LeaderEpoch(a.DivergingEpoch.Epoch), End: kafka.Offset(a.DivergingEpoch.EndOffset)}
		return x.p.Diverged(x.asked.LeaderEpoch, there, now)
	}
	err = x.p.AppendAsFollower(partition.FollowRequest{
		LeaderEpoch: x.asked.LeaderEpoch, Offset: x.asked.Offset, Records: a.RecordBatches, HighWatermark: kafka.Offset(a.HighWatermark),
		LogStartOffset: kafka.Offset(a.LogStartOffset), Now: now,
	})
	x.level = err == nil && int64(x.p.LogEndOffset()) >= a.HighWatermark
	return err
}

// settle has a partition that failed wait before it is fetched again.
func (f *fetcher) settle(x *followed, err error, now time.Time) {
	if err == nil {
		x.pause, x.until = 0, time.Time{}
		return
	}
	x.pause = min(max(2*x.pause, firstPause), f.e.o.Limits.Backoff)
	x.until = now.Add(x.pause)
	if !errors.Is(err, kerr.NotLeaderForPartition) && !errors.Is(err, kerr.UnknownLeaderEpoch) && !errors.Is(err, kerr.FencedLeaderEpoch) {
		f.e.o.Log.Warn("a replica does not follow", "partition", x.p.ID(), "leader", f.leader, "err", err)
	}
}

// outOfRange asks where the leader's log begins and ends, and goes on there.
func (f *fetcher) outOfRange(ctx context.Context, x *followed) error {
	start, err := f.offset(ctx, x, partition.EarliestTimestamp)
	if err != nil {
		return err
	}
	end, err := f.offset(ctx, x, partition.LatestTimestamp)
	if err != nil {
		return err
	}
	return x.p.StartAt(x.asked.LeaderEpoch, start, end, f.e.o.Now())
}

// offset is one end of the leader's log.
func (f *fetcher) offset(ctx context.Context, x *followed, timestamp int64) (kafka.Offset, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.SetVersion(req.MaxVersion())
	req.ReplicaID = int32(f.e.o.Self)
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.Timestamp = x.p.ID().Partition, int32(x.asked.LeaderEpoch), timestamp
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = x.p.ID().Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	answer, err := f.client.Do(ctx, req)
	if err != nil {
		return kafka.NoOffset, err
	}
	resp := answer.(*kmsg.ListOffsetsResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return kafka.NoOffset, fmt.Errorf("an answer with %d topics, one was asked for", len(resp.Topics))
	}
	got := &resp.Topics[0].Partitions[0]
	return kafka.Offset(got.Offset), kerr.ErrorForCode(got.ErrorCode)
}
