package sim

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/replica"
)

// reads is a fetch on its way.
type reads struct {
	p        *process
	req      *kmsg.FetchRequest
	reply    reply
	session  fetchsession.Context
	deadline time.Time
	found    []found
	bytes    int
	urgent   bool
}

// found is what one partition of a fetch came to.
type found struct {
	partition *partition.Partition
	seen      kafka.Offset // exclusive; the bound when it was read
	out       kmsg.FetchResponseTopicPartition
}

func (p *process) fetch(req *kmsg.FetchRequest, reply reply) {
	now := p.n.clock()
	f := &reads{p: p, req: req, reply: reply, deadline: now.Add(time.Duration(req.MaxWaitMillis) * time.Millisecond)}
	asked := fetchsession.Request{Session: req.SessionID, Epoch: req.SessionEpoch, ByID: true, Privileged: f.replica() >= 0}
	for _, t := range req.Topics {
		for _, x := range t.Partitions {
			asked.Partitions = append(asked.Partitions, fetchsession.Partition{
				Key: fetchsession.Key{ID: t.TopicID, Partition: x.Partition}, Offset: kafka.Offset(x.FetchOffset), MaxBytes: x.PartitionMaxBytes,
				LeaderEpoch: kafka.LeaderEpoch(x.CurrentLeaderEpoch), LastFetchedEpoch: kafka.LeaderEpoch(x.LastFetchedEpoch), LogStartOffset: kafka.Offset(x.LogStartOffset),
			})
		}
	}
	for _, t := range req.ForgottenTopics {
		for _, index := range t.Partitions {
			asked.Forgotten = append(asked.Forgotten, fetchsession.Key{ID: t.TopicID, Partition: index})
		}
	}
	if err := p.sessions.Begin(now, asked, &f.session); err != nil {
		f.refuse(err)
		return
	}
	f.read()
	if f.replica() >= 0 {
		f.note(now)
	}
	if f.urgent || f.bytes > 0 || len(f.found) == 0 {
		f.answer()
		return
	}
	f.wait()
}

func (f *reads) replica() kafka.NodeID { return kafka.NodeID(f.req.ReplicaState.ID) }

func (f *reads) refuse(err error) {
	resp := f.req.ResponseKind().(*kmsg.FetchResponse)
	resp.ErrorCode = code(err)
	f.reply(resp, nil)
}

func (f *reads) read() {
	f.found, f.bytes, f.urgent = f.found[:0], 0, false
	for i := range f.session.Partitions {
		x := f.readOne(&f.session.Partitions[i])
		f.urgent = f.urgent || x.out.ErrorCode != 0 || x.out.DivergingEpoch.EndOffset >= 0
		f.bytes += len(x.out.RecordBatches)
		f.found = append(f.found, x)
	}
}

func (f *reads) readOne(want *fetchsession.Partition) found {
	x := found{out: kmsg.NewFetchResponseTopicPartition()}
	x.out.Partition, x.out.DivergingEpoch.EndOffset, x.out.HighWatermark = want.Partition, -1, -1
	var err error
	if x.partition, err = f.p.partitions.GetByID(want.ID, want.Partition); err != nil {
		x.out.ErrorCode = code(err)
		return x
	}
	isolation := kafka.HighWatermark
	if f.replica() >= 0 {
		isolation = kafka.LogEnd
	}
	res, err := x.partition.Read(partition.ReadRequest{
		Offset: want.Offset, MaxBytes: int(want.MaxBytes), Isolation: isolation, AtLeastOne: f.bytes == 0, CurrentLeaderEpoch: want.LeaderEpoch,
		LastFetchedEpoch: want.LastFetchedEpoch, AnyReplica: f.replica() < 0,
	})
	defer res.Span.Release()
	x.seen = res.Bound(isolation)
	x.out.HighWatermark, x.out.LastStableOffset, x.out.LogStartOffset = int64(res.HighWatermark), int64(res.LastStableOffset), int64(res.LogStartOffset)
	if err != nil {
		x.out.ErrorCode = code(err)
		return x
	}
	if res.Diverges {
		f.p.n.w.sometimes("follower diverges")
		x.out.DivergingEpoch.Epoch, x.out.DivergingEpoch.EndOffset = int32(res.Diverging.Epoch), int64(res.Diverging.End)
		return x
	}
	x.out.RecordBatches = make([]byte, res.Span.Len())
	if len(x.out.RecordBatches) > 0 {
		if _, err := res.Span.ReadAt(x.out.RecordBatches, 0); err != nil {
			x.out.RecordBatches, x.out.ErrorCode = nil, kerr.KafkaStorageError.Code
		}
	}
	return x
}

