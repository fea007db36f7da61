package api

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// Produce, key 0, versions 3 to 13. KIP-98 (idempotence), KIP-467 (which record was refused, version 8), KIP-951
// (the leader to go to, version 10), KIP-516 (topic ids, version 13).
//
// Each partition's batch is appended as it lies in the request's frame, in the order of the request; the answer leaves
// at once for acks=1, and when the high watermark has passed for acks=all. acks=0 has no answer; an error then closes
// the connection, which is all that the producer could notice.
func produce(c *call, body []byte) {
	s := &c.scratch
	p := &s.produce
	if err := p.Read(c.hdr.Version, body); err != nil {
		c.refuse(c.req, c.hdr, err)
		return
	}
	w := &s.writes
	*w = writes{call: c, acks: p.Acks, plain: p.TransactionalID == nil, results: w.results[:0]}
	w.appendAll(p)
	switch {
	case p.Acks == 0:
		c.req.ReplyNow(transport.Response{Close: w.failed()})
	case w.unacked == 0:
		c.req.ReplyNow(w.answer())
	default:
		w.wait(p.Timeout)
	}
	s.woken.Run() // which must not depend on whether this client reads its answers
}

// writes is a Produce request whose batches are appended. A connection has one, which its requests use in turn.
type writes struct {
	*call
	acks    int16
	plain   bool // names no transactional id
	results []written
	unacked int // results that wait
}

// written is the outcome of one partition.
type written struct {
	topic     string // until version 12
	id        kafka.TopicID
	first     bool // of its topic
	count     int  // partitions of the topic
	partition *partition.Partition
	end       kafka.Offset // exclusive; waited for with acks=all
	epoch     kafka.LeaderEpoch
	waits     bool // for the high watermark
	unsynced  bool // waits for a sync first
	out       wire.Produced
}

func (w *writes) appendAll(p *wire.ProduceRequest) {
	now := w.req.Received
	parts := p.Partitions()
	for parts.Next() {
		r := written{id: parts.TopicID, first: parts.First, count: parts.Count}
		if r.first {
			r.topic = string(parts.Topic)
		} else {
			r.topic = w.results[len(w.results)-1].topic
		}
		w.append(&r, parts.Index, parts.Records, now)
		w.results = append(w.results, r)
	}
}

// append writes one partition's batch.
func (w *writes) append(r *written, index int32, records []byte, now time.Time) {
	r.out = wire.Produced{
		Partition: index, BaseOffset: kafka.NoOffset, LogAppendTime: kafka.NoTimestamp,
		LogStartOffset: kafka.NoOffset, CurrentLeader: wire.NoLeader,
	}
	p, err := w.lookup(r.topic, r.id, index)
	if err == nil {
		err = w.check(p.ID().Topic, records)
	}
	if err != nil {
		w.fail(r, err)
		return
	}
	res, err := p.Append(partition.AppendRequest{
		Records: records, RequiredAcks: w.acks, Origin: kafka.FromClient, Now: now, Woken: &w.scratch.woken,
	})
	if !errors.Is(err, kerr.NotLeaderForPartition) {
		r.out.LogStartOffset = res.LogStartOffset
	}
	if err != nil {
		w.fail(r, err)
		return
	}
	if !res.Duplicate {
		w.Counters.ProducedBatches.Add(1)
		w.Counters.RecordsIn.Add(int64(res.End - res.BaseOffset))
		w.Counters.BytesIn.Add(int64(len(records)))
	}
	r.out.BaseOffset, r.out.LogAppendTime = res.BaseOffset, res.LogAppendTime
	if res.Duplicate && res.BaseOffset == kafka.NoOffset && w.acks != 0 {
		r.out.ErrorCode = kerr.DuplicateSequenceNumber.Code // a success whose offset is not known: clients take it so
	}
	r.waits, r.unsynced = w.acks == -1 && !res.Committed, !res.Synced
	if r.waits || r.unsynced {
		r.partition, r.end, r.epoch = p, res.End, res.LeaderEpoch
		w.unacked++
	}
}

// adminClient is the client id that may write to internal topics.
const adminClient = "__admin_client"

