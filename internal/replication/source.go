package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/partition"
)

const (
	// firstPause is the pause after a first failure; it doubles up to Limits.Backoff.
	firstPause = 20 * time.Millisecond
	// sayAgain is how long a replica's failure is not repeated in the log.
	sayAgain = time.Minute
	// saidMost is of how many replicas that is kept: where more fail in turn, as with a full disk, the log would be flooded.
	saidMost = 1 << 17
	// holdOff is the pause of a throttled partition whose rate is used up.
	holdOff = 100 * time.Millisecond
)

// sources are all that a node follows, by the leader's node.
type sources struct {
	life context.Context // of all

	mu       sync.Mutex // a leaf: guards the fields below and what sources follow
	byLeader map[kafka.NodeID]*source
	followed map[*partition.Partition]*source

	said obs.Once[key, string] // why replicas do not follow, as it is in the log
}

func newSources(life context.Context) sources {
	return sources{life: life, byLeader: make(map[kafka.NodeID]*source), followed: make(map[*partition.Partition]*source), said: obs.Once[key, string]{For: sayAgain, Most: saidMost}}
}

// moved looks whom partitions follow now. It returns the sources that did not exist before; one from which nothing is followed any more ends.
func (all *sources) moved(o *Options, partitions []*partition.Partition) (fresh []*source) {
	leaders := make([]kafka.NodeID, len(partitions))
	for i, p := range partitions {
		leaders[i] = kafka.NoNode
		if _, ok := p.Fetching(); ok {
			leaders[i] = p.Leadership().Leader
		}
	}
	all.mu.Lock()
	var left []*source
	changed := make(map[*source]struct{})
	for i, p := range partitions {
		if s := all.leave(p, leaders[i]); s != nil {
			left = append(left, s)
		}
		if leaders[i] == kafka.NoNode {
			continue
		}
		s := all.byLeader[leaders[i]]
		if s == nil {
			s = all.begin(o, leaders[i])
			fresh = append(fresh, s)
		}
		s.partitions[p], s.order = follow(p), nil
		all.followed[p] = s
		changed[s] = struct{}{}
	}
	all.mu.Unlock()
	for _, s := range left {
		s.end()
	}
	for s := range changed {
		s.look()
	}
	return fresh
}

// leave takes a partition from the source that it had, if that is of another node than leader, and returns the source if that was all of it. The
// caller has mu.
func (all *sources) leave(p *partition.Partition, leader kafka.NodeID) *source {
	s := all.followed[p]
	if s == nil || s.leader == leader {
		return nil
	}
	delete(s.partitions, p)
	s.order = nil
	delete(all.followed, p)
	if len(s.partitions) > 0 {
		return nil
	}
	delete(all.byLeader, s.leader)
	return s
}

// begin makes the source for a leader's node. The caller has mu.
func (all *sources) begin(o *Options, leader kafka.NodeID) *source {
	s := &source{all: all, o: o, leader: leader, wake: make(chan struct{}, 1), partitions: make(map[*partition.Partition]*followed)}
	s.life, s.end = context.WithCancel(all.life)
	all.byLeader[leader] = s
	return s
}

// source is what is followed from one leader's node: it decides what to ask there, one request at a time, and what the answers lead to. It
// sends nothing.
type source struct {
	all    *sources
	o      *Options
	leader kafka.NodeID
	wake   chan struct{} // holds one: partitions changed
	// life ends when nothing is followed from there any more; end ends it.
	life context.Context
	end  context.CancelFunc

	partitions map[*partition.Partition]*followed // under the mu of all
	order      []*followed                        // the same by topic, nil when they changed; under the mu of all

	// What follows is its only user's.
	session session
	asked   kmsg.Request  // on its way
	pause   time.Duration // before the next try, after failures of the whole
	until   time.Time     // when that is over
	lost    []*followed   // whose leader's log lies behind or before theirs, or seems to have a gap: where it begins and ends is asked for
}

// followed is one partition of a source.
type followed struct {
	p  *partition.Partition
	is key
	// until is when it is fetched again, after it failed; pause is how long that was.
	until time.Time
	pause time.Duration
	asked partition.Fetching // in the request that is on its way
	start kafka.Offset       // of the leader's log, while its end is asked for; kafka.NoOffset before
	doubt doubt
	level bool // it had all that the leader shows, at the last answer
}

func follow(p *partition.Partition) *followed {
	return &followed{p: p, is: key{p.TopicID(), p.ID().Partition}}
}

// look wakes whoever waits until there is something to ask.
func (s *source) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// hurry ends a pause: partitions changed.
func (s *source) hurry() { s.until = time.Time{} }

// ask returns the next request, or nil and when to ask for it again; the zero time is when something changes. Its outcome is for take.
func (s *source) ask(now time.Time) (kmsg.Request, time.Time) {
	if len(s.lost) > 0 {
		s.asked = s.bound(s.lost[0])
		return s.asked, time.Time{}
	}
	if s.until.After(now) {
		return nil, s.until
	}
	wanted, next := s.wanted(now)
	if len(wanted) == 0 {
		return nil, next
	}
	s.asked = s.fetch(s.session.ask(wanted))
	return s.asked, time.Time{}
}

// take takes in the answer to the request that is on its way, or that there is none. Its error is one of the whole: the next request waits a
// little.
func (s *source) take(answer kmsg.Response, err error, now time.Time) error {
	if _, bound := s.asked.(*kmsg.ListOffsetsRequest); bound {
		s.takeBound(answer, err, now)
		return nil
	}
	if err = s.takeFetched(answer, err, now); err != nil {
		s.session.broken()
		s.pause = min(max(2*s.pause, firstPause), s.o.Limits.Backoff)
		s.until = now.Add(s.pause)
		return fmt.Errorf("a fetch of %d partitions: %w", len(s.session.asked), err)
	}
	s.pause = 0
	return nil
}

