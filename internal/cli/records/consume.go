package records

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
	"github.com/ottla/ottla/internal/cli/span"
)

// consumption holds the flags of `ottla consume`.
type consumption struct {
	format    string
	offset    string
	isolation command.OneOf
	decoding  decoding
	rate      float64
	group     string
	prefix    string // format of what is printed before each record
	protocol  command.OneOf
	want      scan.Want
}

// ConsumeCommand is `ottla consume`.
func ConsumeCommand(a *command.App) *cobra.Command {
	c := &consumption{want: scan.Want{Verb: "consume"}, decoding: newDecoding(), protocol: command.Choice("classic", "consumer"),
		isolation: command.Choice("read_uncommitted", "read_committed")}
	cmd := &cobra.Command{
		Use:   "consume TOPIC...",
		Short: "Print the records of topics",
		Long: "Print the records of topics: all that are there now, or more or less of them.\n\n" +
			"--format takes rpk's escapes (%t topic, %p partition, %o offset, %k key, %v value, %h{%k=%v } headers, %d time in ms,\n" +
			"%d{strftime[%F %T]}, %e leader epoch, %K %V %H sizes, {hex}, {base64}, {big32} after them) and kcat's\n" +
			"(%s value, %S its size or -1, %R its size in 4 bytes, %K size of the key or -1, %T time in ms, %h headers as k=v,k=v).\n\n" +
			"With --group it goes on until Ctrl-C, --max or --timeout, and --offset says where a group begins that has committed nothing.\n\n" +
			"--offset takes start, end, N, +N (from the start), -N (from the end), a range FROM:TO of them, TO being exclusive,\n" +
			"and times: @2026-01-31, @2026-01-31T12:00:00Z, @1769860800000, @-1h, @T1:T2, @-2h:-1h, @-1h:end.",
		Example: "  ottla consume orders --max 10\n" +
			"  ottla consume orders --offset @-1h:end -f '%T %k %v\\n'\n" +
			"  ottla consume orders --follow -o jsonl",
		Args:              command.Args(1, -1, "a TOPIC"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, topics []string) error {
			if err := c.parse(a.World.Now(), topics); err != nil {
				return err
			}
			return consume(cmd.Context(), a, c)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.format, "format", "f", "", "how a record is printed, a `FORMAT` with % escapes (default \"%v\\n\")")
	f.StringVarP(&c.offset, "offset", "O", "start", "which records: `FROM[:TO]`; end alone waits for those written from now on")
	f.Int32SliceVarP(&c.want.Partitions, "partition", "p", nil, "only these partitions, `N,...`")
	f.BoolVar(&c.want.Follow, "follow", false, "go on with records as they are written, up to the end of the range if it has one")
	f.Int64VarP(&c.want.Max, "max", "n", 0, "stop after this many records; 0 is no bound")
	f.DurationVar(&c.want.Timeout, "timeout", 0, "stop when no record has come for this long; 0 is never")
	f.StringVarP(&c.group, "group", "g", "", "consume as a member of this `GROUP`: go on where it has committed, commit what is printed")
	command.CompleteFlag(cmd, "group", a.CompleteGroups)
	f.Var(&c.protocol, "protocol", "how the group is kept: by its members, or by the server (KIP-848)")
	f.Var(&c.isolation, "isolation-level", "with or without the records of transactions that are not committed")
	command.CompleteFlags(cmd, map[string]*command.OneOf{"isolation-level": &c.isolation, "protocol": &c.protocol})
	command.AlsoCalled(cmd, "format", "template")
	c.decoding.flags(cmd)
	rateFlag(f, &c.rate)
	f.BoolVar(&c.want.Control, "control", false, "print the markers of transactions too")
	a.ClientFlags(f)
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	return a.Prints(cmd, command.StreamOf[recordJSON]("RecordList", "records"))
}

func (c *consumption) parse(now time.Time, topics []string) error {
	c.want.Topics = topics
	c.want.Committed = c.isolation.Value == "read_committed"
	c.want.Follow = c.want.Follow || c.group != ""
	if err := c.want.Parse(c.offset, now); err != nil {
		return err
	}
	switch {
	case badRate(c.rate):
		return command.Usagef(wantRate)
	case c.group != "":
		return c.checkGroup()
	}
	return nil
}

func consume(ctx context.Context, a *command.App, c *consumption) error {
	out, err := newPrinter(a, "consumed", c.format, eachLine, &c.decoding)
	if err != nil {
		return err
	}
	if c.prefix != "" {
		if out.prefix, err = newTemplate(c.prefix); err != nil {
			return err
		}
		out.colours = a.Colours(a.World.OutTTY)
	}
	if a.World.OutTTY {
		out.progress.Mute() // the records are seen
	}
	if c.group != "" {
		return c.inGroup(ctx, a, out)
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
	if c.want.Follow && c.want.Span.From.Kind == span.End {
		a.Notice("waiting for records that are written to %s from now on", command.Quoted(c.want.Topics))
	}
	if end, beyond := plan.Beyond(); beyond {
		a.Notice("nothing is there yet: %s ends at offset %d, and --offset %s is behind it", command.Quoted(c.want.Topics), end, c.offset)
	}
	out.progress.Of(plan.Left(), c.want.Max)
	out.next = fmt.Sprintf("`ottla consume %s --group readers%s` reads as a group, which remembers where it was", c.want.Topics[0], a.Again())
	r := &scan.Reader{App: a, Server: s, Want: &c.want, Plan: plan, Polled: out.polled, Each: c.each(ctx, out)}
	return out.around(func() error { return r.Run(ctx) })
}

// each prints a record when it may, and counts it.
func (c *consumption) each(ctx context.Context, out *printer) func(*kgo.FetchPartition, *kgo.Record) error {
	pace := newPace(c.rate, out.app.World.Now)
	return func(p *kgo.FetchPartition, r *kgo.Record) error {
		if !pace.wait(ctx) {
			return ctx.Err()
		}
		if err := out.print(p, r); err != nil {
			return err
		}
		out.progress.Add(1, int64(len(r.Key)+len(r.Value)))
		if c.rate > 0 {
			return out.app.Out.Flush()
		}
		return nil
	}
}

// eachLine is the format of `ottla consume` when none is given: the value on a line of its own.
const eachLine = `%v\n`

// around prints what comes before and after the records, and the summary.
func (p *printer) around(run func() error) error {
	if err := p.begin(); err != nil {
		return err
	}
	err := run()
	if ferr := p.end(); err == nil {
		err = ferr
	}
	if ferr := p.app.Out.Flush(); err == nil {
		err = ferr
	}
	if p.app.Out.Err() == nil { // else the reader of our output is gone, and with it the interest
		p.progress.Done("")
		if p.next != "" && err == nil {
			p.app.Next("%s", p.next)
		}
		if n := p.decoding.wrong; n > 0 {
			p.app.Notice("%s not of the form that was asked for, and shown as it is", command.Count(n, "record"))
		}
	}
	return err
}
