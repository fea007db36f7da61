package records

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// consumption holds the flags of `ottla consume`.
type consumption struct {
	format     string
	offset     string
	partitions []int32
	follow     bool
	most       int64
	timeout    time.Duration
	isolation  command.OneOf

	span span.Range // parsed offset
}

// ConsumeCommand is `ottla consume`.
func ConsumeCommand(a *command.App) *cobra.Command {
	c := &consumption{isolation: command.Choice("read_uncommitted", "read_committed")}
	cmd := &cobra.Command{
		Use:   "consume TOPIC...",
		Short: "Print the records of topics",
		Long: "Print the records of topics: all that are there now, or more or less of them.\n\n" +
			"--format takes rpk's escapes (%t topic, %p partition, %o offset, %k key, %v value, %h{%k=%v } headers, %d time in ms,\n" +
			"%d{strftime[%F %T]}, %e leader epoch, %K %V %H sizes, {hex}, {base64}, {big32} after them) and kcat's\n" +
			"(%s value, %S its size or -1, %R its size in 4 bytes, %K size of the key or -1, %T time in ms, %h headers as k=v,k=v).\n\n" +
			"--offset takes start, end, N, +N (from the start), -N (from the end), a range FROM:TO of them, TO being exclusive,\n" +
			"and times: @2026-01-31, @2026-01-31T12:00:00Z, @1769860800000, @-1h, @T1:T2, @-2h:-1h, @-1h:end.",
		Example: "  ottla consume orders --max 10\n" +
			"  ottla consume orders --offset @-1h:end -f '%T %k %v\\n'\n" +
			"  ottla consume orders --follow -o jsonl",
		Args:              command.Args(1, -1, "a TOPIC"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, topics []string) error {
			if err := c.parse(a.World.Now()); err != nil {
				return err
			}
			return consume(cmd.Context(), a, c, topics)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.format, "format", "f", "", "how a record is printed, a `FORMAT` with % escapes (default \"%v\\n\")")
	f.StringVarP(&c.offset, "offset", "O", "start", "which records: `FROM[:TO]`; end alone waits for those written from now on")
	f.Int32SliceVarP(&c.partitions, "partition", "p", nil, "only these partitions, `N,…`")
	f.BoolVar(&c.follow, "follow", false, "go on with records as they are written, up to the end of the range if it has one")
	f.Int64VarP(&c.most, "max", "n", 0, "stop after this many records; 0 is no bound")
	f.DurationVar(&c.timeout, "timeout", 0, "stop when no record has come for this long; 0 is never")
	f.Var(&c.isolation, "isolation-level", "with or without the records of transactions that are not committed")
	command.CompleteFlags(cmd, map[string]*command.OneOf{"isolation-level": &c.isolation})
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "template" { // another name for it
			name = "format"
		}
		return pflag.NormalizedName(name)
	})
	a.ClientFlags(f)
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	return cmd
}

func (c *consumption) parse(now time.Time) error {
	var err error
	if c.span, err = span.Parse(c.offset, now); err != nil {
		return command.Usagef("--offset %v", err)
	}
	switch {
	case c.follow && c.span.To.Kind != span.Open && c.span.To.Kind != span.Exact && c.span.To.Kind != span.After:
		return command.Usagef("--follow waits for what is not there yet, --offset %s ends with what is", c.offset)
	case c.most < 0 || c.timeout < 0:
		return command.Usagef("--max and --timeout must not be negative")
	case c.span.From.Kind == span.End && c.span.To.Kind == span.Open:
		c.follow = true // what is written from now on: there is no other sense in it
	}
	if !c.follow && c.span.To.Kind == span.Open {
		c.span.To.Kind = span.End
	}
	for _, p := range c.partitions {
		if p < 0 {
			return command.Usagef("--partition must be 0 or more")
		}
	}
	return nil
}

// endless reports whether the user means to stop the command: then being stopped is success.
func (c *consumption) endless() bool {
	return c.follow && c.most == 0 && c.span.To.Kind == span.Open
}

func (c *consumption) committed() bool { return c.isolation.Value == "read_committed" }

func (c *consumption) isolationLevel() kgo.IsolationLevel {
	if c.committed() {
		return kgo.ReadCommitted()
	}
	return kgo.ReadUncommitted()
}

func consume(ctx context.Context, a *command.App, c *consumption, topics []string) error {
	if err := command.CheckNames(topics); err != nil {
		return err
	}
	out, err := newPrinter(a, c.format)
	if err != nil {
		return err
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	s, err := a.Connect(ctx,
		kgo.FetchIsolationLevel(c.isolationLevel()),
		kgo.KeepControlRecords(), // they are not printed, but tell how far a partition is read
		kgo.FetchMaxPartitionBytes(8<<20),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	)
	if err != nil {
		return err
	}
	defer s.Close()
	plan, err := planConsumption(ctx, a, s, c, topics)
	if err != nil {
		return err
	}
	ctx, stop := a.World.Interruptible(ctx)
	defer stop()
	if c.follow && c.span.From.Kind == span.End {
		a.Notice("waiting for records that are written to %s from now on", command.Quoted(topics))
	}
	r := &reader{app: a, server: s, flags: c, plan: plan, out: out, progress: a.Progress("consumed")}
	return r.run(ctx)
}

// planConsumption finds the partitions and what the range means for each.
func planConsumption(ctx context.Context, a *command.App, s *command.Server, c *consumption, topics []string) (*plan, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	found, f, err := s.NamedTopics(ctx, "consume", topics)
	if err != nil {
		return nil, err
	}
	if len(f.Errs) > 0 {
		return nil, f.Errs[0]
	}
	p := &plan{at: map[command.PartitionKey]*reading{}}
	for _, t := range found {
		for _, part := range t.Partitions {
			if len(c.partitions) == 0 || slices.Contains(c.partitions, part.Partition) {
				p.at[command.PartitionKey{Topic: t.Name, Partition: part.Partition}] = &reading{topicID: t.ID, to: -1}
			}
		}
		for _, wanted := range c.partitions {
			if int(wanted) >= len(t.Partitions) {
				return nil, &command.Error{What: fmt.Sprintf("consume topic %q", t.Name), Where: s.Where, Exit: command.NotFound,
					Err: fmt.Errorf("there is no partition %d: it has %s, numbered from 0", wanted, command.Count(int64(len(t.Partitions)), "partition"))}
			}
		}
	}
	return p, p.resolve(ctx, s, c, topics)
}
