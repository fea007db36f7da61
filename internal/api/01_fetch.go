package api

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// longestWait bounds a long poll, whatever the client asks for.
const longestWait = 5 * time.Minute

// Fetch, key 1, versions 4 to 18. KIP-98 (isolation), KIP-227 (sessions, version 7), KIP-320 (epochs, version 9),
// KIP-392 (racks, version 11), KIP-595 (diverging epochs, version 12), KIP-516 (topic ids, version 13), KIP-951 (the
// leader to go to, version 16), KIP-1166 (the follower's high watermark, version 18).
//
// Records leave as ranges of their files. A fetch that finds less than its minimum waits in the purgatory, and is read
// again when it wakes. The first batch found is sent whole, however long: a consumer must be able to go on.
func fetch(c *call, body []byte) {
	req := &c.scratch.fetch
	if err := req.Read(c.hdr.Version, body); err != nil {
		c.refuse(c.req, c.hdr, err)
		return
	}
	if c.on == onController {
		fetchMetadata(c, req)
		return
	}
	f := newReads(c, req)
	f.asked = sessionRequest(req, c.hdr.Version, f.asked)
	if !isolationKnown(true, req.Isolation) || wire.TopicsByID(c.hdr.Version) && nameless(req.Partitions) {
		f.reply(f.broken(f.asked.Partitions))
		return
	}
	if err := c.Sessions.begin(c.req.Received, f.asked, &f.session); err != nil {
		f.reply(f.refused(err))
		return
	}
	f.find()
	f.read()
	if f.replica >= 0 {
		f.note()
		defer c.scratch.woken.Run() // what this follower was waited for
	}
	if f.enough() {
		f.reply(f.answer())
		return
	}
	f.release()
	f.park()
}

// note tells the partitions how far the follower is that fetches.
func (f *reads) note() {
	for i := range f.found {
		r, want := &f.found[i], &f.session.Partitions[i]
		if r.partition == nil || r.out.ErrorCode != 0 || r.out.Diverging.End >= 0 {
			continue
		}
		err := r.partition.Fetched(f.req.Received, replica.Fetch{From: f.replica, Epoch: f.replicaEpoch, LeaderEpoch: want.LeaderEpoch, LogStart: want.LogStartOffset, LogEnd: want.Offset}, &f.scratch.woken)
		if err == nil {
			continue
		}
		if b := f.image().Cluster.Broker(f.replica); b != nil && f.replicaEpoch != kafka.NoBrokerEpoch && f.replicaEpoch < b.Epoch {
			f.intruded(oldEpoch, f.replica, code(err), epochClaim(int64(f.replicaEpoch)))
		}
		if r.span != nil {
			r.span.Release()
			f.bytes -= r.size
		}
		r.out, r.span, r.size = wire.NewFetched(want.Partition), nil, 0
		f.fail(r, want, err)
	}
}

// nameless reports two partitions of the topic id that stands for none, over which Kafka stumbles.
func nameless(all []wire.FetchPartition) bool {
	n := 0
	for i := range all {
		if all[i].TopicID.IsZero() {
			n++
		}
	}
	return n > 1
}

// sessionRequest is what of a fetch concerns its session, in the memory of s. Names are copied: a session outlives the
// frame.
func sessionRequest(req *wire.FetchRequest, version int16, s fetchsession.Request) fetchsession.Request {
	s = fetchsession.Request{
		Session: req.SessionID, Epoch: req.SessionEpoch, ByID: wire.TopicsByID(version), Privileged: req.ReplicaID >= 0,
		Partitions: s.Partitions[:0], Forgotten: s.Forgotten[:0],
	}
	topic := ""
	for i := range req.Partitions {
		p := &req.Partitions[i]
		if string(p.Topic) != topic {
			topic = string(p.Topic)
		}
		s.Partitions = append(s.Partitions, fetchsession.Partition{
			Key:    fetchsession.Key{Topic: topic, ID: p.TopicID, Partition: p.Partition},
			Offset: p.FetchOffset, MaxBytes: p.MaxBytes, LeaderEpoch: max(p.CurrentLeaderEpoch, kafka.NoEpoch),
			LastFetchedEpoch: max(p.LastFetchedEpoch, kafka.NoEpoch), LogStartOffset: p.LogStartOffset,
		})
	}
	for _, g := range req.Forgotten {
		s.Forgotten = append(s.Forgotten, fetchsession.Key{Topic: string(g.Topic), ID: g.TopicID, Partition: g.Partition})
	}
	return s
}

