package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) topicDelete() *cobra.Command {
	var ifExists bool
	var d danger
	cmd := &cobra.Command{
		Use:               "delete NAME...",
		Short:             "Delete topics and all their records",
		Long:              "Delete topics and all their records. There is no way back: the command shows what would go and asks first.",
		Args:              want(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.completeTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := a.mayAsk(d); err != nil {
				return err
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				found, f, err := s.namedTopics(ctx, "delete", names)
				if err != nil {
					return err
				}
				if ifExists {
					f.errs = dropNotFound(f.errs)
				}
				if len(found) == 0 {
					return f.or()
				}
				return a.deleteTopics(cmd.Context(), s, found, f, d)
			})
		},
	}
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "succeed when the topic is not there")
	d.flags(cmd.Flags())
	return cmd
}

func dropNotFound(errs []error) []error {
	var left []error
	for _, err := range errs {
		if codeOf(err) != NotFound {
			left = append(left, err)
		}
	}
	return left
}

// deleteTopics shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func (a *app) deleteTopics(ctx context.Context, s *server, found []topic, f *failures, d danger) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	plan, err := s.describe(ctx, found)
	if err != nil {
		return err
	}
	var lines, names []string
	for _, t := range plan {
		names = append(names, t.Name)
		lines = append(lines, fmt.Sprintf("delete topic %q: %s, %s", t.Name, count(int64(len(t.Partitions)), "partition"), count(t.offsets(), "record")))
	}
	if d.dryRun {
		return a.planned(lines, f)
	}
	if err := a.confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel = a.bounded(context.WithoutCancel(ctx))
	defer cancel()
	responses, err := s.admin.DeleteTopics(ctx, names...)
	if err != nil {
		return s.failed("delete topic "+quoted(names), err)
	}
	var done []outcome
	for _, name := range names {
		r, ok := responses[name]
		if !ok {
			r.Err = errNotMentioned
		}
		if r.Err != nil {
			f.add(s.failed(fmt.Sprintf("delete topic %q", name), answered(r.Err, r.ErrMessage)))
			continue
		}
		done = append(done, outcome{Name: name, Result: "deleted"})
	}
	f.done = len(done)
	if err := a.printOutcomes("TopicDeleteResult", "topics", done); err != nil {
		return err
	}
	return f.or()
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

// planned reports a dry run: what would have been done, on standard output.
func (a *app) planned(lines []string, f *failures) error {
	for _, l := range lines {
		if a.output.value != "table" {
			break
		}
		fmt.Fprintln(a.out, "would "+l)
	}
	if a.output.value != "table" {
		if err := a.object("Plan", map[string][]string{"steps": lines}); err != nil {
			return err
		}
	}
	return f.or()
}
