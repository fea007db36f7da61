package scan

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// idle is after how long without a record the reader looks whether what it waits for exists.
const idle = time.Second

// Reader gives the records of a plan.
type Reader struct {
	App    *command.App
	Server *command.Server
	Want   *Want
	Plan   *Plan
	// Each is called for every record, in the order of its partition. [ErrEnough] ends the reading, any other error fails it.
	Each func(*kgo.FetchPartition, *kgo.Record) error
	// Keep, if set, says which records are given. It is called for several at once.
	Keep func(*kgo.Record) bool
	// Seen, if set, is called with the number and the bytes of records that were read, given or not.
	Seen func(records int, bytes int64)
	// Polled, if set, is called after each poll, when all that came was given; that may be nothing.
	Polled func() error

	given int64
}

// ErrEnough ends the reading: no more records are wanted.
var ErrEnough = errors.New("enough records")

// Run reads until the plan is done, Want.Max is reached, the user stops it, or Want.Timeout passes without a record.
func (r *Reader) Run(ctx context.Context) error {
	if r.Plan.finished() {
		return nil
	}
	r.Server.AddConsumePartitions(r.Plan.offsets())
	last, vigil := r.App.World.Now(), r.App.Vigil(r.Server)
	for !r.Plan.finished() {
		wait := idle
		if r.Want.Timeout > 0 {
			wait = min(wait, max(time.Millisecond, r.Want.Timeout-r.App.World.Now().Sub(last)))
		}
		fetches, err := r.poll(ctx, wait)
		if ctx.Err() != nil {
			return r.stopped()
		}
		if err != nil {
			return err
		}
		vigil.Look()
		if err := r.give(fetches); err != nil {
			switch {
			case errors.Is(err, ErrEnough):
				return nil
			case ctx.Err() != nil:
				return r.stopped()
			}
			return err
		}
		now := r.App.World.Now()
		switch {
		case !fetches.Empty():
			last = now
		case r.Want.Timeout > 0 && now.Sub(last) >= r.Want.Timeout:
			return r.late()
		case !r.Want.Follow:
			if err := r.probe(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// poll waits for records, and turns what went wrong with a partition into an error.
func (r *Reader) poll(ctx context.Context, wait time.Duration) (kgo.Fetches, error) {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fetches := r.Server.PollFetches(bounded)
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, context.Canceled) {
			continue
		}
		if at := r.Plan.at[command.PartitionKey{Topic: e.Topic, Partition: e.Partition}]; at != nil && at.done {
			continue
		}
		return nil, r.Server.Failed(fmt.Sprintf("%s %s-%d", r.Want.Verb, e.Topic, e.Partition), e.Err)
	}
	return fetches, nil
}

// give gives what belongs to the plan.
func (r *Reader) give(fetches kgo.Fetches) error {
	kept := r.sift(fetches)
	var err error
	var before int // records of the partitions before this one
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		first := before
		before += len(p.Records)
		at := r.Plan.at[command.PartitionKey{Topic: p.Topic, Partition: p.Partition}]
		if err != nil || at == nil || at.done {
			return
		}
		for i, rec := range p.Records {
			if at.to >= 0 && rec.Offset >= at.to {
				at.passed(rec.Offset)
				break
			}
			at.passed(rec.Offset + 1)
			if rec.Attrs.IsControl() && !r.Want.Control {
				continue
			}
			if r.Seen != nil {
				r.Seen(1, int64(len(rec.Key)+len(rec.Value)))
			}
			if kept != nil && !kept[first+i] {
				continue
			}
			if err = r.Each(&p.FetchPartition, rec); err != nil {
				return
			}
			r.given++
			if r.Want.Max > 0 && r.given >= r.Want.Max {
				err = ErrEnough
				return
			}
		}
		if at.done {
			r.Server.PauseFetchPartitions(map[string][]int32{p.Topic: {p.Partition}})
		}
	})
	if r.Polled != nil {
		if perr := r.Polled(); perr != nil {
			return perr
		}
	}
	return err
}

// sift asks Keep of all records, on all processors.
func (r *Reader) sift(fetches kgo.Fetches) []bool {
	if r.Keep == nil {
		return nil
	}
	all := make([]*kgo.Record, 0, fetches.NumRecords())
	fetches.EachRecord(func(rec *kgo.Record) { all = append(all, rec) })
	kept := make([]bool, len(all))
	var wait sync.WaitGroup
	size := max(1, (len(all)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(all); from += size {
		part, into := all[from:min(len(all), from+size)], kept[from:]
		wait.Go(func() {
			for i, rec := range part {
				into[i] = r.Keep(rec)
			}
		})
	}
	wait.Wait()
	return kept
}

// stopped is the end by Ctrl-C: as it should be of a command that has no end, else a failure.
func (r *Reader) stopped() error {
	if r.Want.endless() {
		return nil
	}
	return &command.Error{What: r.Want.Verb, Where: r.Server.Where, Err: errors.New("interrupted before the end was reached")}
}

// late is the end by --timeout.
func (r *Reader) late() error {
	if r.Want.endless() {
		return nil
	}
	goal := "the end of the range"
	if r.Want.Max > 0 {
		goal = command.Count(r.Want.Max, "record")
	}
	return &command.Error{What: r.Want.Verb, Where: r.Server.Where, Exit: command.Unreachable,
		Err: fmt.Errorf("no record for %v, after %s, before %s", r.Want.Timeout, command.Count(r.given, "record"), goal)}
}

// probe asks for what comes next in each partition that is not done, when nothing has come for a while: a range may end in offsets
// that no record has (compacted away, aborted, deleted), and the server may be gone.
func (r *Reader) probe(ctx context.Context) error {
	ctx, cancel := r.App.Bounded(ctx)
	defer cancel()
	for key, at := range r.Plan.at {
		if at.done {
			continue
		}
		next, err := r.nextOffset(ctx, key, at)
		if err != nil {
			return r.Server.Failed(fmt.Sprintf("%s %s-%d", r.Want.Verb, key.Topic, key.Partition), err)
		}
		if next < 0 {
			continue // records are on their way
		}
		at.passed(next)
	}
	return nil
}

// nextOffset returns the offset behind what one fetch gave without any record, or -1 where it gave records or nothing.
func (r *Reader) nextOffset(ctx context.Context, key command.PartitionKey, at *reading) (int64, error) {
	leader, _, err := r.Server.PartitionLeader(key.Topic, key.Partition)
	if err != nil || leader < 0 {
		return -1, nil // the client is finding a new one
	}
	got, next, err := r.Want.fetch(ctx, r.Server, place{key, at.topicID, leader, at.next})
	var k *kerr.Error
	switch {
	case errors.As(err, &k) && k.Retriable:
		return -1, nil
	case err != nil:
		return -1, err
	case len(got.Records) > 0 || next <= at.next:
		return -1, nil
	}
	return next, nil
}