// reads is a fetch on its way. They are pooled: whoever has encoded the answer puts it back.
type reads struct {
	*call
	parked       call // the call of a fetch that waits
	asked        fetchsession.Request
	session      fetchsession.Context
	isolation    kafka.Isolation
	replica      kafka.NodeID
	replicaEpoch kafka.BrokerEpoch
	rack         string // of a consumer that may read from its nearest replica
	minBytes     int
	maxBytes     int
	deadline     time.Time

	found   []found
	results []fetchsession.Result
	bytes   int
	urgent  bool // an error or a divergence: the client must hear at once, so such a fetch does not wait

	pending transport.Pending
	onWake  func(free bool)           // wake
	onTurn  func() transport.Response // lastLook
}

var readsPool sync.Pool

// found is one partition of a fetch.
type found struct {
	partition *partition.Partition // nil with an error
	err       error
	out       wire.Fetched
	span      *span // nil when there are no records
	size      int
	seen      kafka.Offset // exclusive; the bound when it was read
}

// span is a range of records as the connection sends it. Spans are pooled: one that was released is somebody else's.
type span struct{ commitlog.Span }

var spanPool = sync.Pool{New: func() any { return new(span) }}

func newSpan(of commitlog.Span) *span {
	s := spanPool.Get().(*span)
	s.Span = of
	return s
}

// Release implements transport.Range.
func (s *span) Release() {
	s.Span.Release()
	spanPool.Put(s)
}

// Len implements transport.Range.
func (s *span) Len() int64 { return int64(s.Span.Len()) }

// File implements transport.Range.
func (s *span) File() (fd uintptr, pos int64, ok bool) {
	fd, ok = s.Descriptor()
	return fd, s.Position(), ok
}

func newReads(c *call, req *wire.FetchRequest) *reads {
	f, _ := readsPool.Get().(*reads)
	if f == nil {
		f = &reads{}
		f.onWake, f.onTurn = f.wake, f.lastLook
	}
	f.call, f.replica, f.replicaEpoch, f.isolation = c, req.ReplicaID, req.ReplicaEpoch, kafka.HighWatermark
	switch {
	case req.ReplicaID >= 0:
		f.isolation = kafka.LogEnd
	case req.Isolation == 1:
		f.isolation = kafka.Committed
	}
	f.rack = ""
	if c.Config.Replica.NearestReads {
		f.rack = string(req.RackID)
	}
	f.maxBytes = min(int(req.MaxBytes), c.Config.Network.FetchMaxBytes)
	f.minBytes = min(int(req.MinBytes), f.maxBytes)
	f.deadline = c.req.Received.Add(min(max(req.MaxWait, 0), longestWait))
	return f
}

// reply answers from the handler.
func (f *reads) reply(resp transport.Response) {
	f.req.Reply(resp)
	f.done()
}

// done gives the memory back; it refers to nothing then that it could keep alive.
func (f *reads) done() {
	f.call, f.parked, f.pending = nil, call{}, transport.Pending{}
	clear(f.found)
	readsPool.Put(f)
}

// find looks up the partitions of the session.
func (f *reads) find() {
	f.found = f.found[:0]
	for i := range f.session.Partitions {
		want := &f.session.Partitions[i]
		p, err := f.lookup(want.Topic, want.ID, want.Partition)
		if err == nil && f.replica >= 0 && (f.replica == f.id() || !slices.Contains(p.Leadership().Replicas, f.replica)) {
			p, err = nil, kerr.NotLeaderForPartition // whoever asks is no replica of this partition
		}
		f.found = append(f.found, found{partition: p, err: err})
	}
}

// read reads all partitions, as far as the bytes go.
func (f *reads) read() {
	f.bytes, f.urgent = 0, false
	for i := range f.found {
		f.readOne(&f.found[i], &f.session.Partitions[i])
	}
}

