package groups

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/cli/command"
)

// selection is a topic, and some of its partitions or all.
type selection struct {
	topic      string
	partitions []int32 // none: all
}

// parseSelections reads TOPIC, TOPIC:0,2 and TOPIC:0-3.
func parseSelections(args []string) ([]selection, error) {
	var all []selection
	for _, arg := range args {
		topic, list, some := strings.Cut(arg, ":")
		if err := command.CheckNames([]string{topic}); err != nil {
			return nil, err
		}
		sel := selection{topic: topic}
		if some {
			for part := range strings.SplitSeq(list, ",") {
				first, last, ranged := strings.Cut(part, "-")
				if !ranged {
					last = first
				}
				from, ferr := strconv.ParseInt(first, 10, 32)
				to, terr := strconv.ParseInt(last, 10, 32)
				if ferr != nil || terr != nil || from < 0 || to < from || to-from > 1<<16 {
					e := command.Usagef("--topic %q: %q is not a partition", arg, part)
					e.Hint = "want TOPIC, TOPIC:0,2 or TOPIC:0-3"
					return nil, e
				}
				for p := from; p <= to; p++ {
					sel.partitions = append(sel.partitions, int32(p))
				}
			}
		}
		all = append(all, sel)
	}
	return all, nil
}

// selects reports whether a partition is among the selected; without a selection all are.
func selects(all []selection, key command.PartitionKey) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(s selection) bool {
		return s.topic == key.Topic && (len(s.partitions) == 0 || slices.Contains(s.partitions, key.Partition))
	})
}

// committedRow is a committed offset.
type committedRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Metadata  string `json:"metadata,omitempty"`
}

func groupOffsets(a *command.App) *cobra.Command {
	var topics []string
	var csv, remove bool
	d := command.Danger{}
	cmd := &cobra.Command{
		Use:   "offsets NAME",
		Short: "Show a group's committed offsets, keep them in a file, or delete them",
		Long: "Show a group's committed offsets: the next record that the group consumes of each partition.\n\n" +
			"--csv prints lines TOPIC,PARTITION,OFFSET, which `ottla group seek --from-file` and Kafka's own tool read back.",
		Example:           "  ottla group offsets billing --csv > billing.csv\n  ottla group offsets billing --delete -t orders:0-3",
		Args:              command.Args(1, 1, "the NAME of a group"),
		ValidArgsFunction: completeGroups(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := parseSelections(topics)
			switch {
			case err != nil:
				return err
			case !remove && (d.Yes || d.DryRun):
				return command.Usagef("--yes and --dry-run go with --delete")
			case remove && len(chosen) == 0:
				return command.Usagef("--delete needs --topic: `ottla group delete` deletes all of a group")
			case remove && csv:
				return command.Usagef("--csv shows offsets, --delete deletes them: give one of the two")
			}
			if remove {
				if err := a.MayAsk(d); err != nil {
					return err
				}
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				rows, err := committedRows(ctx, s, args[0], chosen)
				if err != nil {
					return err
				}
				if remove {
					return deleteOffsets(cmd.Context(), a, s, args[0], rows, d)
				}
				return printCommitted(a, rows, csv)
			})
		},
	}
	f := cmd.Flags()
	topicFlag(cmd, a, &topics)
	f.BoolVar(&csv, "csv", false, "print lines TOPIC,PARTITION,OFFSET")
	f.BoolVar(&remove, "delete", false, "delete the offsets of the topics that are named")
	d.Flags(f)
	return a.Prints(cmd, command.ListOf[committedRow]("CommittedOffsetList", "offsets"), command.ListOf[command.Outcome]("OffsetDeleteResult", "offsets"))
}

func topicFlag(cmd *cobra.Command, a *command.App, topics *[]string) {
	cmd.Flags().StringArrayVarP(topics, "topic", "t", nil, "only this topic, or some partitions of it: `TOPIC[:0,2-4]` (may be repeated)")
	complete := func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return a.CompleteTopics(cmd, nil, prefix)
	}
	if err := cmd.RegisterFlagCompletionFunc("topic", complete); err != nil {
		panic(err) // the flag was made above
	}
}

