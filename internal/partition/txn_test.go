package partition

import (
	"fmt"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// follow writes batches with their final offsets, as from another replica: transactions do not begin here yet.
func follow(t *testing.T, p *Partition, batches ...[]byte) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.ensureFolder(p.dir().m.o.Now()); err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		record.Batch(b).SetBaseOffset(p.log().LogEndOffset())
		appended, err := p.log().Append(b, p.dir().m.o.Now())
		if err != nil {
			t.Fatal(err)
		}
		p.core.Appended(p.dir().m.o.Now(), appended.End)
	}
	p.publish()
}

func inTxn(id kafka.ProducerID, sequence int32) func(*record.Options) {
	return func(o *record.Options) {
		o.Transactional, o.ProducerID, o.ProducerEpoch, o.BaseSequence = true, id, 0, sequence
	}
}

func marker(id kafka.ProducerID, t record.ControlType) []byte {
	return record.AppendEndTxnMarker(nil, 0, 0, 1_700_000_000_000, id, 0, t, 0)
}

// TestReadCommitted has a log with an aborted transaction, a committed one, another aborted and an open one.
func TestReadCommitted(t *testing.T) {
	for _, clean := range []bool{true, false} {
		w := newWorld(t, vfs.NewMem(), "/a")
		w.config = func(c *Config) { c.Log.SegmentBytes = 400 }
		w.create("t", 1)
		p := w.get("t", 0)
		follow(t, p,
			data(t, 2, inTxn(1, 0)),  // 0 to 1
			data(t, 2),               // 2 to 3
			marker(1, record.Abort),  // 4
			data(t, 2, inTxn(2, 0)),  // 5 to 6
			marker(2, record.Commit), // 7
			data(t, 2, inTxn(3, 0)),  // 8 to 9
			data(t, 1, inTxn(1, 2)),  // 10
			marker(3, record.Abort),  // 11
			data(t, 1),               // 12
		)
		f := func(when string, isolation kafka.Isolation, from kafka.Offset, maxBytes int, want string) {
			t.Helper()
			r := consumer(from)
			r.Isolation, r.MaxBytes = isolation, maxBytes
			b, res, err := read(t, p, r)
			if err != nil {
				t.Fatal(err)
			}
			end := from
			for len(b) > 0 {
				batch, rest, err := record.Next(b)
				if err != nil {
					break
				}
				end, b = batch.NextOffset(), rest
			}
			if got := fmt.Sprintf("to %d of %d, aborted %v", end, res.LastStableOffset, res.Aborted); got != want {
				t.Errorf("clean %v, %s, from %d: %s, want %s", clean, when, from, got, want)
			}
		}
		all := func(when string) {
			t.Helper()
			f(when, kafka.Committed, 0, 10, "to 2 of 10, aborted [{1 0}]")
			f(when, kafka.Committed, 2, 10, "to 4 of 10, aborted [{1 0}]")
			f(when, kafka.Committed, 5, 10, "to 7 of 10, aborted []")
			f(when, kafka.Committed, 8, 10, "to 10 of 10, aborted [{3 8}]")
			f(when, kafka.Committed, 10, 10, "to 10 of 10, aborted []")
			f(when, kafka.HighWatermark, 0, 10, "to 2 of 10, aborted []")
			f(when, kafka.HighWatermark, 12, 10, "to 13 of 10, aborted []")
		}
		all("as written")
		if clean {
			w.close()
		}
		w.open(clean)
		p = w.get("t", 0)
		all("after a restart")
	}
}

// TestAbortedTxnsAreOfTheRangeRead: what a small read names does not grow with the log.
func TestAbortedTxnsAreOfTheRangeRead(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	for i := range kafka.ProducerID(2000) {
		follow(t, p, data(t, 1, inTxn(i, 0)), marker(i, record.Abort))
	}
	for _, from := range []kafka.Offset{0, 1, 1000, 3990} {
		r := consumer(from)
		r.Isolation, r.MaxBytes = kafka.Committed, 1000
		_, res, err := read(t, p, r)
		if n := len(res.Aborted); err != nil || n < 4 || n > 8 {
			t.Errorf("from %d: %d aborted transactions, %v", from, n, err)
		}
		if len(res.Aborted) > 0 && res.Aborted[0].FirstOffset != from&^1 {
			t.Errorf("from %d: the first one is %v", from, res.Aborted[0])
		}
	}
}
