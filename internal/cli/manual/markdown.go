package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const generated = "<!-- Generated from the tree of commands: go test ./internal/cli -run Manual -rewrite -->\n\n"

// markdownPages are a page for each command below root, with those below it, and an index.
func markdownPages(root *cobra.Command) []page {
	var index strings.Builder
	index.WriteString(generated + "# Reference of the command line\n\n[The first hour](../cli.md) is the place to begin.\n\n| command | |\n|---|---|\n")
	var all []page
	for _, c := range below(root) {
		name := c.Name() + ".md"
		fmt.Fprintf(&index, "| [`ottla %s`](%s) | %s |\n", c.Name(), name, cell(c.Short))
		var b strings.Builder
		b.WriteString(generated)
		section(&b, c, 1)
		all = append(all, page{name, b.String()})
	}
	index.WriteString("\n## Flags that many commands share\n\n")
	flagTable(&index, flagsOf(sharedOf(root), true))
	return append(all, page{"README.md", index.String()})
}

// sharedOf finds a command that has all the shared flags.
func sharedOf(c *cobra.Command) *cobra.Command {
	best := c
	for _, sub := range below(c) {
		if found := sharedOf(sub); len(flagsOf(found, true)) > len(flagsOf(best, true)) {
			best = found
		}
	}
	return best
}

// section tells of a command and all below it, with headings from level on.
func section(b *strings.Builder, c *cobra.Command, level int) {
	fmt.Fprintf(b, "%s %s\n\n", strings.Repeat("#", level), c.CommandPath())
	b.WriteString(prose(about(c)))
	subs := below(c)
	if len(subs) == 0 {
		fmt.Fprintf(b, "    %s\n\n", c.UseLine())
	}
	if c.Example != "" {
		for line := range strings.Lines(c.Example) {
			b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
		b.WriteString("\n")
	}
	if len(subs) == 0 {
		flagTable(b, flagsOf(c, false))
		if len(flagsOf(c, true)) > 2 {
			b.WriteString("And [those that many commands share](README.md#flags-that-many-commands-share).\n\n")
		}
	}
	for _, sub := range subs {
		section(b, sub, min(level+1, 4))
	}
}

// flagTable lists flags.
func flagTable(b *strings.Builder, flags []*pflag.Flag) {
	if len(flags) == 0 {
		return
	}
	b.WriteString("| flag | |\n|---|---|\n")
	for _, f := range flags {
		name, usage := flagText(f)
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(name, "|", `\|`), cell(usage))
	}
	b.WriteString("\n")
}

// prose is a help text whose characters mean nothing to Markdown.
func prose(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`).Replace(strings.TrimSpace(text)) + "\n\n"
}

func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(s) }
