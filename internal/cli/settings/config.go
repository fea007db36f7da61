package settings

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/explain"
)

// Command is `ottla config`.
func Command(a *command.App) *cobra.Command {
	f := form{Resource: "RESOURCE", read: parseResource}
	cmd := command.Parent(&cobra.Command{
		Use:   "config",
		Short: "Show, change, compare and explain settings",
		Long: "Show, change and compare the settings of topics, brokers, groups, client metrics and loggers. A RESOURCE is one of\n\n" +
			"  topic/NAME  broker/ID  brokers (what all brokers share)  group/NAME  client-metrics/NAME  logger/ID",
	}, f.get(a), f.set(a), f.unset(a), diff(a), explain.Command(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

// TopicCommand is `ottla topic config`: the same for the topic that is named.
func TopicCommand(a *command.App) *cobra.Command {
	f := form{Resource: "NAME", read: func(s string) (resource, error) { return parseResource("topic/" + s) }, topics: true}
	return command.Parent(&cobra.Command{Use: "config", Short: "Show and change the settings of a topic"}, f.get(a), f.set(a), f.unset(a))
}

// form is how the resource is written on the command line.
type form struct {
	Resource string
	read     func(string) (resource, error)
	topics   bool
}

func (f form) complete(a *command.App) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	if !f.topics {
		return complete(a, true)
	}
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return a.CompleteTopics(cmd, args, prefix)
		}
		return completeKeys(a, cmd, append([]string{"topic/" + args[0]}, args[1:]...), prefix)
	}
}

// example words an example in the form.
func (f form) example(lines ...string) string {
	var s string
	for i, l := range lines {
		if i > 0 {
			s += "\n"
		}
		if f.topics {
			s += "  ottla topic config " + l
			continue
		}
		s += "  ottla config " + l
	}
	return s
}

func (f form) orders() string {
	if f.topics {
		return "orders"
	}
	return "topic/orders"
}

func (f form) get(a *command.App) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:               "get " + f.Resource + " [KEY...]",
		Short:             "Show settings: those that are set, or these keys, or all",
		Example:           f.example("get "+f.orders(), "get "+f.orders()+" retention.ms", "get "+f.orders()+" --all"),
		Args:              command.Args(1, -1, "a "+f.Resource+" and keys"),
		ValidArgsFunction: f.complete(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.read(args[0])
			if err != nil {
				return err
			}
			if all && len(args) > 1 {
				return command.Usagef("--all and keys exclude each other")
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				rows, err := describe(ctx, s, r, nil)
				if err != nil {
					return err
				}
				failures := &command.Failures{}
				switch {
				case len(args) > 1:
					rows, failures = wanted(s, r, rows, args[1:])
				case !all:
					rows = slices.DeleteFunc(rows, func(e Entry) bool { return !e.own })
				}
				if len(rows) > 0 || len(failures.Errs) == 0 {
					if err := command.List(a, "ConfigList", "settings", rows, entryColumns); err != nil {
						return err
					}
				}
				return failures.Or()
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the defaults too")
	return a.Prints(cmd, command.ListOf[Entry]("ConfigList", "settings"))
}
