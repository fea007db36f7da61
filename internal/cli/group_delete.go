package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
)

func (a *app) groupDelete() *cobra.Command {
	var names groupNames
	var ifExists bool
	d := danger{}
	cmd := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete groups and their committed offsets",
		Long: "Delete groups without members and their committed offsets. There is no way back: the command shows what would go\n" +
			"and asks first. `ottla group offsets --csv` keeps the offsets in a file.",
		ValidArgsFunction: a.completeGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.mayAsk(d); err != nil {
				return err
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				named, err := names.find(ctx, s, args)
				if err != nil {
					return err
				}
				found, f := s.emptyGroups(ctx, named)
				if ifExists {
					f.errs = dropNotFound(f.errs)
				}
				if len(found) == 0 {
					return f.or()
				}
				return a.deleteGroups(cmd.Context(), s, found, f, d)
			})
		},
	}
	names.flags(cmd)
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "succeed when the group is not there")
	d.flags(cmd.Flags())
	return cmd
}

// doomed is a group that is to be deleted, and what goes with it.
type doomed struct {
	name    string
	offsets int
}

// emptyGroups finds the groups that have no members; the others come back as failures.
func (s *server) emptyGroups(ctx context.Context, names []string) ([]doomed, *failures) {
	var found []doomed
	f := &failures{}
	for _, name := range names {
		what := fmt.Sprintf("delete group %q", name)
		d, err := s.lookAtGroup(ctx, name)
		switch {
		case err != nil:
			f.add(s.failed(what, err))
			continue
		case d == nil:
			f.add(s.missingGroup(ctx, what, name))
			continue
		case d.active():
			f.add(s.failed(what, d.inUse()))
			continue
		}
		committed, err := s.committed(ctx, name)
		if err != nil {
			f.add(s.failed(what, err))
			continue
		}
		found = append(found, doomed{name, len(committed)})
	}
	f.done = len(found)
	return found, f
}

// inUse is the failure to change a group that has members.
func (d *groupDescription) inUse() error {
	return answered(kerr.NonEmptyGroup, fmt.Sprintf("the group is %s, with %s", d.State, count(int64(len(d.Members)), "member")))
}

// deleteGroups shows the plan, asks, and deletes. It has a deadline of its own: the question may have taken long.
func (a *app) deleteGroups(ctx context.Context, s *server, found []doomed, f *failures, d danger) error {
	var lines, names []string
	for _, g := range found {
		names = append(names, g.name)
		lines = append(lines, fmt.Sprintf("delete group %q: committed offsets of %s", g.name, count(int64(g.offsets), "partition")))
	}
	if d.dryRun {
		return a.planned(lines, f)
	}
	if err := a.confirm(d, lines); err != nil {
		return err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	responses, err := s.admin.DeleteGroups(ctx, names...)
	if err != nil && len(responses) == 0 {
		return s.failed("delete group "+quoted(names), err)
	}
	var done []outcome
	for _, name := range names {
		r, ok := responses[name]
		if !ok {
			r.Err = errNotMentioned
		}
		if r.Err != nil {
			f.add(s.failed(fmt.Sprintf("delete group %q", name), r.Err))
			continue
		}
		done = append(done, outcome{Name: name, Result: "deleted"})
	}
	f.done = len(done)
	if err := a.printOutcomes("GroupDeleteResult", "groups", done); err != nil {
		return err
	}
	return f.or()
}