// committedRows are the committed offsets of a group that must be there, by topic and partition.
func committedRows(ctx context.Context, s *command.Server, name string, chosen []selection) ([]committedRow, error) {
	what := fmt.Sprintf("list offsets of group %q", name)
	committed, err := committed(ctx, s, name)
	if err != nil {
		return nil, s.Failed(what, err)
	}
	if len(committed) == 0 { // a group that is not there has none either
		d, err := lookAtGroup(ctx, s, name)
		if err != nil {
			return nil, s.Failed(what, err)
		}
		if d == nil {
			return nil, missingGroup(ctx, s, what, name)
		}
	}
	var rows []committedRow
	for key, c := range committed {
		if selects(chosen, key) {
			rows = append(rows, committedRow{key.Topic, key.Partition, c.offset, c.metadata})
		}
	}
	slices.SortFunc(rows, func(x, y committedRow) int {
		return comparePartitions(command.PartitionKey{Topic: x.Topic, Partition: x.Partition}, command.PartitionKey{Topic: y.Topic, Partition: y.Partition})
	})
	return rows, nil
}

func comparePartitions(x, y command.PartitionKey) int {
	if c := strings.Compare(x.Topic, y.Topic); c != 0 {
		return c
	}
	return int(x.Partition - y.Partition)
}

func printCommitted(a *command.App, rows []committedRow, csv bool) error {
	if csv {
		return printCSV(a, rows)
	}
	return command.List(a, "CommittedOffsetList", "offsets", rows, []command.Column[committedRow]{
		{Name: "TOPIC", Value: func(r committedRow) string { return r.Topic }},
		{Name: "PARTITION", Value: func(r committedRow) string { return strconv.Itoa(int(r.Partition)) }, Number: true},
		{Name: "OFFSET", Value: func(r committedRow) string { return strconv.FormatInt(r.Offset, 10) }, Number: true},
		{Name: "METADATA", Value: func(r committedRow) string { return r.Metadata }},
	})
}

// printCSV prints offsets as Kafka's own tool exports them. A topic's name has no character that would need quotes.
func printCSV(a *command.App, rows []committedRow) error {
	for _, r := range rows {
		if _, err := fmt.Fprintf(a.Out, "%s,%d,%d\n", r.Topic, r.Partition, r.Offset); err != nil {
			return err
		}
	}
	return nil
}

// deleteOffsets shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func deleteOffsets(ctx context.Context, a *command.App, s *command.Server, name string, rows []committedRow, d command.Danger) error {
	var lines []string
	topics := kadm.TopicsSet{}
	for _, r := range rows {
		topics.Add(r.Topic, r.Partition)
		lines = append(lines, fmt.Sprintf("delete offset %d of %s-%d in group %q", r.Offset, r.Topic, r.Partition, name))
	}
	switch {
	case len(rows) == 0:
		return &command.Error{What: fmt.Sprintf("delete offsets of group %q", name), Where: s.Where, Exit: command.NotFound,
			Err: fmt.Errorf("the group has no committed offset there"), Hint: "`ottla group offsets " + name + "` shows those that it has"}
	case d.DryRun:
		return a.Planned(lines, &command.Failures{})
	}
	if err := a.Confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	responses, err := s.Admin.DeleteOffsets(ctx, name, topics)
	if err != nil {
		return s.Failed(fmt.Sprintf("delete offsets of group %q", name), err)
	}
	f := &command.Failures{}
	var done []command.Outcome
	for _, r := range rows {
		id := fmt.Sprintf("%s-%d", r.Topic, r.Partition)
		err, ok := responses.Lookup(r.Topic, r.Partition)
		if !ok {
			err = command.ErrNotMentioned
		}
		if err != nil {
			f.Add(s.Failed(fmt.Sprintf("delete offset of %s in group %q", id, name), err))
			continue
		}
		done = append(done, command.Outcome{Name: id, Result: "deleted"})
	}
	f.Done = len(done)
	if err := a.PrintOutcomes("OffsetDeleteResult", "offsets", done); err != nil {
		return err
	}
	return f.Or()
}
