package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is what the commands of one process share: the world and the flags that they have in common.
type app struct {
	world  *World
	out    *output
	output oneOf
	color  oneOf

	servers        []string
	requestTimeout timeoutFlag
	quiet          bool
}

func newApp(w *World) *app {
	return &app{
		world:          w,
		out:            &output{w: w.Out},
		output:         oneOf{"table", []string{"table", "json", "jsonl"}},
		color:          oneOf{"auto", []string{"auto", "always", "never"}},
		requestTimeout: timeoutFlag(defaultRequestTimeout),
	}
}

// root is the tree of commands. Those that run a server are given as extra; they stand first in the help.
func (a *app) root(extra []*cobra.Command) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "ottla",
		Short: "Kafka's system in one binary",
		Long: "Ottla is Kafka's system in one binary: the server and the tools for it.\n\n" +
			"The tools speak Kafka's protocol, so they work with any Kafka. They look for a server at 127.0.0.1:9092,\n" +
			"at the addresses in OTTLA_BOOTSTRAP_SERVER, or at those given with -b.",
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.world.In)
	root.SetOut(a.out)
	root.SetErr(a.world.Err)
	root.PersistentFlags().Var(&a.color, "color", "colour the output: on a terminal only, always or never (NO_COLOR and CLICOLOR_FORCE count too)")
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(&cobra.Group{ID: "server", Title: "Server:"}, &cobra.Group{ID: "client", Title: "Records, topics and groups:"},
		&cobra.Group{ID: "offline", Title: "Files:"})
	for _, c := range extra {
		c.GroupID = "server"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{a.topicCommand(), a.produceCommand(), a.consumeCommand(), a.groupCommand(), a.clusterCommand()} {
		c.GroupID = "client"
		root.AddCommand(c)
	}
	printVersion := root.Flags().Bool("version", false, "print the version of this binary")
	help := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if *printVersion {
			return a.printVersion()
		}
		return help(c, args)
	}
	files := a.logCommand()
	files.GroupID = "offline"
	root.AddCommand(files, a.versionCommand(), a.topicsAlias(), a.groupsAlias())
	return root
}

// Run runs the command line args (without the name of the program) and returns the exit code. It writes errors itself.
//
// Commands that run a server are given as extra; they stand first in the help. One reports a failure by returning an
// error: an [*Error] for exit codes and hints of its own, any other for [Failed].
func Run(ctx context.Context, w *World, args []string, extra ...*cobra.Command) int {
	a := newApp(w)
	root := a.root(extra)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if ferr := a.out.flush(); err == nil {
		err = ferr
	}
	switch {
	case err == nil, errors.Is(a.out.err, syscall.EPIPE):
		return int(OK)
	}
	var e *Error
	if errors.As(err, &e) && e.Exit == Usage && e.Hint == "" {
		e.Hint = fmt.Sprintf("%s --help says what it takes", cmd.CommandPath())
	}
	label := "ottla: "
	if a.colours(w.ErrTTY) {
		label = "\x1b[31mottla:\x1b[0m "
	}
	return int(report(w.Err, err, wantsJSON(args), label))
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

// group makes cmd one that only has commands beneath it: without a word it prints its help, with a wrong one it says so.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(below...)
	cmd.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		e := Usagef("%s has no command %q", c.CommandPath(), args[0])
		var known []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				known = append(known, sub.Name())
			}
		}
		e.Hint = didYouMean(args[0], known)
		return e
	}
	cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return cmd
}

// want checks the number of arguments; max < 0 stands for any number. what names them for the message.
func want(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usagef("%s needs %s", c.CommandPath(), what)
		case most >= 0 && len(args) > most:
			return Usagef("%s takes %s and no more: %q is left over", c.CommandPath(), what, args[most])
		}
		return nil
	}
}

// flagError turns what pflag says into an error of ours, with the flag that may have been meant.
func flagError(c *cobra.Command, err error) error {
	e := &Error{Err: err, Exit: Usage}
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		cause := wrong.Unwrap()
		var number *strconv.NumError
		if errors.As(cause, &number) {
			cause = fmt.Errorf("want a whole number that fits")
		}
		e.Err = fmt.Errorf("--%s %q: %w", wrong.GetFlag().Name, wrong.GetValue(), cause)
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if name := unknown.GetSpecifiedName(); len(name) > 1 {
			var known []string
			c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
			slices.Sort(known)
			if hint := didYouMean(name, known); hint != "" {
				e.Hint = strings.NewReplacer("did you mean ", "did you mean --", " or ", " or --").Replace(hint)
			}
		}
	}
	return e
}

// colours reports whether to colour what goes to an end that is a terminal or is not.
func (a *app) colours(tty bool) bool {
	switch a.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	if a.world.Getenv("NO_COLOR") != "" {
		return false
	}
	if f := a.world.Getenv("CLICOLOR_FORCE"); f != "" && f != "0" {
		return true
	}
	return tty && a.world.Getenv("TERM") != "dumb"
}

// notice writes a line for the person at the keyboard, unless --quiet.
func (a *app) notice(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.world.Err, format+"\n", args...)
	}
}
