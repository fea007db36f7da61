package topics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
	"github.com/ottla/ottla/internal/cli/span"
)

// trimmed is a partition whose first records go.
type trimmed struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Before and After are the log start offsets.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	// Records counts the offsets between them: about the number of records.
	Records int64 `json:"records"`
}

func topicTrim(a *command.App) *cobra.Command {
	var before string
	var all bool
	var d command.Danger
	w := &scan.Want{Verb: "trim"}
	cmd := &cobra.Command{
		Use:   "trim NAME...",
		Short: "Delete the first records of topics: before an offset or a time, or all",
		Long: "Delete the first records of topics, before an offset or a time, or all of them. There is no way back: the command shows how\n" +
			"many go and asks first. Offsets go on where they are: the next record gets the one that it would have got anyway.\n\n" +
			"--before takes N, +N (from the start), -N (all but the last N of each partition), end, @2026-01-31T12:00:00Z, @-1h.",
		Example: "  ottla topic trim orders --before @-24h\n" +
			"  ottla topic trim orders -p 0 --before 4711\n" +
			"  ottla topic trim orders --all",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			if (before == "") != all {
				return command.Usagef("want --before, or --all")
			}
			if all {
				before = "end"
			}
			r, err := span.Parse(before, a.World.Now())
			if err != nil || r.To.Kind != span.Open {
				return command.Usagef("--before %q: want N, +N, -N, end, @TIME or @-1h", before)
			}
			w.Span = span.Range{From: span.Place{Kind: span.Start}, To: r.From}
			w.Topics = names
			if err := command.CheckNames(names); err != nil {
				return err
			}
			if err := a.MayAsk(d); err != nil {
				return err
			}
			return trim(cmd.Context(), a, w, d)
		},
	}
	f := cmd.Flags()
	f.StringVar(&before, "before", "", "delete what stands before this `PLACE`")
	f.BoolVar(&all, "all", false, "delete all that is there now")
	f.Int32SliceVarP(&w.Partitions, "partition", "p", nil, "only these partitions, `N,...`")
	d.Flags(f)
	return a.Prints(cmd, command.ListOf[trimmed]("TopicTrimResult", "partitions"))
}

func trim(ctx context.Context, a *command.App, w *scan.Want, d command.Danger) error {
	return a.WithServer(ctx, func(bounded context.Context, s *command.Server) error {
		plan, err := w.Plan(bounded, a, s)
		if err != nil {
			return err
		}
		var rows []trimmed
		var lines []string
		for _, p := range plan.Ranges() {
			if p.To <= p.From {
				continue // there is nothing before it
			}
			rows = append(rows, trimmed{p.Topic, p.Partition, p.From, p.To, p.To - p.From})
			lines = append(lines, fmt.Sprintf("trim %s-%d: %s, the first is %d then", p.Topic, p.Partition, command.Count(p.To-p.From, "record"), p.To))
		}
		f := &command.Failures{}
		if d.DryRun {
			return a.Planned(lines, f)
		}
		if len(rows) > 0 {
			if err := a.Confirm(d, lines); err != nil {
				return err
			}
			if rows, err = deleteRecords(ctx, a, s, rows, f); err != nil {
				return err
			}
		}
		if err := command.List(a, "TopicTrimResult", "partitions", rows, trimmedColumns); err != nil {
			return err
		}
		return f.Or()
	})
}

// deleteRecords has a deadline of its own: the question may have taken long.
func deleteRecords(ctx context.Context, a *command.App, s *command.Server, rows []trimmed, f *command.Failures) ([]trimmed, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	offsets := kadm.Offsets{}
	for _, r := range rows {
		offsets.AddOffset(r.Topic, r.Partition, r.After, -1)
	}
	responses, err := s.Admin.DeleteRecords(ctx, offsets)
	if err != nil && len(responses) == 0 {
		return nil, s.Failed("trim", err)
	}
	var done []trimmed
	for _, r := range rows {
		answer, ok := responses.Lookup(r.Topic, r.Partition)
		if !ok {
			answer.Err = cmp.Or(err, command.ErrNotMentioned)
		}
		if answer.Err != nil {
			f.Add(s.Failed(fmt.Sprintf("trim %s-%d", r.Topic, r.Partition), answer.Err))
			continue
		}
		r.After = answer.LowWatermark
		r.Records = r.After - r.Before
		done = append(done, r)
	}
	f.Done = len(done)
	return slices.Clip(done), nil
}

var trimmedColumns = []command.Column[trimmed]{
	{Name: "TOPIC", Value: func(t trimmed) string { return t.Topic }},
	{Name: "PARTITION", Value: func(t trimmed) string { return strconv.Itoa(int(t.Partition)) }, Number: true},
	{Name: "START", Value: func(t trimmed) string { return strconv.FormatInt(t.Before, 10) }, Number: true},
	{Name: "NOW", Value: func(t trimmed) string { return strconv.FormatInt(t.After, 10) }, Number: true},
	{Name: "DELETED", Value: func(t trimmed) string { return strconv.FormatInt(t.Records, 10) }, Number: true},
}
