package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/clusters"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/diag"
	"github.com/ottla/ottla/internal/cli/explain"
	"github.com/ottla/ottla/internal/cli/files"
	"github.com/ottla/ottla/internal/cli/groups"
	"github.com/ottla/ottla/internal/cli/load"
	"github.com/ottla/ottla/internal/cli/manual"
	"github.com/ottla/ottla/internal/cli/meta"
	"github.com/ottla/ottla/internal/cli/profiles"
	"github.com/ottla/ottla/internal/cli/records"
	"github.com/ottla/ottla/internal/cli/settings"
	"github.com/ottla/ottla/internal/cli/top"
	"github.com/ottla/ottla/internal/cli/topics"
)

// root is the tree of commands. Those that run a server are given as extra; they stand first in the help.
func root(a *command.App, extra []*cobra.Command) *cobra.Command {
	root := command.Parent(&cobra.Command{
		Use:   "ottla",
		Short: "Kafka's system in one binary",
		Long: "Ottla is Kafka's system in one binary: the server and the tools for it.\n\n" +
			"The tools speak Kafka's protocol, so they work with any Kafka. They look for a server at 127.0.0.1:9092,\n" +
			"at the addresses in OTTLA_BOOTSTRAP_SERVER, in a profile (`ottla profile`), or at those given with -b.\n\n" +
			"Apache Kafka's own tools are here as well: ottla kafka-topics, ottla kafka-configs and so on; ottla link-compat DIR\n" +
			"makes links of their names.",
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.World.In)
	root.SetOut(a.Out)
	root.SetErr(a.World.Err)
	root.PersistentFlags().Var(&a.Color, "color", "colour the output: on a terminal only, always or never (NO_COLOR and CLICOLOR_FORCE count too)")
	root.SetFlagErrorFunc(command.FlagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	for _, g := range groupsOf(a, extra) {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, c := range g.commands {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
	root.SetHelpCommand(helpCommand())
	root.SetCompletionCommandGroupID(helpTitle)
	root.AddCommand(topics.Plural(a), groups.Plural(a))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			command.Parent(c) // a shell that it does not know is a mistake, not a question for help
		}
	}
	a.ServerFlags(root.Flags())
	asked := root.Flags().Bool("version", false, "print the version of this binary")
	help := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if *asked {
			return printVersion(a)
		}
		if err := help(c, args); err != nil {
			return err
		}
		return firstSteps(c.Context(), a)
	}
	a.Finish(root)
	return root
}

// helpCommand is `ottla help`, which knows what it does not know.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command", GroupID: helpTitle,
		ValidArgsFunction: func(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if about, left, err := c.Root().Find(args); err == nil && len(left) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), prefix) {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			about, left, err := c.Root().Find(args)
			if err == nil && len(left) > 0 && about.HasSubCommands() {
				err = about.ValidateArgs(left)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// helpTitle is the title of the commands that tell about the others.
const helpTitle = "Help"

// group is the commands that stand together in the help.
type group struct {
	title    string
	commands []*cobra.Command
}

// groupsOf are the commands in the order in which somebody needs them.
func groupsOf(a *command.App, extra []*cobra.Command) []group {
	all := []group{
		{"Records, topics and groups", []*cobra.Command{
			topics.Command(a), records.ProduceCommand(a), records.ConsumeCommand(a), records.Command(a), groups.Command(a),
			clusters.Command(a), settings.Command(a), top.Command(a), load.Command(a),
		}},
		{"Servers, and what is wrong with them", []*cobra.Command{profiles.Command(a), diag.Command(a)}},
		{"Files", []*cobra.Command{files.Command(a), meta.Command(a)}},
		{helpTitle, []*cobra.Command{explain.Command(a), explain.CheatCommand(a), manual.Command(a), versionCommand(a)}},
	}
	if len(extra) > 0 {
		all = append([]group{{"Server", extra}}, all...)
	}
	return all
}

// Run runs the command line args (without the name of the program) and returns the exit code. It writes errors itself.
//
// Commands that run a server are given as extra; they stand first in the help. One reports a failure by returning an
// error: a [*command.Error] for exit codes and hints of its own, any other for [command.Failed].
func Run(ctx context.Context, w *command.World, args []string, extra ...*cobra.Command) int {
	a := command.NewApp(w)
	root := root(a, extra)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if ferr := a.Out.Flush(); err == nil {
		err = ferr
	}
	switch {
	case err == nil, errors.Is(a.Out.Err(), syscall.EPIPE):
		return int(command.OK)
	}
	var e *command.Error
	if errors.As(err, &e) && e.Exit == command.Usage && e.Hint == "" {
		e.Hint = fmt.Sprintf("%s --help says what it takes", cmd.CommandPath())
	}
	label := "ottla: "
	if a.Colours(w.ErrTTY) {
		label = "\x1b[31mottla:\x1b[0m "
	}
	return int(command.Report(a.Tell(), err, wantsJSON(args), label))
}

// wantsJSON looks for -o json in the bare arguments: they may be what is wrong, and then no flag has a value yet.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "-o", "--output":
			if i+1 < len(args) && strings.HasPrefix(args[i+1], "json") {
				return true
			}
		}
		for _, p := range []string{"-ojson", "-o=json", "--output=json"} {
			if strings.HasPrefix(arg, p) {
				return true
			}
		}
	}
	return false
}
