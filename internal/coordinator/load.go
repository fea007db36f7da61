package coordinator

import (
	"errors"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/shard"
)

// errStopped says that the loop is to end while it loads.
var errStopped = errors.New("the loop ends")

// longLoad is what a load must take for the node's log to speak of it unasked: groups waited for it.
const longLoad = 100 * time.Millisecond

// load reads the log into a new core, and begins to serve.
func (l *loop) load(now time.Time) {
	r := loader{l: l, core: l.o.NewCore(), open: map[kafka.ProducerID][]kept{}}
	defer r.walker.Close()
	end, err := r.read()
	switch {
	case errors.Is(err, errStopped):
		return
	case err != nil:
		l.o.Log.Error("the coordinator can't be loaded", "partition", l.log.ID(), "epoch", l.epoch, "err", err)
		l.become(broken)
		return
	}
	l.core, l.next, l.logEnd = r.core, end, end
	if n := len(l.pending); l.log.HighWatermark() < end && (n == 0 || l.pending[n-1].end < end) {
		l.pending = append(l.pending, pending{end: end, deadline: l.o.Now().Add(l.o.Timeout)})
	}
	l.become(serving)
	say := l.o.Log.Debug // there are fifty partitions, and a node that starts leads each of them twice
	took := l.o.Now().Sub(now)
	if took >= longLoad {
		say = l.o.Log.Info
	}
	say("the coordinator is loaded", "partition", l.log.ID(), "epoch", l.epoch, "end", end, "took", took)
	l.turn(l.o.Now(), func(t *shard.Turn) { l.core.Loaded(t, l.seen) })
}

// loader reads a log into a core.
type loader struct {
	l      *loop
	core   shard.Core
	buf    []byte
	walker record.Walker
	// open holds the records of transactions that have not ended: they are replayed when they commit.
	open map[kafka.ProducerID][]kept
}

// kept is a record of a transaction.
type kept struct {
	at     kafka.Offset
	record shard.Record
}

// read reads from the start of the log to its end, which it returns. Nobody else appends: this node leads.
func (r *loader) read() (kafka.Offset, error) {
	log := r.l.log
	at, end := log.LogStartOffset(), log.LogEndOffset()
	for at < end {
		if r.l.stateNow() == stopping {
			return at, errStopped
		}
		if err := r.fill(at); err != nil {
			return at, err
		}
		if len(r.buf) == 0 {
			return end, nil // what was at the end has been compacted away
		}
		next, err := r.replayAll(at)
		if err != nil {
			return at, err
		}
		at = next
	}
	return end, nil
}

// fill reads some batches from at on.
func (r *loader) fill(at kafka.Offset) error {
	res, err := r.l.log.Read(partition.ReadRequest{
		Offset: at, MaxBytes: r.l.o.LoadBytes, Isolation: kafka.LogEnd, AtLeastOne: true,
		CurrentLeaderEpoch: r.l.epoch, LastFetchedEpoch: kafka.NoEpoch,
	})
	if err != nil {
		return fmt.Errorf("read at offset %d: %w", at, err)
	}
	defer res.Span.Release()
	n := res.Span.Len()
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	if n == 0 {
		return nil
	}
	if _, err := res.Span.ReadAt(r.buf, 0); err != nil {
		return fmt.Errorf("read at offset %d: %w", at, err)
	}
	return nil
}

// replayAll replays the whole batches in buf, of which there is one at least, and returns the offset after them.
func (r *loader) replayAll(from kafka.Offset) (kafka.Offset, error) {
	at := from
	for rest := r.buf; len(rest) > 0; {
		b, after, err := record.Next(rest)
		if errors.Is(err, record.ErrShort) && len(rest) < len(r.buf) {
			break // the range ends within a batch
		}
		if err == nil {
			err = b.CheckCRC()
		}
		if err == nil {
			err = r.replay(b, at)
		}
		if err != nil {
			return at, fmt.Errorf("batch at offset %d: %w", at, err)
		}
		at, rest = max(at, b.NextOffset()), after
	}
	if at <= from {
		return at, fmt.Errorf("%w: the batches at offset %d do not reach it", record.ErrCorrupt, from)
	}
	return at, nil
}

// replay replays the records of a batch from an offset on.
func (r *loader) replay(b record.Batch, from kafka.Offset) error {
	if b.IsControl() {
		return r.finish(b)
	}
	r.walker.Reset(b, r.l.o.MaxDecompressed)
	for r.walker.Next() {
		rec := &r.walker.Record
		at := b.BaseOffset() + kafka.Offset(rec.OffsetDelta)
		if at < from {
			continue
		}
		parsed, err := r.core.Parse(rec.Key, rec.Value)
		if err != nil {
			return fmt.Errorf("record at offset %d: %w", at, err)
		}
		switch {
		case parsed == nil:
		case b.IsTransactional():
			r.open[b.ProducerID()] = append(r.open[b.ProducerID()], kept{at, parsed})
		default:
			if err := r.core.Replay(at, parsed); err != nil {
				return fmt.Errorf("record at offset %d: %w", at, err)
			}
		}
	}
	return r.walker.Err()
}

// finish ends the transaction whose marker b is: its records count if it was committed.
func (r *loader) finish(b record.Batch) error {
	marker, ok := record.ParseEndTxnMarker(b)
	if !ok {
		return nil
	}
	records := r.open[b.ProducerID()]
	delete(r.open, b.ProducerID())
	if marker.Type != record.Commit {
		return nil
	}
	for _, k := range records {
		if err := r.core.Replay(k.at, k.record); err != nil {
			return fmt.Errorf("record at offset %d of a transaction: %w", k.at, err)
		}
	}
	return nil
}