func (f *reads) readOne(r *found, want *fetchsession.Partition) {
	r.out, r.span, r.size = wire.NewFetched(want.Partition), nil, 0
	switch {
	case r.partition == nil:
		f.fail(r, want, r.err)
		if !errors.Is(r.err, kerr.NotLeaderForPartition) {
			r.out.Aborted = []wire.AbortedTransaction{} // what is not known at all has an empty list, as in Kafka
		}
		return
	case f.maxBytes < 0 || want.MaxBytes < 0:
		f.urgent, r.out.ErrorCode = true, kerr.UnknownServerError.Code // as in Kafka
		return
	}
	most, atLeastOne := min(int(want.MaxBytes), max(f.maxBytes-f.bytes, 0)), f.bytes == 0
	to := f.nearest(r.partition, want)
	if to != kafka.NoNode {
		most, atLeastOne, f.urgent = 0, false, true // the bounds alone
	}
	if f.replica >= 0 && r.partition.HoldBack(f.replica, f.Now()) {
		most, atLeastOne = 0, false
	}
	res, err := r.partition.Read(partition.ReadRequest{
		Offset: want.Offset, MaxBytes: most, Isolation: f.isolation,
		AtLeastOne: atLeastOne, CurrentLeaderEpoch: want.LeaderEpoch, LastFetchedEpoch: want.LastFetchedEpoch,
		AnyReplica: f.replica < 0 && f.hdr.Version >= 11,
	})
	if err != nil {
		if errors.Is(err, kerr.NotLeaderForPartition) && f.leaderOf(want.Topic, want.ID, want.Partition) == wire.NoLeader {
			err = kerr.UnknownTopicOrPartition // deleted while the fetch waited
		}
		f.fail(r, want, err)
		return
	}
	r.seen = res.Bound(f.isolation)
	r.out.HighWatermark, r.out.LastStableOffset = res.HighWatermark, res.LastStableOffset
	r.out.LogStartOffset, r.out.PreferredReplica = res.LogStartOffset, to
	if f.isolation == kafka.Committed {
		r.out.Aborted = make([]wire.AbortedTransaction, len(res.Aborted))
		for i, a := range res.Aborted {
			r.out.Aborted[i] = wire.AbortedTransaction(a)
		}
	}
	if res.Diverges {
		r.out.Diverging = wire.EpochEnd(res.Diverging)
		f.urgent = true
	}
	if res.Span.Len() == 0 {
		return
	}
	r.span, r.size = newSpan(res.Span), res.Span.Len()
	f.bytes += r.size
}

func (f *reads) fail(r *found, want *fetchsession.Partition, err error) {
	f.Counters.FetchesFailed.Add(1)
	f.urgent = true
	r.out.ErrorCode = code(err)
	switch {
	case errors.Is(err, kerr.NotLeaderForPartition), errors.Is(err, kerr.FencedLeaderEpoch):
		if f.hdr.Version < 16 {
			return // KIP-951
		}
		r.out.CurrentLeader = f.leaderOf(want.Topic, want.ID, want.Partition)
	case r.out.ErrorCode == kerr.UnknownServerError.Code:
		f.Log.Error("read failed", "topic", want.Topic, "id", want.ID, "partition", want.Partition, "err", err)
	}
}

// enough reports whether the answer can leave.
func (f *reads) enough() bool {
	return f.urgent || f.bytes >= f.minBytes || len(f.found) == 0 || !f.deadline.After(f.req.Received)
}

// release gives up what was read.
func (f *reads) release() {
	for i := range f.found {
		if s := f.found[i].span; s != nil {
			s.Release()
			f.found[i].span = nil
		}
	}
}

// park waits for the missing bytes or the deadline.
func (f *reads) park() {
	f.pending = f.req.Defer(false)
	f.parked = f.call.park()
	f.call = &f.parked // the connection's own is for its next request
	f.wait()
}

// wait is of a fetch that is not urgent: all its partitions were found.
func (f *reads) wait() {
	watches, both := len(f.found), f.replica >= 0 && f.Config.Replica.NearestReads
	if both {
		watches *= 2 // consumers may wait at this follower for the high watermark alone
	}
	wait := purgatory.New(purgatory.Bytes, watches, int64(f.minBytes-f.bytes), f.deadline, f.onWake)
	for i := range f.found {
		if both {
			wait.Watch(f.found[i].partition.Watchers(), purgatory.HighWatermark, f.found[i].out.HighWatermark)
		}
		wait.Watch(f.found[i].partition.Watchers(), purgatory.BoundOf(f.isolation), f.found[i].seen) // what is there already was not enough
	}
	f.Purgatory.Start(wait)
}

// wake is called by whoever appended, or by the clock: it must not block. With a minimum of one byte any waking is
// good enough; else somebody has to look whether it was, since bytes are counted roughly.
func (f *reads) wake(free bool) {
	switch {
	case f.minBytes <= 1:
		complete(f.pending, free, f.onTurn)
	case free:
		f.again(free)
	default:
		go f.again(free)
	}
}

// lastLook reads and answers when it is the turn of this answer.
func (f *reads) lastLook() transport.Response {
	f.read()
	return f.finished()
}

func (f *reads) finished() transport.Response {
	resp := f.answer()
	f.done()
	return resp
}

func (f *reads) again(free bool) {
	f.read()
	if f.urgent || f.bytes >= f.minBytes || !f.Now().Before(f.deadline) || f.Purgatory.Closed() || f.pending.Gone() {
		complete(f.pending, free, f.finished)
		return
	}
	f.release()
	f.wait()
}
