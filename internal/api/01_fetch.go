package api

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
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
	if !isolationKnown(true, req.Isolation) {
		c.req.Reply(f.broken(sessionRequest(req, c.hdr.Version).Partitions))
		return
	}
	var err error
	f.session, err = c.Sessions.begin(c.req.Received, sessionRequest(req, c.hdr.Version))
	if err != nil {
		c.req.Reply(f.refused(err))
		return
	}
	f.find()
	f.read()
	if f.enough() {
		c.req.Reply(f.answer())
		return
	}
	f.release()
	f.park()
}

// sessionRequest is what of a fetch concerns its session. Names are copied: a session outlives the frame.
func sessionRequest(req *wire.FetchRequest, version int16) fetchsession.Request {
	s := fetchsession.Request{
		Session: req.SessionID, Epoch: req.SessionEpoch, ByID: wire.TopicsByID(version), Privileged: req.ReplicaID >= 0,
		Partitions: make([]fetchsession.Partition, 0, len(req.Partitions)),
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

// reads is a fetch on its way.
type reads struct {
	*call
	session   *fetchsession.Context
	isolation kafka.Isolation
	replica   kafka.NodeID
	minBytes  int
	maxBytes  int
	deadline  time.Time

	found  []found
	spans  []span
	bytes  int
	urgent bool // an error or a divergence: the client must hear at once
}

// found is one partition of a fetch.
type found struct {
	partition *partition.Partition // nil with an error
	err       error
	out       wire.Fetched
	span      *span // nil when there are no records
	size      int
	seen      kafka.Offset // exclusive; the bound when it was read
}

// span is a range of records as the connection sends it.
type span struct{ commitlog.Span }

// Len implements transport.Range.
func (s *span) Len() int64 { return int64(s.Span.Len()) }

// File implements transport.Range.
func (s *span) File() (fd uintptr, pos int64, ok bool) {
	fd, ok = s.Descriptor()
	return fd, s.Position(), ok
}

func newReads(c *call, req *wire.FetchRequest) *reads {
	f := &reads{call: c, replica: req.ReplicaID, isolation: kafka.HighWatermark}
	switch {
	case req.ReplicaID >= 0:
		f.isolation = kafka.LogEnd
	case req.Isolation == 1:
		f.isolation = kafka.Committed
	}
	f.maxBytes = min(int(req.MaxBytes), c.Config.Network.FetchMaxBytes)
	f.minBytes = min(int(req.MinBytes), f.maxBytes)
	f.deadline = c.req.Received.Add(min(max(req.MaxWait, 0), longestWait))
	return f
}

// find looks up the partitions of the session.
func (f *reads) find() {
	f.found = make([]found, len(f.session.Partitions))
	for i := range f.found {
		want := &f.session.Partitions[i]
		p, err := f.lookup(want.Topic, want.ID, want.Partition)
		if err == nil && f.replica >= 0 && (f.replica == f.id() || !slices.Contains(p.Leadership().Replicas, f.replica)) {
			p, err = nil, kerr.NotLeaderForPartition // whoever asks is no replica of this partition
		}
		f.found[i] = found{partition: p, err: err}
	}
}

// read reads all partitions, as far as the bytes go.
func (f *reads) read() {
	f.bytes, f.urgent = 0, false
	f.spans = make([]span, 0, len(f.found))
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
	res, err := r.partition.Read(partition.ReadRequest{
		Offset: want.Offset, MaxBytes: min(int(want.MaxBytes), max(f.maxBytes-f.bytes, 0)), Isolation: f.isolation,
		AtLeastOne: f.bytes == 0, CurrentLeaderEpoch: want.LeaderEpoch, LastFetchedEpoch: want.LastFetchedEpoch,
		AnyReplica: f.replica < 0 && f.hdr.Version >= 11,
	})
	if err != nil {
		res.Span.Release()
		if errors.Is(err, kerr.NotLeaderForPartition) && f.leaderOf(want.Topic, want.ID, want.Partition) == wire.NoLeader {
			err = kerr.UnknownTopicOrPartition // deleted while the fetch waited
		}
		f.fail(r, want, err)
		return
	}
	r.seen = res.Bound(f.isolation)
	r.out.HighWatermark, r.out.LastStableOffset = res.HighWatermark, res.LastStableOffset
	r.out.LogStartOffset = res.LogStartOffset
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
	if res.Span.Len() == 0 || res.Span.FirstIncomplete() { // a cut first batch is of no use to anyone
		res.Span.Release()
		return
	}
	f.spans = append(f.spans, span{res.Span})
	r.span, r.size = &f.spans[len(f.spans)-1], res.Span.Len()
	f.bytes += r.size
}

func (f *reads) fail(r *found, want *fetchsession.Partition, err error) {
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
	for i := range f.spans {
		f.spans[i].Release()
	}
	f.spans = nil
}

// park waits for the missing bytes or the deadline.
func (f *reads) park() {
	parked := *f.call
	pending := f.req.Defer(false)
	f.call = &parked // the connection's own is for its next request
	f.wait(pending)
}

func (f *reads) wait(pending transport.Pending) {
	wait := purgatory.New(purgatory.Bytes, len(f.found), int64(f.minBytes-f.bytes), f.deadline, func() { f.wake(pending) })
	for i := range f.found {
		wait.Watch(f.found[i].partition.Watchers(), f.isolation, f.found[i].seen) // what is there already was not enough
	}
	f.Purgatory.Start(wait)
}

// wake is called by whoever appended, or by the clock: it must not block. With a minimum of one byte any waking is
// good enough; else somebody has to look whether it was, since bytes are counted roughly.
func (f *reads) wake(pending transport.Pending) {
	if f.minBytes <= 1 {
		pending.Complete(func() transport.Response {
			f.read()
			return f.answer()
		})
		return
	}
	go f.again(pending)
}

func (f *reads) again(pending transport.Pending) {
	f.read()
	if f.urgent || f.bytes >= f.minBytes || !f.Now().Before(f.deadline) || f.Purgatory.Closed() || pending.Gone() {
		pending.Complete(f.answer)
		return
	}
	f.release()
	f.wait(pending)
}

// answer lets the session choose what to name, and encodes it.
func (f *reads) answer() transport.Response {
	id, named, err := f.Sessions.finish(f.Now(), f.session, f.results())
	if err != nil {
		f.release()
		return f.refused(err)
	}
	return f.encode(wire.FetchHead{SessionID: id}, f.session.Partitions, named)
}

// broken is the answer to a request that makes no sense: every partition fails, or from version 13 on just the request.
func (f *reads) broken(asked []fetchsession.Partition) transport.Response {
	if wire.TopicsByID(f.hdr.Version) {
		return f.refused(kerr.UnknownServerError)
	}
	f.found = make([]found, len(asked))
	for i := range f.found {
		f.found[i].out = wire.NewFetched(asked[i].Partition)
		f.found[i].out.ErrorCode, f.found[i].out.Aborted = kerr.UnknownServerError.Code, []wire.AbortedTransaction{}
	}
	return f.encode(wire.FetchHead{ErrorCode: kerr.UnknownServerError.Code}, asked, nil)
}

// encode writes the partitions that are named; nil names all.
func (f *reads) encode(head wire.FetchHead, asked []fetchsession.Partition, named []bool) transport.Response {
	buf := transport.NewReply(128 + 96*len(f.found))
	var out wire.FetchWriter
	var nodes leaders
	var holes []transport.Hole
	groups := byTopic(asked, named)
	out.Begin(buf.B, f.hdr, head, len(groups))
	for _, g := range groups {
		first := asked[g[0]]
		out.Topic(first.Topic, first.ID, len(g))
		for _, i := range g {
			r := &f.found[i]
			if f.replica < 0 {
				nodes.add(r.out.CurrentLeader)
			}
			at := out.Partition(&r.out, r.size)
			if r.span != nil {
				holes = append(holes, transport.Hole{At: at, Range: r.span})
			}
		}
	}
	buf.B = out.End(nodes.endpoints(f.call))
	return transport.Response{Buf: buf, Holes: holes}
}

func (f *reads) results() []fetchsession.Result {
	results := make([]fetchsession.Result, len(f.found))
	for i := range f.found {
		r := &f.found[i]
		results[i] = fetchsession.Result{
			ErrorCode: r.out.ErrorCode, HighWatermark: r.out.HighWatermark, LogStartOffset: r.out.LogStartOffset,
			Bytes: r.size, Noteworthy: r.out.Diverging != wire.NoEpochEnd,
		}
	}
	return results
}

// byTopic groups the partitions that the answer names: those of a topic that follow each other, as Kafka does.
func byTopic(asked []fetchsession.Partition, named []bool) [][]int {
	var groups [][]int
	last := -1
	for i := range asked {
		if named != nil && !named[i] {
			continue
		}
		if last < 0 || asked[i].Topic != asked[last].Topic || asked[i].ID != asked[last].ID {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
		last = i
	}
	return groups
}

// refused is the answer to a fetch whose session is in error.
func (f *reads) refused(err error) transport.Response {
	buf := transport.NewReply(64)
	var out wire.FetchWriter
	out.Begin(buf.B, f.hdr, wire.FetchHead{ErrorCode: code(err)}, 0)
	buf.B = out.End(nil)
	return transport.Response{Buf: buf}
}