func (w *writes) check(topic string, records []byte) error {
	if kafka.IsInternal(topic) && w.hdr.ClientID != adminClient {
		return fmt.Errorf("cannot append to internal topic %s: %w", topic, kerr.InvalidTopicException)
	}
	if w.acks < -1 || w.acks > 1 {
		return kerr.InvalidRequiredAcks
	}
	if err := record.CheckRequest(records, w.hdr.Version); err != nil {
		return err
	}
	if w.plain && record.Batch(records).IsTransactional() {
		return kerr.TransactionalIDAuthorizationFailed
	}
	return nil
}

func (w *writes) fail(r *written, err error) {
	w.Counters.ProducesFailed.Add(1)
	r.out.ErrorCode = code(err)
	if invalid := (*record.InvalidRecordsError)(nil); errors.As(err, &invalid) {
		r.out.ErrorMessage = invalid.Message
		for _, e := range invalid.Records {
			r.out.RecordErrors = append(r.out.RecordErrors, wire.RecordError(e))
		}
	}
	if errors.Is(err, kerr.NotLeaderForPartition) {
		r.out.CurrentLeader = w.leaderOf(r.topic, r.id, r.out.Partition)
	}
	if r.out.ErrorCode == kerr.UnknownServerError.Code {
		w.Log.Error("append failed", "topic", r.topic, "id", r.id, "partition", r.out.Partition, "err", err)
	}
}

func (w *writes) failed() bool {
	for i := range w.results {
		if w.results[i].out.ErrorCode != 0 {
			return true
		}
	}
	return false
}

// longestSync bounds the wait for a sync. A disk that takes longer has failed.
const longestSync = 5 * time.Minute

// wait parks the answer until what flush.messages asks for is synced, and then, with acks=all, until every high watermark has passed or the
// request's time is up.
func (w *writes) wait(timeout time.Duration) {
	own := &parkedWrites{call: w.park(), writes: *w, pending: w.req.Defer(false), deadline: w.req.Received.Add(timeout)}
	own.writes.call, own.results = &own.call, slices.Clone(w.results) // the connection's own are for its next request
	if !slices.ContainsFunc(own.results, func(r written) bool { return r.unsynced }) {
		own.replicate(false)
		return
	}
	wait := purgatory.New(purgatory.Each, w.unacked, 0, w.req.Received.Add(longestSync), own.replicate)
	for i := range own.results {
		if r := &own.results[i]; r.unsynced {
			r.partition.WatchSynced(wait, r.end)
		}
	}
	w.Purgatory.Start(wait)
}

// parkedWrites are writes that outlive their handler.
type parkedWrites struct {
	call call
	writes
	pending  transport.Pending
	deadline time.Time
}

// replicate goes on when the syncs are over: it waits for the high watermarks. Free says that the caller has time to send the answer.
func (w *parkedWrites) replicate(free bool) {
	left := 0
	for i := range w.results {
		r := &w.results[i]
		if r.unsynced {
			if err := r.partition.Synced(r.end); err != nil {
				w.fail(r, err)
				r.waits = false
			}
		}
		if r.waits && r.partition.HighWatermark() < r.end {
			left++
		}
	}
	if left == 0 {
		complete(w.pending, free, w.settle)
		return
	}
	wait := purgatory.New(purgatory.Each, w.unacked, 0, w.deadline, func(free bool) { complete(w.pending, free, w.settle) })
	for i := range w.results {
		if r := &w.results[i]; r.waits {
			r.partition.WatchAcked(wait, r.end, r.epoch)
		}
	}
	w.Purgatory.Start(wait)
}

// settle gives the answer when the wait is over, by success or by time.
func (w *writes) settle() transport.Response {
	for i := range w.results {
		r := &w.results[i]
		if !r.waits {
			continue
		}
		if err := r.partition.Acked(r.end, r.epoch); err != nil {
			w.fail(r, err) // the offset stays: the records are in the log, and may yet be replicated
		}
	}
	return w.answer()
}

func (w *writes) answer() transport.Response {
	topics := 0
	for i := range w.results {
		if w.results[i].first {
			topics++
		}
	}
	buf := transport.NewReply(64 + 64*len(w.results))
	var out wire.ProduceWriter
	var nodes leaders
	out.Begin(buf.B, w.hdr, topics)
	for i := range w.results {
		r := &w.results[i]
		if r.first {
			out.Topic(r.topic, r.id, r.count)
		}
		nodes.add(r.out.CurrentLeader)
		out.Partition(&r.out)
	}
	buf.B = out.End(0, nodes.endpoints(w.call))
	return transport.Response{Buf: buf}
}
