package topics

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

func topicDelete(a *command.App) *cobra.Command {
	var ifExists bool
	var d command.Danger
	cmd := &cobra.Command{
		Use:               "delete NAME...",
		Short:             "Delete topics and all their records",
		Long:              "Delete topics and all their records. There is no way back: the command shows what would go and asks first.",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := a.MayAsk(d); err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				found, f, err := s.NamedTopics(ctx, "delete", names)
				if err != nil {
					return err
				}
				if ifExists {
					f.Errs = command.DropNotFound(f.Errs)
				}
				if len(found) == 0 {
					return f.Or()
				}
				return deleteTopics(cmd.Context(), a, s, found, f, d)
			})
		},
	}
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "succeed when the topic is not there")
	d.Flags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[command.Outcome]("TopicDeleteResult", "topics"))
}

// deleteTopics shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func deleteTopics(ctx context.Context, a *command.App, s *command.Server, found []command.Topic, f *command.Failures, d command.Danger) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	plan, err := describeTopics(ctx, s, found)
	if err != nil {
		return err
	}
	var lines, names []string
	for _, t := range plan {
		names = append(names, t.Name)
		lines = append(lines, fmt.Sprintf("delete topic %q: %s, %s", t.Name, command.Count(int64(len(t.Partitions)), "partition"), command.Count(t.offsets(), "record")))
	}
	if d.DryRun {
		return a.Planned(lines, f)
	}
	if err := a.Confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel = a.Bounded(context.WithoutCancel(ctx))
	defer cancel()
	responses, err := s.Admin.DeleteTopics(ctx, names...)
	if err != nil {
		return s.Undecided("delete topic "+command.Quoted(names), err)
	}
	var done []command.Outcome
	for _, name := range names {
		r, ok := responses[name]
		if !ok {
			r.Err = command.ErrNotMentioned
		}
		if r.Err != nil {
			f.Add(s.Failed(fmt.Sprintf("delete topic %q", name), command.Answered(r.Err, r.ErrMessage)))
			continue
		}
		done = append(done, command.Outcome{Name: name, Result: "deleted"})
	}
	f.Done = len(done)
	if err := a.PrintOutcomes("TopicDeleteResult", "topics", done); err != nil {
		return err
	}
	return f.Or()
}

// offsets counts the offsets between the start and the end of all partitions: about the number of records.
func (d description) offsets() int64 {
	var n int64
	for _, p := range d.Partitions {
		if p.Start != nil && p.End != nil {
			n += *p.End - *p.Start
		}
	}
	return n
}
