package groups

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/cli/command"
)

func groupDelete(a *command.App) *cobra.Command {
	var names groupNames
	var ifExists bool
	d := command.Danger{}
	cmd := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete groups and their committed offsets",
		Long: "Delete groups without members and their committed offsets. There is no way back: the command shows what would go\n" +
			"and asks first. `ottla group offsets --csv` keeps the offsets in a file.",
		ValidArgsFunction: completeGroups(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.MayAsk(d); err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				named, err := names.find(ctx, s, args)
				if err != nil {
					return err
				}
				found, f := emptyGroups(ctx, s, named)
				if ifExists {
					f.Errs = command.DropNotFound(f.Errs)
				}
				if len(found) == 0 {
					return f.Or()
				}
				return deleteGroups(cmd.Context(), a, s, found, f, d)
			})
		},
	}
	names.flags(cmd)
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "succeed when the group is not there")
	d.Flags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[command.Outcome]("GroupDeleteResult", "groups"))
}

// doomed is a group that is to be deleted, and what goes with it.
type doomed struct {
	name    string
	offsets int
}

// emptyGroups finds the groups that have no members; the others come back as failures.
func emptyGroups(ctx context.Context, s *command.Server, names []string) ([]doomed, *command.Failures) {
	var found []doomed
	f := &command.Failures{}
	for _, name := range names {
		what := fmt.Sprintf("delete group %q", name)
		d, err := lookAtGroup(ctx, s, name)
		switch {
		case err != nil:
			f.Add(s.Failed(what, err))
			continue
		case d == nil:
			f.Add(missingGroup(ctx, s, what, name))
			continue
		case d.active():
			f.Add(s.Failed(what, d.inUse()))
			continue
		}
		committed, err := committed(ctx, s, name)
		if err != nil {
			f.Add(s.Failed(what, err))
			continue
		}
		found = append(found, doomed{name, len(committed)})
	}
	f.Done = len(found)
	return found, f
}

// inUse is the failure to change a group that has members.
func (d *groupDescription) inUse() error {
	return command.Answered(kerr.NonEmptyGroup, fmt.Sprintf("the group is %s, with %s", d.State, command.Count(int64(len(d.Members)), "member")))
}

// deleteGroups shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func deleteGroups(ctx context.Context, a *command.App, s *command.Server, found []doomed, f *command.Failures, d command.Danger) error {
	var lines, names []string
	for _, g := range found {
		names = append(names, g.name)
		lines = append(lines, fmt.Sprintf("delete group %q: committed offsets of %s", g.name, command.Count(int64(g.offsets), "partition")))
	}
	if d.DryRun {
		return a.Planned(lines, f)
	}
	if err := a.Confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	responses, err := s.Admin.DeleteGroups(ctx, names...)
	if err != nil && len(responses) == 0 {
		return s.Failed("delete group "+command.Quoted(names), err)
	}
	var done []command.Outcome
	for _, name := range names {
		r, ok := responses[name]
		if !ok {
			r.Err = command.ErrNotMentioned
		}
		if r.Err != nil {
			f.Add(s.Failed(fmt.Sprintf("delete group %q", name), r.Err))
			continue
		}
		done = append(done, command.Outcome{Name: name, Result: "deleted"})
	}
	f.Done = len(done)
	if err := a.PrintOutcomes("GroupDeleteResult", "groups", done); err != nil {
		return err
	}
	return f.Or()
}
