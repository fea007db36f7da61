package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ottla/ottla/internal/cli/command"
)

// quietly runs a command line in a world without a terminal and without a server.
func quietly(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	w := &command.World{
		In: strings.NewReader(""), Out: &out, Err: &problems, Interruptible: context.WithCancel,
		Getenv: func(name string) string { return map[string]string{"OTTLA_BOOTSTRAP_SERVER": "127.0.0.1:1"}[name] },
	}
	code = Run(t.Context(), w, args)
	return code, out.String(), problems.String()
}

// TestEveryCommand walks the tree: what holds of one command holds of all.
func TestEveryCommand(t *testing.T) {
	seen := map[string]bool{}
	eachCommand(t, func(a *command.App, c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		t.Run(strings.Join(path, "_"), func(t *testing.T) {
			checkWords(t, c)
			checkFlags(t, c)
			checkHelp(t, c, path)
			if a.Schema(c) != nil {
				checkSchema(t, path)
			}
		})
		seen[strings.Join(path, " ")] = true
	})
	for _, must := range []string{"topic create", "produce", "consume", "group describe", "cluster info", "profile current", "diag listeners", "explain", "docs man"} {
		if !seen[must] {
			t.Errorf("there is no ottla %s", must)
		}
	}
}

// checkWords: each command says in half a sentence what it does, with a capital and without a full stop.
func checkWords(t *testing.T, c *cobra.Command) {
	if c.Short == "" || c.Short[0] < 'A' || c.Short[0] > 'Z' || strings.HasSuffix(c.Short, ".") {
		t.Errorf("short help %q: want half a sentence", c.Short)
	}
	if isCobras(c) {
		return
	}
	for line := range strings.Lines(c.Long) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 130 {
			t.Errorf("a line of the help has %d characters: %q", n, line)
		}
	}
	if strings.Contains(c.Use, " ") && !strings.Contains(c.Use, " [flags]") && c.ValidArgsFunction == nil && c.ValidArgs == nil && !takesFiles(c) {
		t.Errorf("%q takes arguments and does not complete them", c.Use)
	}
}

// takesFiles reports whether the arguments are files, which the shell completes.
func takesFiles(c *cobra.Command) bool {
	return strings.Contains(c.Use, "FILE") || strings.Contains(c.Use, "DIR")
}

// isCobras reports whether the command is the library's own: the completion scripts.
func isCobras(c *cobra.Command) bool {
	return c.HasParent() && c.Parent().Name() == "completion"
}

// checkFlags: each flag says what it is for; what asks can be told not to, and shows what it would do.
func checkFlags(t *testing.T, c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Usage == "" || strings.HasSuffix(f.Usage, ".") || strings.ToLower(f.Name) != f.Name {
			t.Errorf("--%s: %q: want half a sentence", f.Name, f.Usage)
		}
		if word, _ := pflag.UnquoteUsage(f); strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
			t.Errorf("--%s %s: the help is laid out by bytes, and this has more of them than columns", f.Name, word)
		}
	})
	yes, dry := c.Flags().Lookup("yes"), c.Flags().Lookup("dry-run")
	if yes != nil && dry == nil {
		t.Error("it has --yes and no --dry-run")
	}
	destroys := []string{"delete", "trim", "seek"}
	if slices.Contains(destroys, c.Name()) && yes == nil {
		t.Errorf("%s destroys and has no --yes", c.Name())
	}
}

// checkHelp: --help goes to standard output, ends with 0, and shows how the command is used.
func checkHelp(t *testing.T, c *cobra.Command, path []string) {
	code, stdout, stderr := quietly(t, append(slices.Clone(path), "--help")...)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") || !strings.Contains(stdout, c.CommandPath()) || strings.Contains(stdout, "[])") {
		t.Errorf("--help ends with %d: %s%s", code, stdout, stderr)
	}
	code, _, stderr = quietly(t, append(slices.Clone(path), "--no-such-flag")...)
	if code != int(command.Usage) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a wrong flag ends with %d: %s", code, stderr)
	}
}

// checkSchema: -o schema needs no arguments and no server, and is JSON.
func checkSchema(t *testing.T, path []string) {
	code, stdout, stderr := quietly(t, append(slices.Clone(path), "-o", "schema")...)
	if code != 0 || stderr != "" || !json.Valid([]byte(stdout)) {
		t.Errorf("-o schema ends with %d: %.200s%s", code, stdout, stderr)
	}
	if code, _, stderr := quietly(t, append(slices.Clone(path), "-o", "no-such-shape")...); code != int(command.Usage) {
		t.Errorf("a wrong shape ends with %d: %s", code, stderr)
	}
}

// Every word that leads nowhere is told as such, with exit code 2, wherever in the tree it stands.
func TestEveryParent(t *testing.T) {
	a := command.NewApp(&command.World{Getenv: func(string) string { return "" }, Out: io.Discard})
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if !c.HasSubCommands() || c.Hidden || c.Name() == "completion" || c.Name() == "help" {
			return
		}
		path := strings.Fields(c.CommandPath())[1:]
		if code, stdout, _ := quietly(t, path...); code != 0 || stdout == "" {
			t.Errorf("%s alone ends with %d and prints %q", c.CommandPath(), code, stdout)
		}
		if code, _, stderr := quietly(t, append(slices.Clone(path), "no-such-word")...); code != int(command.Usage) || !strings.Contains(stderr, "no-such-word") {
			t.Errorf("%s no-such-word ends with %d: %s", c.CommandPath(), code, stderr)
		}
	}
	walk(root(a, nil))
}
