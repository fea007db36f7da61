package topics

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

func topicAlter(a *command.App) *cobra.Command {
	var partitions int
	d := command.Danger{Does: "can't be undone, and moves keys to other partitions"}
	cmd := &cobra.Command{
		Use:   "alter NAME...",
		Short: "Give topics more partitions",
		Long: "Give topics more partitions. A topic can't have fewer again, and a key's records go to another partition than before:\n" +
			"the command shows what would be done and asks first. `ottla topic config set` changes settings.",
		Example:           "  ottla topic alter orders -p 12",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			if partitions < 1 {
				return command.Usagef("-p must be given, and be 1 or more")
			}
			if err := a.MayAsk(d); err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				found, f, err := s.NamedTopics(ctx, "alter", names)
				if err != nil {
					return err
				}
				return alter(cmd.Context(), a, s, found, f, d, partitions)
			})
		},
	}
	cmd.Flags().IntVarP(&partitions, "partitions", "p", 0, "how many partitions there are to be")
	d.Flags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[command.Outcome]("TopicAlterResult", "topics"))
}

// alter shows the plan, asks, and adds partitions. It has a deadline of its own: the question may have taken long.
func alter(ctx context.Context, a *command.App, s *command.Server, found []command.Topic, f *command.Failures, d command.Danger, partitions int) error {
	var done []command.Outcome
	var lines []string
	var more []command.Topic
	for _, t := range found {
		was := len(t.Partitions)
		switch {
		case was == partitions:
			done = append(done, command.Outcome{Name: t.Name, Result: "unchanged", Partitions: was, Replication: t.Replication()})
			continue
		case was > partitions:
			f.Add(&command.Error{What: fmt.Sprintf("alter topic %q", t.Name), Where: s.Where, Err: fmt.Errorf("it has %s, and none can be taken away",
				command.Count(int64(was), "partition")), Hint: "`ottla topic clone` makes another topic, whose number of partitions is free"})
			continue
		}
		more = append(more, t)
		lines = append(lines, fmt.Sprintf("alter topic %q: %d to %s", t.Name, was, command.Count(int64(partitions), "partition")))
	}
	f.Done = len(done)
	if d.DryRun {
		return a.Planned(lines, f)
	}
	if len(more) > 0 {
		if err := a.Confirm(d, lines); err != nil {
			return err
		}
		altered, err := addPartitions(ctx, a, s, f, partitions, more)
		if err != nil {
			return err
		}
		done = append(done, altered...)
	}
	if err := a.PrintOutcomes("TopicAlterResult", "topics", done, sizes...); err != nil {
		return err
	}
	return f.Or()
}

func addPartitions(ctx context.Context, a *command.App, s *command.Server, f *command.Failures, partitions int, found []command.Topic) ([]command.Outcome, error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	var names []string
	for _, t := range found {
		names = append(names, t.Name)
	}
	responses, err := s.Admin.UpdatePartitions(ctx, partitions, names...)
	if err != nil {
		return nil, s.Failed("alter topic "+command.Quoted(names), err)
	}
	var done []command.Outcome
	names = nil
	for _, t := range found {
		r, ok := responses[t.Name]
		if !ok {
			r.Err = command.ErrNotMentioned
		}
		if r.Err != nil {
			f.Add(s.Failed(fmt.Sprintf("alter topic %q", t.Name), command.Answered(r.Err, r.ErrMessage)))
			continue
		}
		names = append(names, t.Name)
		done = append(done, command.Outcome{Name: t.Name, Result: "altered", Partitions: partitions, Replication: t.Replication()})
	}
	f.Done += len(done)
	s.Settle(ctx, names...)
	return done, nil
}
