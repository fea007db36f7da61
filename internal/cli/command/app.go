package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// App is what the commands of one process share: the world and the flags that they have in common.
type App struct {
	World  *World
	Out    *output
	Output Shape
	Color  OneOf

	Quiet bool

	connection

	screen screen

	printed map[*cobra.Command][]Document // what commands print
	running *cobra.Command
}

// NewApp returns an App with the defaults of all shared flags.
func NewApp(w *World) *App {
	a := &App{
		World:   w,
		Out:     &output{w: w.Out},
		Output:  newShape(),
		printed: map[*cobra.Command][]Document{},
		Color:   Choice("auto", "always", "never"),
	}
	if w.OutTTY && w.ErrTTY {
		a.Out.w = over{screen: &a.screen, to: w.Out, output: true}
	}
	return a
}

// Interruptible returns a context that ends when the user presses Ctrl-C, when the process is asked to stop, or when nobody reads what
// it prints: one that waits for something to print would not see that by itself. Call stop when done.
func (a *App) Interruptible(ctx context.Context) (_ context.Context, stop func()) {
	ctx, restore := a.World.Interruptible(ctx)
	if a.World.Unread == nil {
		return ctx, restore
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		a.World.Unread()
		a.Out.unread.Store(true)
		cancel()
	}()
	return ctx, func() { cancel(); restore() }
}

// Parent makes cmd one that only has commands beneath it: without a word it prints its help, with a wrong one it says so.
func Parent(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
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
		e.Hint = cmp.Or(turned(c, args), DidYouMean(args[0], known), c.CommandPath()+" --help says what it takes")
		return e
	}
	cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return cmd
}

// Args checks the number of arguments; max < 0 stands for any number. what names them for the message.
func Args(least, most int, what string) cobra.PositionalArgs {
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

// FlagError turns what pflag says into an error of ours, with the flag that may have been meant. Of a word that is no command before it,
// the flag is none of the fault.
func FlagError(c *cobra.Command, err error) error {
	if c.HasSubCommands() && c.Flags().NArg() > 0 {
		if wrong := c.ValidateArgs(c.Flags().Args()); wrong != nil {
			return wrong
		}
	}
	e := &Error{Err: err, Exit: Usage}
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		cause := wrong.Unwrap()
		var number *strconv.NumError
		if errors.As(cause, &number) {
			cause = fmt.Errorf("want a whole number that fits")
			if wrong.GetFlag().Value.Type() == "float64" {
				cause = fmt.Errorf("want a number that fits")
			}
		}
		e.Err = fmt.Errorf("--%s %q: %w", wrong.GetFlag().Name, wrong.GetValue(), cause)
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if name := unknown.GetSpecifiedName(); len(name) > 1 {
			var known []string
			c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
			slices.Sort(known)
			if habit, ok := habits[c.Name()+" --"+name]; ok {
				e.Hint = habit
			} else if hint := DidYouMean(name, known); hint != "" {
				e.Hint = strings.NewReplacer("did you mean ", "did you mean --", " or ", " or --").Replace(hint)
			}
		}
	}
	return e
}

// Colours reports whether to colour what goes to an end that is a terminal or is not.
func (a *App) Colours(tty bool) bool {
	switch a.Color.Value {
	case "always":
		return true
	case "never":
		return false
	}
	if a.World.Getenv("NO_COLOR") != "" {
		return false
	}
	if f := a.World.Getenv("CLICOLOR_FORCE"); f != "" && f != "0" {
		return true
	}
	return tty && a.World.Getenv("TERM") != "dumb"
}

// Notice writes a line for the person at the keyboard, unless --quiet.
func (a *App) Notice(format string, args ...any) {
	if a.Quiet {
		return
	}
	fmt.Fprintf(a.Tell(), format+"\n", args...)
}
