package manual

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ottla/ottla/internal/cli/command"
)

// Command is `ottla docs`.
func Command(a *command.App) *cobra.Command {
	return command.Parent(&cobra.Command{Use: "docs", Short: "Write the manual of the command line: man pages or Markdown"},
		writer(a, "man", "Write a man page of each command into a directory", manPages),
		writer(a, "markdown", "Write a page of each noun into a directory", markdownPages))
}

// page is a file of the manual.
type page struct{ name, text string }

func writer(a *command.App, name, short string, pages func(*cobra.Command) []page) *cobra.Command {
	return &cobra.Command{
		Use: name + " DIR", Short: short, Args: command.Args(1, 1, "a DIR"),
		Example: "  ottla docs " + name + " build/" + name,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return &command.Error{What: "docs " + name, Err: err}
			}
			all := pages(c.Root())
			for _, p := range all {
				if err := os.WriteFile(filepath.Join(args[0], p.name), []byte(p.text), 0o644); err != nil {
					return &command.Error{What: "docs " + name, Err: err}
				}
			}
			a.Notice("wrote %s to %s", command.Count(int64(len(all)), "page"), args[0])
			return nil
		},
	}
}

// shared are the flags that so many commands have that a page tells of them once.
var shared = []string{"bootstrap-server", "request-timeout", "config-set", "command-config", "profile", "output", "color", "help"}

// flagsOf are the flags of a command that are not shared, sorted; or those of the shared that it has.
func flagsOf(c *cobra.Command, wantShared bool) []*pflag.Flag {
	var all []*pflag.Flag
	seen := map[string]bool{}
	visit := func(f *pflag.Flag) {
		if !f.Hidden && !seen[f.Name] && slices.Contains(shared, f.Name) == wantShared {
			seen[f.Name] = true
			all = append(all, f)
		}
	}
	c.LocalFlags().VisitAll(visit)
	c.InheritedFlags().VisitAll(visit)
	slices.SortFunc(all, func(x, y *pflag.Flag) int { return strings.Compare(x.Name, y.Name) })
	return all
}

// flagText is a flag with its argument, and what it is for with its default.
func flagText(f *pflag.Flag) (name, usage string) {
	argument, usage := pflag.UnquoteUsage(f)
	name = "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if argument != "" {
		name += " " + argument
	}
	if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" && d != "0s" {
		usage += " (default " + d + ")"
	}
	return name, usage
}

// below are the commands under c that people see.
func below(c *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(c.Commands()), func(sub *cobra.Command) bool {
		return !sub.IsAvailableCommand() || sub.Name() == "help"
	})
}

// about is what a command says of itself at length.
func about(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}