// note tells the partitions how far the follower is that fetches.
func (f *reads) note(now time.Time) {
	for i := range f.found {
		x, want := &f.found[i], &f.session.Partitions[i]
		if x.out.ErrorCode != 0 || x.out.DivergingEpoch.EndOffset >= 0 {
			continue
		}
		err := x.partition.Fetched(now, replica.Fetch{
			From: f.replica(), Epoch: kafka.BrokerEpoch(f.req.ReplicaState.Epoch), LeaderEpoch: want.LeaderEpoch, LogStart: want.LogStartOffset, LogEnd: want.Offset,
		}, nil)
		if err != nil {
			index := x.out.Partition
			x.out = kmsg.NewFetchResponseTopicPartition()
			x.out.Partition, x.out.ErrorCode, x.out.DivergingEpoch.EndOffset = index, code(err), -1
			f.urgent = true
		}
	}
}

func (f *reads) wait() {
	bound := purgatory.HighWatermark
	if f.replica() >= 0 {
		bound = purgatory.LogEnd
	}
	w := purgatory.New(purgatory.Bytes, len(f.found), 1, f.deadline, func(bool) {
		f.read()
		f.answer()
	})
	for i := range f.found {
		w.Watch(f.found[i].partition.Watchers(), bound, f.found[i].seen)
	}
	f.p.waits.Start(w)
}

func (f *reads) answer() {
	results := make([]fetchsession.Result, len(f.found))
	for i, x := range f.found {
		results[i] = fetchsession.Result{
			ErrorCode: x.out.ErrorCode, HighWatermark: kafka.Offset(x.out.HighWatermark), LogStartOffset: kafka.Offset(x.out.LogStartOffset),
			Bytes: len(x.out.RecordBatches), Noteworthy: x.out.DivergingEpoch.EndOffset >= 0,
		}
	}
	id, named, err := f.p.sessions.Finish(f.p.n.clock(), &f.session, results)
	if err != nil {
		f.refuse(err)
		return
	}
	resp := f.req.ResponseKind().(*kmsg.FetchResponse)
	resp.SessionID = id
	f.spoil()
	for i, x := range f.found {
		if named != nil && !named[i] {
			continue
		}
		topic := f.session.Partitions[i].ID
		if k := len(resp.Topics); k == 0 || resp.Topics[k-1].TopicID != topic {
			t := kmsg.NewFetchResponseTopic()
			t.TopicID = topic
			resp.Topics = append(resp.Topics, t)
		}
		t := &resp.Topics[len(resp.Topics)-1]
		t.Partitions = append(t.Partitions, x.out)
	}
	f.reply(resp, nil)
}

// unchecked is how many bytes a batch begins with that its checksum does not cover.
const unchecked = 21

// offsetBits are those of a batch's base offset, with which it begins.
const offsetBits = 64

// spoil changes a bit of what a follower is sent, now and then: one that the batch's checksum covers or, where no log is compacted, one of its base offset,
// but not the same twice: that is believed.
func (f *reads) spoil() {
	w := f.p.n.w
	if f.replica() < 0 || w.calm || !w.chance(w.plan.corrupt) {
		return
	}
	for i := range f.found {
		b := f.found[i].out.RecordBatches
		if len(b) <= record.HeaderSize {
			continue
		}
		if !kafka.IsInternal(f.found[i].partition.ID().Topic) && w.chance(0.5) {
			w.sometimes("wrong offset on the way to a follower")
			bit := w.rng.IntN(offsetBits - 1)
			if bit >= w.spoilt {
				bit++
			}
			w.spoilt = bit
			b[bit/8] ^= 1 << (bit % 8)
			return
		}
		w.sometimes("wrong byte on the way to a follower")
		b[unchecked+w.rng.IntN(record.HeaderSize-unchecked)] ^= 1 << w.rng.IntN(8)
		return
	}
}
