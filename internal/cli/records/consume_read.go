package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

// idle is after how long without a record the reader looks whether what it waits for exists.
const idle = time.Second

// reader prints the records of a plan.
type reader struct {
	app      *command.App
	server   *command.Server
	flags    *consumption
	plan     *plan
	out      *printer
	progress *command.Progress
}

// errEnough ends the reading: --max records are printed.
var errEnough = errors.New("enough records")

// run reads until the plan is done, --max is reached, the user stops it, or --timeout passes without a record.
func (r *reader) run(ctx context.Context) error {
	if err := r.out.begin(); err != nil {
		return err
	}
	err := r.read(ctx)
	if ferr := r.out.end(); err == nil {
		err = ferr
	}
	if ferr := r.app.Out.Flush(); err == nil {
		err = ferr
	}
	if r.app.Out.Err == nil { // else the reader of our output is gone, and with it the interest
		r.progress.Done("")
	}
	return err
}

func (r *reader) read(ctx context.Context) error {
	if r.plan.finished() {
		return nil
	}
	r.server.AddConsumePartitions(r.plan.offsets())
	last := r.app.World.Now()
	for !r.plan.finished() {
		wait := idle
		if r.flags.timeout > 0 {
			wait = min(wait, max(time.Millisecond, r.flags.timeout-r.app.World.Now().Sub(last)))
		}
		fetches, err := r.poll(ctx, wait)
		if ctx.Err() != nil {
			return r.stopped()
		}
		if err != nil {
			return err
		}
		if err := r.print(fetches); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		now := r.app.World.Now()
		switch {
		case !fetches.Empty():
			last = now
		case r.flags.timeout > 0 && now.Sub(last) >= r.flags.timeout:
			return r.late()
		case !r.flags.follow:
			if err := r.probe(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// poll waits for records, and turns what went wrong with a partition into an error.
func (r *reader) poll(ctx context.Context, wait time.Duration) (kgo.Fetches, error) {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fetches := r.server.PollFetches(bounded)
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, context.Canceled) {
			continue
		}
		if at := r.plan.at[command.PartitionKey{Topic: e.Topic, Partition: e.Partition}]; at != nil && at.done {
			continue
		}
		return nil, r.server.Failed(fmt.Sprintf("consume %s-%d", e.Topic, e.Partition), e.Err)
	}
	return fetches, nil
}

// print prints what belongs to the plan, and flushes, so that what follows a pipe sees it at once.
func (r *reader) print(fetches kgo.Fetches) error {
	var err error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		at := r.plan.at[command.PartitionKey{Topic: p.Topic, Partition: p.Partition}]
		if err != nil || at == nil || at.done {
			return
		}
		for _, rec := range p.Records {
			if at.to >= 0 && rec.Offset >= at.to {
				at.passed(rec.Offset)
				break
			}
			at.passed(rec.Offset + 1)
			if rec.Attrs.IsControl() {
				continue
			}
			if err = r.out.print(&p.FetchPartition, rec); err != nil {
				return
			}
			r.progress.Add(1, int64(len(rec.Key)+len(rec.Value)))
			if r.flags.most > 0 && r.out.printed >= r.flags.most {
				err = errEnough
				return
			}
		}
		if at.done {
			r.server.PauseFetchPartitions(map[string][]int32{p.Topic: {p.Partition}})
		}
	})
	if ferr := r.app.Out.Flush(); ferr != nil {
		return ferr
	}
	return err
}

// stopped is the end by Ctrl-C: as it should be of a command that has no end, else a failure.
func (r *reader) stopped() error {
	if r.flags.endless() {
		return nil
	}
	return &command.Error{What: "consume", Where: r.server.Where, Err: errors.New("interrupted before the end was reached")}
}

// late is the end by --timeout.
func (r *reader) late() error {
	if r.flags.endless() {
		return nil
	}
	goal := "the end of the range"
	if r.flags.most > 0 {
		goal = command.Count(r.flags.most, "record")
	}
	return &command.Error{What: "consume", Where: r.server.Where, Exit: command.Unreachable,
		Err: fmt.Errorf("no record for %v, after %s, before %s", r.flags.timeout, command.Count(r.out.printed, "record"), goal)}
}

// probe asks for what comes next in each partition that is not done, when nothing has come for a while: a range may end in offsets
// that no record has (compacted away, aborted, deleted), and the server may be gone.
func (r *reader) probe(ctx context.Context) error {
	ctx, cancel := r.app.Bounded(ctx)
	defer cancel()
	for key, at := range r.plan.at {
		if at.done {
			continue
		}
		next, err := r.nextOffset(ctx, key, at)
		if err != nil {
			return r.server.Failed(fmt.Sprintf("consume %s-%d", key.Topic, key.Partition), err)
		}
		if next < 0 {
			continue // records are on their way
		}
		at.passed(next)
	}
	return nil
}

// nextOffset returns the offset behind what one fetch gave without any record, or -1 where it gave records or nothing.
func (r *reader) nextOffset(ctx context.Context, key command.PartitionKey, at *reading) (int64, error) {
	leader, _, err := r.server.PartitionLeader(key.Topic, key.Partition)
	if err != nil || leader < 0 {
		return -1, nil // the client is finding a new one
	}
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MaxWaitMillis, req.MinBytes = 1<<20, 0, 0
	req.SessionEpoch = -1
	if r.flags.committed() {
		req.IsolationLevel = 1
	}
	id, err := kafka.ParseUUID(at.topicID)
	if err != nil {
		return -1, err
	}
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = key.Topic, id
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes, part.CurrentLeaderEpoch = key.Partition, at.next, 1<<20, -1
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	answer, err := r.server.Broker(int(leader)).RetriableRequest(ctx, req)
	if err != nil {
		return -1, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return -1, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1, command.ErrNotMentioned
	}
	got := &resp.Topics[0].Partitions[0]
	if k := kerr.TypedErrorForCode(got.ErrorCode); k != nil {
		if k.Retriable {
			return -1, nil
		}
		return -1, k
	}
	parsed, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: at.next, IsolationLevel: r.flags.isolationLevel(), Topic: key.Topic, Partition: key.Partition,
	}, got, kgo.DefaultDecompressor(), nil)
	if parsed.Err != nil {
		return -1, parsed.Err
	}
	if len(parsed.Records) > 0 || next <= at.next {
		return -1, nil
	}
	return next, nil
}
