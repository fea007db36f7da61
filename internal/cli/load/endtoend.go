package load

import (
	"cmp"
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/histogram"
)

// stamp is the size of the intended moment at the head of a record's value.
const stamp = 8

func benchEndToEnd(a *command.App) *cobra.Command {
	w := newWorkload()
	w.length, w.partitions = 10*time.Second, 4
	cmd := &cobra.Command{
		Use:   "e2e [TOPIC]",
		Short: "Measure the time from a record's intended moment until a consumer has it",
		Long: "Measure the time from a record's intended moment until a consumer has it.\n\n" +
			"Records are written one by one at a steady rate, whatever became of those before: a server that stalls is charged for all that it\n" +
			"made late, not for one.",
		Example: "  ottla bench e2e\n  ottla bench e2e --rate 5000 --duration 1m -o json",
		Args:    command.Args(0, 1, "one TOPIC at most"),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := w.check(); err != nil {
				return err
			}
			if w.rate == 0 || w.size < stamp {
				return command.Usagef("--rate must be above zero and --size %d or more", stamp)
			}
			return w.onTopic(cmd.Context(), a, names, func(ctx context.Context, topic string) error { return w.endToEnd(ctx, a, topic) })
		},
	}
	w.flags(a, cmd)
	cmd.Flags().IntVar(&w.rate, "rate", 1000, "records a second")
	return a.Prints(cmd, command.ObjectOf[result]("BenchResult"))
}

func (w *workload) endToEnd(ctx context.Context, a *command.App, topic string) error {
	in, err := w.tail(ctx, a, topic)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.Connect(ctx, append(w.producing(), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))...)
	if err != nil {
		return err
	}
	defer out.Close()
	began := a.World.Now()
	var h histogram.Histogram
	var seen, sent atomic.Int64
	watching, stop := context.WithCancel(ctx)
	shown := a.Follow(watching, out, "received", func() (int64, int64) { n := seen.Load(); return n, n * int64(w.size) })
	received := make(chan error, 1)
	receiving, enough := context.WithCancel(ctx)
	defer enough()
	go func() { received <- receive(receiving, a, in, began, &h, &seen) }()
	failed := make(chan error, 1)
	err = pace(ctx, a.World.Now, w.rate, 0, w.length, func(intended time.Time) error {
		value := make([]byte, w.size)
		binary.BigEndian.PutUint64(value, uint64(intended.UnixNano()))
		out.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
				return
			}
			sent.Add(1)
		})
		select {
		case err := <-failed:
			return out.Failed("produce to "+topic, err)
		default:
			return nil
		}
	})
	if ctx.Err() == nil && err == nil {
		_ = out.Flush(ctx) // records that failed are missing in the sum
		awaitRest(ctx, a, &seen, &sent)
	}
	took := a.World.Now().Sub(began)
	enough()
	err = cmp.Or(err, <-received)
	stop()
	shown(" from " + topic)
	r := newResult("e2e", topic, int64(h.Count()), int64(h.Count())*int64(w.size), took, &h)
	r.Failed = max(sent.Load()-int64(h.Count()), 0)
	return cmp.Or(r.print(a), err)
}

// awaitRest returns when all that was sent has been seen, or nothing has come for a while.
func awaitRest(ctx context.Context, a *command.App, seen, sent *atomic.Int64) {
	const step = 10 * time.Millisecond
	last, since := seen.Load(), a.World.Now()
	for ctx.Err() == nil && last < sent.Load() && a.World.Now().Sub(since) < silence {
		sleep(step)
		if n := seen.Load(); n != last {
			last, since = n, a.World.Now()
		}
	}
}

// tail consumes from where the topic ends now: the ends are asked for, so that not one record of the measurement is missed.
func (w *workload) tail(ctx context.Context, a *command.App, topic string) (*command.Server, error) {
	s, err := a.Connect(ctx, kgo.FetchMaxWait(time.Second))
	if err != nil {
		return nil, err
	}
	ends, err := s.Admin.ListEndOffsets(ctx, topic)
	if err != nil {
		s.Close()
		return nil, s.Failed("list the offsets of "+topic, err)
	}
	at := map[int32]kgo.Offset{}
	ends.Each(func(e kadm.ListedOffset) { at[e.Partition] = kgo.NewOffset().At(e.Offset) })
	s.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: at})
	return s, nil
}

// receive takes records until ctx ends. Records that were there before belong to somebody else.
func receive(ctx context.Context, a *command.App, s *command.Server, began time.Time, h *histogram.Histogram, seen *atomic.Int64) error {
	for {
		fetches := s.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := realError(ctx, fetches); err != nil {
			return s.Failed("consume", err)
		}
		now := a.World.Now()
		fetches.EachRecord(func(r *kgo.Record) {
			if len(r.Value) < stamp {
				return
			}
			intended := time.Unix(0, int64(binary.BigEndian.Uint64(r.Value)))
			if intended.Before(began) || intended.After(now) {
				return
			}
			h.Add(now.Sub(intended))
			seen.Add(1)
		})
	}
}
