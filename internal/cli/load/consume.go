package load

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// silence is how long no record may come before the rest counts as not there: the last offsets of a log may hold none.
const silence = 3 * time.Second

func benchConsume(a *command.App) *cobra.Command {
	w := newWorkload()
	cmd := &cobra.Command{
		Use:     "consume TOPIC",
		Short:   "Read a topic from its start to its end as fast as the server gives it",
		Example: "  ottla bench produce orders --records 1000000\n  ottla bench consume orders",
		Args:    command.Args(1, 1, "the NAME of a topic"),
		RunE: func(cmd *cobra.Command, names []string) error {
			if w.records < 0 || w.length < 0 {
				return command.Usagef("--records and --duration must not be negative")
			}
			return w.onTopic(cmd.Context(), a, names, func(ctx context.Context, topic string) error { return w.consume(ctx, a, topic) })
		},
	}
	f := cmd.Flags()
	f.Int64VarP(&w.records, "records", "n", 0, "end after this many records; 0 is all")
	f.DurationVarP(&w.length, "duration", "d", 0, "end after this time; 0 is no bound")
	w.remoteFlag(a, cmd)
	return a.Prints(cmd, command.ObjectOf[result]("BenchResult"))
}

func (w *workload) consume(ctx context.Context, a *command.App, topic string) error {
	s, err := a.Connect(ctx, kgo.FetchMaxBytes(64<<20), kgo.FetchMaxPartitionBytes(8<<20), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer s.Close()
	ends, err := unread(ctx, s, topic)
	if err != nil {
		return s.Failed("list the offsets of "+topic, err)
	}
	if w.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.length)
		defer cancel()
	}
	progress := a.Progress("consumed")
	began := a.World.Now()
	last := began
	var records, bytes int64
	for len(ends) > 0 && (w.records == 0 || records < w.records) {
		polling, cancel := context.WithTimeout(ctx, silence)
		fetches := s.PollFetches(polling)
		cancel()
		if err := realError(ctx, fetches); err != nil {
			return s.Failed("consume "+topic, err)
		}
		before := records
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				bytes += int64(len(r.Value))
			}
			records += int64(len(p.Records))
			if n := len(p.Records); n > 0 && p.Records[n-1].Offset+1 >= ends[p.Partition] {
				delete(ends, p.Partition)
			}
		})
		if records == before {
			break
		}
		last = a.World.Now()
		progress.Add(int(records-before), bytes-progress.Bytes)
	}
	progress.Done(" from " + topic)
	return newResult("consume", topic, records, bytes, last.Sub(began), nil).print(a)
}

// unread is the end of each partition that has records.
func unread(ctx context.Context, s *command.Server, topic string) (map[int32]int64, error) {
	starts, err := s.Admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := s.Admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	all := map[int32]int64{}
	ends.Each(func(e kadm.ListedOffset) {
		if at, ok := starts.Lookup(topic, e.Partition); ok && e.Err == nil && at.Offset < e.Offset {
			all[e.Partition] = e.Offset
		}
	})
	return all, ends.Error()
}

// realError is the first failure that is not the end of the time for a poll or for the command.
func realError(ctx context.Context, f kgo.Fetches) error {
	for _, e := range f.Errors() {
		if e.Topic != "" && ctx.Err() == nil {
			return e.Err
		}
	}
	return nil
}
