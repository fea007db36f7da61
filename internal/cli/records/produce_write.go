package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// writer carries records to the server. One goroutine feeds; the client's own calls acked, one call at a time.
type writer struct {
	app      *command.App
	server   *command.Server
	what     string // what errors call it: `produce to topic "orders"`
	progress *command.Progress
	patience time.Duration // how long to wait for any acknowledgement
	// feed gives records until there are none, or ctx ends.
	feed func(ctx context.Context, give func(*kgo.Record)) error
	// kept, if set, is told of every record that the server acknowledged.
	kept func(*kgo.Record)

	failed chan struct{} // closed at the first failure of a record
	given  atomic.Int64  // records that the client was given

	// mu guards what follows and progress: when the user stops the command, a record of the feeder's may still be on its way.
	mu      sync.Mutex
	failure error // the first
	// acknowledged is when the last record was, or when there was none to wait for.
	acknowledged time.Time
	told         bool // a person: nothing is acknowledged just now
}

const (
	// parting is how long a user who stops the command waits for records that are on their way.
	parting = 500 * time.Millisecond
	// hush is how long without an acknowledgement the client's troubles begin to matter.
	hush = 200 * time.Millisecond
)

// errInterrupted is the failure of records that were on their way when the user stopped the command.
var errInterrupted = errors.New("interrupted")

// written is a record that the server acknowledged.
type written struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Timestamp int64  `json:"timestamp"`
}

