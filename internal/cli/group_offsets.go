package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
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
		if err := checkNames([]string{topic}); err != nil {
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
					e := Usagef("--topic %q: %q is not a partition", arg, part)
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
func selects(all []selection, key partitionKey) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(s selection) bool {
		return s.topic == key.topic && (len(s.partitions) == 0 || slices.Contains(s.partitions, key.partition))
	})
}

// committedRow is a committed offset.
type committedRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Metadata  string `json:"metadata,omitempty"`
}

func (a *app) groupOffsets() *cobra.Command {
	var topics []string
	var csv, remove bool
	d := danger{}
	cmd := &cobra.Command{
		Use:   "offsets NAME",
		Short: "Show a group's committed offsets, keep them in a file, or delete them",
		Long: "Show a group's committed offsets: the next record that the group consumes of each partition.\n\n" +
			"--csv prints lines TOPIC,PARTITION,OFFSET, which `ottla group seek --from-file` and Kafka's own tool read back.",
		Example:           "  ottla group offsets billing --csv > billing.csv\n  ottla group offsets billing --delete -t orders:0-3",
		Args:              want(1, 1, "the NAME of a group"),
		ValidArgsFunction: a.completeGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := parseSelections(topics)
			switch {
			case err != nil:
				return err
			case !remove && (d.yes || d.dryRun):
				return Usagef("--yes and --dry-run go with --delete")
			case remove && len(chosen) == 0:
				return Usagef("--delete needs --topic: `ottla group delete` deletes all of a group")
			case remove && csv:
				return Usagef("--csv shows offsets, --delete deletes them: give one of the two")
			}
			if remove {
				if err := a.mayAsk(d); err != nil {
					return err
				}
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				rows, err := s.committedRows(ctx, args[0], chosen)
				if err != nil {
					return err
				}
				if remove {
					return a.deleteOffsets(cmd.Context(), s, args[0], rows, d)
				}
				return a.printCommitted(rows, csv)
			})
		},
	}
	f := cmd.Flags()
	topicFlag(cmd, a, &topics)
	f.BoolVar(&csv, "csv", false, "print lines TOPIC,PARTITION,OFFSET")
	f.BoolVar(&remove, "delete", false, "delete the offsets of the topics that are named")
	d.flags(f)
	return cmd
}

func topicFlag(cmd *cobra.Command, a *app, topics *[]string) {
	cmd.Flags().StringArrayVarP(topics, "topic", "t", nil, "only this topic, or some partitions of it: `TOPIC[:0,2-4]` (may be repeated)")
	complete := func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return a.completeTopics(cmd, nil, prefix)
	}
	if err := cmd.RegisterFlagCompletionFunc("topic", complete); err != nil {
		panic(err) // the flag was made above
	}
}

// committedRows are the committed offsets of a group that must be there, by topic and partition.
func (s *server) committedRows(ctx context.Context, name string, chosen []selection) ([]committedRow, error) {
	what := fmt.Sprintf("list offsets of group %q", name)
	committed, err := s.committed(ctx, name)
	if err != nil {
		return nil, s.failed(what, err)
	}
	if len(committed) == 0 { // a group that is not there has none either
		d, err := s.lookAtGroup(ctx, name)
		if err != nil {
			return nil, s.failed(what, err)
		}
		if d == nil {
			return nil, s.missingGroup(ctx, what, name)
		}
	}
	var rows []committedRow
	for key, c := range committed {
		if selects(chosen, key) {
			rows = append(rows, committedRow{key.topic, key.partition, c.offset, c.metadata})
		}
	}
	slices.SortFunc(rows, func(x, y committedRow) int {
		return comparePartitions(partitionKey{x.Topic, x.Partition}, partitionKey{y.Topic, y.Partition})
	})
	return rows, nil
}

func comparePartitions(x, y partitionKey) int {
	if c := strings.Compare(x.topic, y.topic); c != 0 {
		return c
	}
	return int(x.partition - y.partition)
}

func (a *app) printCommitted(rows []committedRow, csv bool) error {
	if csv {
		return a.printCSV(rows)
	}
	return list(a, "CommittedOffsetList", "offsets", rows, []column[committedRow]{
		{name: "TOPIC", value: func(r committedRow) string { return r.Topic }},
		{name: "PARTITION", value: func(r committedRow) string { return strconv.Itoa(int(r.Partition)) }, number: true},
		{name: "OFFSET", value: func(r committedRow) string { return strconv.FormatInt(r.Offset, 10) }, number: true},
		{name: "METADATA", value: func(r committedRow) string { return r.Metadata }},
	})
}

// printCSV prints offsets as Kafka's own tool exports them. A topic's name has no character that would need quotes.
func (a *app) printCSV(rows []committedRow) error {
	for _, r := range rows {
		if _, err := fmt.Fprintf(a.out, "%s,%d,%d\n", r.Topic, r.Partition, r.Offset); err != nil {
			return err
		}
	}
	return nil
}

// deleteOffsets shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func (a *app) deleteOffsets(ctx context.Context, s *server, name string, rows []committedRow, d danger) error {
	var lines []string
	topics := kadm.TopicsSet{}
	for _, r := range rows {
		topics.Add(r.Topic, r.Partition)
		lines = append(lines, fmt.Sprintf("delete offset %d of %s-%d in group %q", r.Offset, r.Topic, r.Partition, name))
	}
	switch {
	case len(rows) == 0:
		return &Error{What: fmt.Sprintf("delete offsets of group %q", name), Where: s.where, Exit: NotFound,
			Err: fmt.Errorf("the group has no committed offset there"), Hint: "`ottla group offsets " + name + "` shows those that it has"}
	case d.dryRun:
		return a.planned(lines, &failures{})
	}
	if err := a.confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	responses, err := s.admin.DeleteOffsets(ctx, name, topics)
	if err != nil {
		return s.failed(fmt.Sprintf("delete offsets of group %q", name), err)
	}
	f := &failures{}
	var done []outcome
	for _, r := range rows {
		id := fmt.Sprintf("%s-%d", r.Topic, r.Partition)
		err, ok := responses.Lookup(r.Topic, r.Partition)
		if !ok {
			err = errNotMentioned
		}
		if err != nil {
			f.add(s.failed(fmt.Sprintf("delete offset of %s in group %q", id, name), err))
			continue
		}
		done = append(done, outcome{Name: id, Result: "deleted"})
	}
	f.done = len(done)
	if err := a.printOutcomes("OffsetDeleteResult", "offsets", done); err != nil {
		return err
	}
	return f.or()
}