// wanted lists what is to be fetched now, by topic, and when something is that is not.
func (s *source) wanted(now time.Time) (wanted []*followed, next time.Time) {
	all := s.sorted()
	wanted = make([]*followed, 0, len(all))
	for _, x := range all {
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
	wanted = slices.DeleteFunc(wanted, func(x *followed) bool {
		asked, ok := x.p.Fetching()
		x.asked = asked
		return !ok
	})
	return wanted, next
}

// sorted are all that are followed, by topic. Nobody changes what it returns.
func (s *source) sorted() []*followed {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.order == nil {
		s.order = slices.SortedFunc(maps.Values(s.partitions), func(a, b *followed) int {
			x, y := a.p.ID(), b.p.ID()
			return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
		})
	}
	return s.order
}

func (s *source) fetch(named []*followed, forgotten []key) *kmsg.FetchRequest {
	l := &s.o.Limits
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(req.MaxVersion())
	req.ReplicaID = int32(s.o.Self) // until version 14
	req.ReplicaState.ID, req.ReplicaState.Epoch = int32(s.o.Self), int64(s.o.Epoch())
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(l.MaxWait.Milliseconds()), l.MinBytes, l.MaxBytes
	s.session.fill(req, forgotten)
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

func (s *source) takeFetched(answer kmsg.Response, err error, now time.Time) error {
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	s.session.answered(resp.SessionID)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			a := &t.Partitions[j]
			x := s.session.asked[key{t.TopicID, a.Partition}]
			if x == nil {
				return fmt.Errorf("an answer with partition %d of topic %v, which was not asked for", a.Partition, kafka.TopicID(t.TopicID))
			}
			s.settle(x, s.partition(x, a, now), now)
		}
	}
	return nil
}

// partition acts on the answer for a partition.
func (s *source) partition(x *followed, a *kmsg.FetchResponseTopicPartition, now time.Time) error {
	err := kerr.ErrorForCode(a.ErrorCode)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		x.start = kafka.NoOffset
		s.lost = append(s.lost, x)
		return nil
	case err != nil:
		return err
	case a.DivergingEpoch.EndOffset >= 0:
		there := partition.EpochEnd{Epoch: kafka.LeaderEpoch(a.DivergingEpoch.Epoch), End: kafka.Offset(a.DivergingEpoch.EndOffset)}
		return x.p.Diverged(x.asked.LeaderEpoch, there, now)
	}
	err = x.p.AppendAsFollower(partition.FollowRequest{
		LeaderEpoch: x.asked.LeaderEpoch, Offset: x.asked.Offset, Records: a.RecordBatches, HighWatermark: kafka.Offset(a.HighWatermark),
		LogStartOffset: kafka.Offset(a.LogStartOffset), Now: now, Believed: x.doubt.believed, Sure: x.doubt.sure,
	})
	x.level = err == nil && int64(x.p.LogEndOffset()) >= a.HighWatermark
	ask, err := x.doubt.after(err, x.p.LogEndOffset())
	if ask {
		s.lost = append(s.lost, x)
	}
	return err
}

// settle has a partition that failed wait before it is fetched again.
func (s *source) settle(x *followed, err error, now time.Time) {
	if err == nil {
		x.pause, x.until = 0, time.Time{}
		return
	}
	x.pause = min(max(2*x.pause, firstPause), s.o.Limits.Backoff)
	x.until = now.Add(x.pause)
	if !errors.Is(err, kerr.NotLeaderForPartition) && !errors.Is(err, kerr.UnknownLeaderEpoch) && !errors.Is(err, kerr.FencedLeaderEpoch) {
		if _, say := s.all.said.Say(now, x.is, err.Error()); say {
			s.o.Log.Warn("a replica does not follow", "partition", x.p.ID(), "leader", s.leader, "err", err)
		}
	}
}

// bound asks where the leader's log of a partition begins or, when that is known, ends.
func (s *source) bound(x *followed) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.SetVersion(req.MaxVersion())
	req.ReplicaID = int32(s.o.Self)
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch, p.Timestamp = x.p.ID().Partition, int32(x.asked.LeaderEpoch), partition.EarliestTimestamp
	if x.start != kafka.NoOffset || x.doubt.gap != nil {
		p.Timestamp = partition.LatestTimestamp
	}
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = x.p.ID().Topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// takeBound takes in one of the bounds; with the second the partition goes on there.
func (s *source) takeBound(answer kmsg.Response, err error, now time.Time) {
	x := s.lost[0]
	var at kafka.Offset
	if err == nil {
		at, err = boundOf(answer.(*kmsg.ListOffsetsResponse))
	}
	switch {
	case err != nil:
		x.doubt.gap = nil
	case x.doubt.gap != nil:
		err = x.doubt.weighed(at)
	case x.start == kafka.NoOffset:
		x.start = at
		return
	default:
		err = x.p.StartAt(x.asked.LeaderEpoch, x.start, at, now)
	}
	s.lost = s.lost[1:]
	s.settle(x, err, now)
}

func boundOf(resp *kmsg.ListOffsetsResponse) (kafka.Offset, error) {
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return kafka.NoOffset, fmt.Errorf("an answer with %d topics, one was asked for", len(resp.Topics))
	}
	got := &resp.Topics[0].Partitions[0]
	return kafka.Offset(got.Offset), kerr.ErrorForCode(got.ErrorCode)
}
