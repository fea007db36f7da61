package records

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
)

// searching holds the flags of `ottla record search`.
type searching struct {
	sieve    sieve
	decoding decoding
	format   string
	offset   string
	count    bool
	want     scan.Want
}

// tally is what --count prints.
type tally struct {
	Searched int64   `json:"searched"`
	Found    int64   `json:"found"`
	Seconds  float64 `json:"seconds"`
}

// eachPlace tells where a record was found.
const eachPlace = `%t/%p@%o\t%k\t%v\n`

func recordSearch(a *command.App) *cobra.Command {
	c := &searching{decoding: newDecoding(), want: scan.Want{Verb: "search"}}
	cmd := &cobra.Command{
		Use:   "search TOPIC...",
		Short: "Find records by what their keys, values and headers hold",
		Long: "Find records by what their keys, values and headers hold: a regular expression (RE2), or bytes with --fixed. All that is\n" +
			"asked for must fit. --offset and -f are those of `ottla consume`; what is found is printed with its place, for `ottla record get`.",
		Example: "  ottla record search orders --value '\"status\": *\"failed\"' --offset @-1h:end\n" +
			"  ottla record search orders --key '^customer-47$' -f '%o %T %v\\n'\n" +
			"  ottla record search orders audit --header trace-id=4bf92f --count",
		Args:              command.Args(1, -1, "a TOPIC"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, topics []string) error {
			if err := c.parse(a.World.Now(), topics); err != nil {
				return err
			}
			return c.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	c.sieve.flags(cmd)
	f.StringVarP(&c.offset, "offset", "O", "start", "which records to look at: `FROM[:TO]`")
	f.Int32SliceVarP(&c.want.Partitions, "partition", "p", nil, "only these partitions, `N,...`")
	f.Int64VarP(&c.want.Max, "max", "n", 0, "stop when so many are found; 0 is no bound")
	f.BoolVar(&c.want.Follow, "follow", false, "go on with records as they are written")
	f.BoolVarP(&c.count, "count", "c", false, "print how many are found, and not them")
	f.StringVarP(&c.format, "format", "f", "", "how a record is printed, a `FORMAT` with % escapes")
	c.decoding.flags(cmd)
	command.AlsoCalled(cmd, "format", "template")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	return a.Prints(cmd, command.StreamOf[recordJSON]("RecordList", "records"), command.ObjectOf[tally]("RecordCount"))
}

func (c *searching) parse(now time.Time, topics []string) error {
	c.want.Topics = topics
	if err := c.want.Parse(c.offset, now); err != nil {
		return err
	}
	return c.sieve.compile()
}

func (c *searching) run(ctx context.Context, a *command.App) error {
	out, err := newPrinter(a, "searched", c.format, eachPlace, &c.decoding)
	if err != nil {
		return err
	}
	s, err := a.Connect(ctx, c.want.Options()...)
	if err != nil {
		return err
	}
	defer s.Close()
	plan, err := c.want.Plan(ctx, a, s)
	if err != nil {
		return err
	}
	ctx, stop := a.Interruptible(ctx)
	defer stop()
	var t tally
	out.progress.Of(plan.Left())
	r := &scan.Reader{App: a, Server: s, Want: &c.want, Plan: plan, Keep: c.sieve.keep, Seen: out.progress.Add, Polled: out.polled,
		Each: func(p *kgo.FetchPartition, r *kgo.Record) error {
			t.Found++
			if c.count {
				return nil
			}
			return out.print(p, r)
		}}
	if c.count {
		out.silent = true
	}
	err = out.around(func() error { return r.Run(ctx) })
	if err == nil && c.count {
		t.Searched = out.progress.Records
		t.Seconds = out.progress.Took().Round(time.Millisecond).Seconds()
		err = t.print(a)
	}
	return err
}

func (t tally) print(a *command.App) error {
	if a.Output.Value != "table" {
		return a.Object("RecordCount", t)
	}
	_, err := a.Out.Write([]byte(command.OrDash(true, t.Found) + "\n"))
	return err
}
