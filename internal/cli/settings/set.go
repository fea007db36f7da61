package settings

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// change is one thing to be done to a key.
type change struct {
	Resource string  `json:"resource"`
	Key      string  `json:"key"`
	Before   *string `json:"before"`
	After    *string `json:"after"`
	Result   string  `json:"result"` // set, unset, would be set, …

	op    kmsg.IncrementalAlterConfigOp
	value *string
}

// parseChanges reads KEY=VALUE, and KEY+=ITEM and KEY-=ITEM for lists.
func parseChanges(args []string) ([]change, error) {
	seen := map[string]bool{}
	var all []change
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		c := change{Key: key, value: &value, op: kmsg.IncrementalAlterConfigOpSet}
		if k, more := strings.CutSuffix(key, "+"); more {
			c.Key, c.op = k, kmsg.IncrementalAlterConfigOpAppend
		} else if k, less := strings.CutSuffix(key, "-"); less {
			c.Key, c.op = k, kmsg.IncrementalAlterConfigOpSubtract
		}
		switch {
		case !ok || c.Key == "":
			return nil, command.Usagef("%q: want KEY=VALUE, or KEY+=ITEM or KEY-=ITEM for a list", arg)
		case seen[c.Key]:
			return nil, command.Usagef("%s is given twice", c.Key)
		}
		seen[c.Key] = true
		all = append(all, c)
	}
	return all, nil
}

func (f form) set(a *command.App) *cobra.Command {
	cmd := f.changing(a, &cobra.Command{
		Use:   "set " + f.Resource + " KEY=VALUE...",
		Short: "Set keys; others stay as they are",
		Long:  "Set keys; others stay as they are. KEY+=ITEM adds to a list, KEY-=ITEM takes from it.",
		Example: f.example("set "+f.orders()+" retention.ms=86400000 cleanup.policy+=compact",
			"set "+f.orders()+" retention.ms=1000 --dry-run"),
		Args: command.Args(2, -1, "a "+f.Resource+" and KEY=VALUE"),
	}, parseChanges)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		names, directive := f.complete(a)(cmd, args, prefix)
		if len(args) > 0 {
			for i := range names {
				names[i] += "="
			}
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return names, directive
	}
	return cmd
}

func (f form) unset(a *command.App) *cobra.Command {
	return f.changing(a, &cobra.Command{
		Use:   "unset " + f.Resource + " KEY...",
		Short: "Take keys away, so that the default counts again",
		Args:  command.Args(2, -1, "a "+f.Resource+" and a KEY"),
	}, func(keys []string) ([]change, error) {
		var all []change
		for _, k := range keys {
			if strings.Contains(k, "=") {
				return nil, command.Usagef("%q: want a KEY alone", k)
			}
			all = append(all, change{Key: k, op: kmsg.IncrementalAlterConfigOpDelete})
		}
		return all, nil
	})
}

// changing completes a command that changes keys.
func (f form) changing(a *command.App, cmd *cobra.Command, read func([]string) ([]change, error)) *cobra.Command {
	var dryRun bool
	cmd.ValidArgsFunction = f.complete(a)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "have the server check everything and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := f.read(args[0])
		if err != nil {
			return err
		}
		changes, err := read(args[1:])
		if err != nil {
			return err
		}
		return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
			if err := prepare(ctx, s, r, changes, dryRun); err != nil {
				return err
			}
			if err := alter(ctx, s, r, changes, dryRun); err != nil {
				return err
			}
			return command.List(a, "ConfigChangeList", "changes", changes, changeColumns)
		})
	}
	return a.Prints(cmd, command.ListOf[change]("ConfigChangeList", "changes"))
}

// prepare finds out what every key is now, and what it will be. A key that the resource does not have is refused here, with those that may
// have been meant; brokers may have keys that they do not tell of.
func prepare(ctx context.Context, s *command.Server, r resource, changes []change, dryRun bool) error {
	now, err := describe(ctx, s, r, nil)
	if err != nil {
		return err
	}
	known := map[string]Entry{}
	for _, e := range now {
		known[e.Key] = e
	}
	for i := range changes {
		c := &changes[i]
		e, ok := known[c.Key]
		if !ok && r.kind != kmsg.ConfigResourceTypeBroker {
			return missing(s, r, now, c.Key)
		}
		c.Resource, c.Before = r.String(), e.Value
		c.After, c.Result = c.value, "set"
		switch c.op {
		case kmsg.IncrementalAlterConfigOpDelete:
			c.After, c.Result = e.Default, "unset"
		case kmsg.IncrementalAlterConfigOpAppend:
			c.After = with(e.Value, *c.value)
		case kmsg.IncrementalAlterConfigOpSubtract:
			c.After = without(e.Value, *c.value)
		}
		if dryRun {
			c.Result = "would be " + c.Result
		}
	}
	return nil
}

// with is a list and one item more.
func with(list *string, item string) *string {
	if list == nil || *list == "" {
		return &item
	}
	for one := range strings.SplitSeq(*list, ",") {
		if one == item {
			return list
		}
	}
	s := *list + "," + item
	return &s
}

// without is a list without an item.
func without(list *string, item string) *string {
	if list == nil {
		return nil
	}
	var left []string
	for one := range strings.SplitSeq(*list, ",") {
		if one != item {
			left = append(left, one)
		}
	}
	s := strings.Join(left, ",")
	return &s
}

// alter has the server do the changes, all or none.
func alter(ctx context.Context, s *command.Server, r resource, changes []change, dryRun bool) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.ValidateOnly = dryRun
	one := kmsg.NewIncrementalAlterConfigsRequestResource()
	one.ResourceType, one.ResourceName = r.kind, r.name
	for _, c := range changes {
		k := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		k.Name, k.Op, k.Value = c.Key, c.op, c.value
		one.Configs = append(one.Configs, k)
	}
	req.Resources = append(req.Resources, one)
	what := fmt.Sprintf("change settings of %s", r)
	resp, err := req.RequestWith(ctx, s.Client)
	switch {
	case err != nil:
		return s.Failed(what, err)
	case len(resp.Resources) != 1:
		return s.Failed(what, command.ErrNotMentioned)
	}
	if err := kerr.ErrorForCode(resp.Resources[0].ErrorCode); err != nil {
		said := ""
		if m := resp.Resources[0].ErrorMessage; m != nil {
			said = *m
		}
		var keys []string
		for _, c := range changes {
			keys = append(keys, c.Key)
		}
		return s.ConfigFailed(what, command.Answered(err, said), keys)
	}
	return nil
}

var changeColumns = []command.Column[change]{
	{Name: "KEY", Value: func(c change) string { return c.Key }},
	{Name: "RESULT", Value: func(c change) string { return c.Result }},
	{Name: "BEFORE", Value: func(c change) string { return text(c.Before, false) }},
	{Name: "AFTER", Value: func(c change) string {
		if c.After == nil && c.op == kmsg.IncrementalAlterConfigOpDelete {
			return "(default)" // the server did not say what that is
		}
		return text(c.After, false)
	}},
}
