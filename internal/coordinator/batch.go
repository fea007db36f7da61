package coordinator

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/shard"
)

// maxBatch bounds the batches of several turns in bytes; the topic's max.message.bytes bounds those of one.
const maxBatch = 1 << 20

// batch gathers the records of turns and the replies that depend on them.
type batch struct {
	builder record.Builder
	replies []reply
	encoded []byte // memory for AppendTo
	fields  []byte // keys and values of the records that are added together
	ends    []ends
}

// ends are where a record's key and value end in fields; a value at -1 is a tombstone's.
type ends struct{ key, value int }

// reply is an answer that is decided.
type reply struct {
	done func(resp any, err error)
	resp any
}

// pending is a batch that is in the log and not committed.
type pending struct {
	end      kafka.Offset // exclusive
	replies  []reply
	deadline time.Time
}

func (p *pending) fail(err error) {
	for _, r := range p.replies {
		r.done(nil, err)
	}
	p.replies = nil
}

var errTooLarge = errors.New("the records of a turn do not fit in a batch")

// turn gives the core a turn, and adds what comes of it to the open batch.
func (l *loop) turn(now time.Time, decide func(*shard.Turn)) {
	if l.core == nil {
		return
	}
	t := shard.NewTurn(now, l.replay)
	t.Room = l.log.MaxMessageBytes() - record.HeaderSize
	decide(t)
	err := l.damage
	for part := range t.Parts() {
		if err == nil {
			err = l.add(now, part, t.Room)
		}
	}
	if l.core == nil {
		return // to make room a batch was appended, which failed
	}
	replies := l.settled(t)
	if err == nil {
		l.batch.replies = append(l.batch.replies, replies...)
		return
	}
	l.flush(now) // what other turns have decided is sound
	for _, r := range replies {
		r.done(nil, kerr.UnknownServerError)
	}
	if l.core != nil {
		l.drop(err)
	}
}

// settled takes the tickets that a turn has answered.
func (l *loop) settled(t *shard.Turn) []reply {
	replies := make([]reply, 0, len(t.Replies()))
	for _, r := range t.Replies() {
		if done, ok := l.tickets[r.To]; ok {
			delete(l.tickets, r.To)
			replies = append(replies, reply{done, r.Response})
		}
	}
	return replies
}

// replay is what a turn's Write does to the core.
func (l *loop) replay(r shard.Record) {
	if err := l.core.Replay(l.next, r); err != nil && l.damage == nil {
		l.damage = fmt.Errorf("a record that was just written does not replay: %w", err)
	}
	l.next++
}

// add puts records into the open batch, together. If they do not fit in beside what is there, that is appended first.
func (l *loop) add(now time.Time, records []shard.Record, room int) error {
	b := &l.batch
	b.fields, b.ends = b.fields[:0], b.ends[:0]
	for _, r := range records {
		b.fields = r.AppendKey(b.fields)
		e := ends{key: len(b.fields), value: -1}
		var ok bool
		if b.fields, ok = r.AppendValue(b.fields); ok {
			e.value = len(b.fields)
		}
		b.ends = append(b.ends, e)
	}
	size := len(b.fields) + len(records)*shard.RecordOverhead
	if size > room {
		return fmt.Errorf("%w: %d bytes, %d are allowed", errTooLarge, size, room)
	}
	if b.builder.Count() > 0 && b.builder.Size()+size > min(maxBatch, room) {
		if l.flush(now); l.core == nil {
			return nil
		}
	}
	if b.builder.Count() == 0 {
		o := record.NewOptions(0, l.epoch)
		o.Codec = l.o.Codec
		b.builder.Begin(o)
	}
	at := 0
	for _, e := range b.ends {
		key, value := b.fields[at:e.key], []byte(nil)
		if at = e.key; e.value >= 0 {
			value, at = b.fields[at:e.value], e.value
		}
		b.builder.Add(now.UnixMilli(), key, value)
	}
	return nil
}

// flush appends the open batch, and lets its replies go if it is committed. Replies of turns that wrote nothing wait for
// the newest batch that is not, which they may have seen.
func (l *loop) flush(now time.Time) {
	replies := l.batch.replies
	l.batch.replies = nil
	if l.batch.builder.Count() == 0 {
		if n := len(l.pending); n > 0 {
			l.pending[n-1].replies = append(l.pending[n-1].replies, replies...)
			return
		}
		answer(replies)
		return
	}
	end, committed, err := l.append(now)
	switch {
	case err != nil:
		p := pending{replies: replies}
		p.fail(outcome(err))
		l.drop(err)
	case committed && len(l.pending) == 0, planted.Bug("commit-answered-before-replicated"):
		answer(replies)
	default:
		l.pending = append(l.pending, pending{end: end, replies: replies, deadline: now.Add(l.o.Timeout)})
	}
}

func answer(replies []reply) {
	for _, r := range replies {
		r.done(r.resp, nil)
	}
}

// append writes the open batch and begins another.
func (l *loop) append(now time.Time) (end kafka.Offset, committed bool, err error) {
	b := &l.batch
	count := kafka.Offset(b.builder.Count())
	b.encoded, err = b.builder.AppendTo(b.encoded[:0])
	b.builder.Begin(record.NewOptions(0, l.epoch))
	if err != nil {
		return 0, false, err
	}
	res, err := l.log.Append(partition.AppendRequest{
		Records: b.encoded, RequiredAcks: -1, Origin: kafka.FromCoordinator, LeaderEpoch: l.epoch, Now: now,
	})
	if err != nil {
		return 0, false, err
	}
	if res.BaseOffset != l.logEnd {
		return 0, false, fmt.Errorf("somebody else has written: the batch is at offset %d, not %d", res.BaseOffset, l.logEnd)
	}
	l.logEnd += count
	return res.End, res.Committed, nil
}

// settle lets go the replies of batches that are committed by now, and fails those that can't be or take too long.
func (l *loop) settle(now time.Time) {
	for len(l.pending) > 0 {
		first := &l.pending[0]
		err := l.log.Acked(first.end, l.epoch)
		switch {
		case err == nil, errors.Is(err, kerr.NotEnoughReplicasAfterAppend): // it is committed all the same
			answer(first.replies)
		case errors.Is(err, kerr.RequestTimedOut) && !l.o.Purgatory.Closed():
			if now.Before(first.deadline) {
				return
			}
			first.fail(outcome(err)) // the batch may yet be committed: what comes later waits for it all the same
			first.deadline = now.Add(l.o.Timeout)
			return
		default:
			first.fail(outcome(err))
		}
		l.pending = l.pending[1:]
	}
	l.pending = nil
}

// watch has the loop poked when the first batch is committed, or its time is up.
func (l *loop) watch() {
	if len(l.pending) == 0 || l.watching {
		return
	}
	l.watching = true
	first := &l.pending[0]
	w := purgatory.New(purgatory.Each, 1, 0, first.deadline, l.passed)
	w.Watch(l.log.Watchers(), purgatory.HighWatermark, first.end-1)
	l.o.Purgatory.Start(w)
}

// passed says that what watch waits for has happened.
func (l *loop) passed(bool) {
	l.mu.Lock()
	l.moved = true
	l.mu.Unlock()
	l.poke()
}