// summary is what -o json prints at the end.
type summary struct {
	Topic   string  `json:"topic"`
	Records int64   `json:"records"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

func newWriter(a *command.App, s *command.Server, what, verb string, patience time.Duration) *writer {
	s.Contact.Listen(true) // what the first answer says counts as well
	return &writer{app: a, server: s, what: what, patience: patience, progress: a.Progress(verb), failed: make(chan struct{}), acknowledged: a.World.Now()}
}

// run feeds until the end and waits until every record is acknowledged or has failed; summarize is called then, whatever happened.
func (w *writer) run(ctx context.Context, target string, summarize func() error) error {
	feeding, halt := context.WithCancel(ctx)
	defer halt()
	flushing, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	go w.watch(ctx, flushing, abandon)
	fed := make(chan error, 1)
	go func() {
		fed <- w.feed(feeding, func(r *kgo.Record) {
			w.given.Add(1)
			w.server.Produce(context.WithoutCancel(ctx), r, w.acked)
		})
	}()
	var input error
	select {
	case input = <-fed:
	case <-w.failed:
	case <-ctx.Done(): // the user stopped it; a read of the terminal can't be, so the feeder is left behind
	}
	halt()
	_ = w.server.Flush(flushing) // ends by the watch at the latest, which says why
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress.Done(" to " + target)
	if err := summarize(); err != nil {
		return err
	}
	return w.verdict(input)
}

// watch gives the records up when none has been acknowledged for the whole delivery timeout, or a moment after ctx has ended. The client
// can't do that: it counts from a record's timestamp, which may be any time.
func (w *writer) watch(ctx, flushing context.Context, abandon func()) {
	tick := time.NewTicker(min(max(w.patience/8, 10*time.Millisecond), parting/5))
	defer tick.Stop()
	for {
		select {
		case <-flushing.Done():
			return
		case <-tick.C:
		}
		if w.stalled(w.server.BufferedProduceRecords() == 0, ctx.Err() != nil) {
			w.server.UnsafeAbortBufferedRecords() // nothing is written after this, so the numbers of batches don't matter
			abandon()
			return
		}
	}
}

// stalled notes that nothing is on its way, or finds that what is has been for too long. A person is told before that.
func (w *writer) stalled(nothing, interrupted bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept != nil {
		_ = w.app.Out.Flush() // its error comes up at the end
	}
	w.progress.Look()
	now := w.app.World.Now()
	if nothing {
		w.acknowledged = now
		return false
	}
	quiet := now.Sub(w.acknowledged)
	w.server.Contact.Listen(quiet >= hush || w.progress.Records == 0)
	switch {
	case interrupted && quiet >= parting:
		w.fail(errInterrupted)
		return true
	case quiet >= w.patience:
		w.fail(w.gaveUp(command.Unreachable, fmt.Sprintf("nothing was acknowledged for %v (--delivery-timeout)", w.patience)))
		return true
	case quiet >= command.QuietFor && !w.told:
		w.told = true
		w.app.Notice("%s", w.server.Silence(w.server.Contact.Last()))
	}
	return false
}

// gaveUp is the failure to have records acknowledged, with what went wrong last.
func (w *writer) gaveUp(exit command.Exit, text string) *command.Error {
	e := &command.Error{What: w.what, Where: w.server.Where, Exit: exit, Err: errors.New(text),
		Hint: "`ottla cluster health` says whether there is a controller, and whether partitions have a leader and enough replicas in sync"}
	switch last := w.server.Contact.Last(); {
	case errors.Is(last, kerr.CoordinatorLoadInProgress): // nothing that a producer waits for here is read by a coordinator
		e.Err = fmt.Errorf("%s: %w", text, last)
		e.Hint = "no controller gives the producer its id: `ottla cluster health` says why; --no-idempotence does without"
	case last != nil:
		e.Err = fmt.Errorf("%s: %w", text, last)
		e.Hint = cmp.Or(command.HintFor(last), "`ottla diag connection` says what is wrong on the way there, and `ottla cluster health` says who is missing")
	}
	return e
}

// fail notes the first failure. The caller holds mu.
func (w *writer) fail(err error) {
	if w.failure == nil {
		w.failure = err
		close(w.failed)
	}
}

// feed gives every record of a source.
func (p *production) feed(src source, pace *pace) func(context.Context, func(*kgo.Record)) error {
	return func(ctx context.Context, give func(*kgo.Record)) error {
		for ctx.Err() == nil {
			r := &kgo.Record{}
			err := src.next(r)
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if !pace.wait(ctx) { // it was read after the end had come: it is not sent
				return nil
			}
			p.complete(r)
			give(r)
		}
		return nil
	}
}

// complete adds to a record what the flags say of all.
func (p *production) complete(r *kgo.Record) {
	r.Topic = "" // of the command line, whatever a format has read
	if p.keyGiven {
		r.Key = []byte(p.key)
	}
	r.Headers = append(r.Headers, p.fixed...)
	if !p.at.IsZero() {
		r.Timestamp = p.at
	}
	if p.partition >= 0 {
		r.Partition = p.partition
	}
	if p.emptyNull && len(r.Value) == 0 {
		r.Value = nil
	} else if r.Value == nil && p.input.Value != "jsonl" {
		r.Value = []byte{}
	}
	if p.emptyNull && len(r.Key) == 0 {
		r.Key = nil
	}
}

// acked is called by the client for each record, in the order of each partition.
func (w *writer) acked(r *kgo.Record, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.fail(err)
		return
	}
	w.acknowledged = w.app.World.Now()
	if w.told {
		w.told = false
		w.app.Notice("%s acknowledges again", w.server.Where)
	}
	w.progress.Add(1, int64(len(r.Key)+len(r.Value)))
	if w.kept != nil {
		w.kept(r)
	}
}

// seconds is how long the writing took. The caller holds mu.
func (w *writer) seconds() float64 {
	return w.progress.Took().Round(time.Millisecond).Seconds()
}

// verdict says what went wrong, and how much was written before.
func (w *writer) verdict(input error) error {
	done := w.progress.Records
	lost := w.given.Load() - done
	switch {
	case errors.Is(w.failure, errInterrupted):
		exit := command.Failed
		if done > 0 {
			exit = command.Partial
		}
		return w.gaveUp(exit, fmt.Sprintf("interrupted, with %s written and %s not acknowledged", command.Count(done, "record"), command.Count(lost, "record")))
	case w.failure != nil:
		e, ok := w.server.Failed(w.what, w.failure).(*command.Error)
		if ok && done > 0 {
			e.Err = fmt.Errorf("%s failed after %s written: %w", command.Count(lost, "record"), command.Count(done, "record"), e.Err)
			e.Exit = command.Partial
		}
		return e
	case input != nil:
		if e, ok := input.(*command.Error); ok {
			return e
		}
		e := &command.Error{What: w.what, Where: "input", Err: input}
		if done > 0 {
			e.Err = fmt.Errorf("after %s written: %w", command.Count(done, "record"), input)
			e.Exit = command.Partial
		}
		return e
	}
	return nil
}

// choosePartitioner returns how records find their partition.
func (p *production) choosePartitioner() kgo.Partitioner {
	switch {
	case p.partition >= 0:
		return kgo.ManualPartitioner()
	case p.partitioner.Value == "crc32":
		return kgo.StickyKeyPartitioner(func(key []byte, n int) int { return int(crc32.ChecksumIEEE(key) % uint32(n)) })
	case p.partitioner.Value == "roundrobin":
		return kgo.RoundRobinPartitioner()
	}
	return kgo.StickyKeyPartitioner(nil)
}
