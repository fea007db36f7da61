package cli_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/cli"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/launch"
)

// run runs the whole binary's command line, the commands that run a server included.
func run(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	var out, problems bytes.Buffer
	w := &command.World{
		In: strings.NewReader(""), Out: &out, Err: &problems, Getenv: func(string) string { return "" }, Now: time.Now,
		Interruptible: context.WithCancel,
	}
	if code := cli.Run(t.Context(), w, args, launch.Commands(w, time.Now())...); code != int(command.OK) {
		t.Fatalf("%q: exit code %d: %s", args, code, problems.String())
	}
	return out.String()
}

// TestManualIsFresh holds docs/cli to the tree of commands; -rewrite writes it anew.
func TestManualIsFresh(t *testing.T) {
	const kept = "../../docs/cli"
	if flag.Lookup("rewrite").Value.String() == "true" {
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		run(t, "docs", "markdown", kept)
	}
	dir := t.TempDir()
	run(t, "docs", "markdown", dir)
	for path, text := range files(t, dir) {
		if files(t, kept)[path] != text {
			t.Errorf("docs/cli/%s is stale: go test ./internal/cli -run Manual -rewrite", path)
		}
	}
	for path := range files(t, kept) {
		if _, there := files(t, dir)[path]; !there {
			t.Errorf("docs/cli/%s is of no command", path)
		}
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(p)] = string(text)
	}
	return all
}

// Every line of a man page that begins with a dot is a request that the formatter knows.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	run(t, "docs", "man", dir)
	pages := files(t, dir)
	for name, text := range pages {
		if !strings.HasPrefix(text, ".TH OTTLA") || !strings.Contains(text, "\n.SH SYNOPSIS\n") {
			t.Errorf("%s begins with %.60q", name, text)
		}
		for line := range strings.Lines(text) {
			request, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if strings.HasPrefix(request, ".") && !strings.Contains(" .TH .SH .PP .TP .B .BR .nf .fi ", " "+request+" ") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	create := pages["ottla-topic-create.1"]
	for _, want := range []string{`.B \-p, \-\-partitions int32`, `.BR ottla\-topic (1)`, `ottla topic create orders \-p 6`} {
		if !strings.Contains(create, want) {
			t.Errorf("ottla-topic-create.1 has no %q:\n%s", want, create)
		}
	}
}
