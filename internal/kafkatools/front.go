package kafkatools

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// joptTool is what every tool in the style of jopt-simple begins with.
type joptTool struct {
	*jopt.Parser
	*connection
	help, version *jopt.Option
}

// newJoptTool returns a parser with the options that all tools have. The old names are those of [connects].
func newJoptTool(oldConfig, oldProperty []string) joptTool {
	p := jopt.NewParser()
	return joptTool{
		Parser:     p,
		connection: connects(p, oldConfig, oldProperty),
		help:       p.Accepts("help", "Print usage information.").ForHelp(),
		version:    p.Accepts("version", "Display Kafka version.").ForHelp(),
	}
}

// asked answers a command line that asks for help (or says nothing at all) or for the version. about is what the help
// begins with. It reports false when the tool has to go on.
func (t *joptTool) asked(w *World, args []string, s *jopt.Set, about string) (exit int, done bool) {
	switch {
	case len(args) == 0 || s.Has(t.help):
		return w.usage(t.Parser, about), true
	case s.Has(t.version):
		w.println(w.Compat)
		return 0, true
	}
	return 0, false
}

// open is [open] with the settings of a command line.
func (t *joptTool) open(s *jopt.Set) (*client, error) {
	all, err := t.settings(s)
	if err != nil {
		return nil, err
	}
	return open(all)
}

// parseCommand reads the arguments of a tool in the style of argparse4j. It reports false when that was all: help and the
// version are written to stdout, what is wrong to stderr.
func (w *World) parseCommand(c *jopt.Command, args []string) (f *jopt.Found, exit int, goOn bool) {
	f, err := c.Parse(args)
	var help jopt.HelpAsked
	var usage *jopt.UsageError
	switch {
	case err == nil:
		return f, 0, true
	case errors.As(err, &help):
		w.printf("%s", string(help))
		return nil, 0, false
	case errors.Is(err, jopt.VersionAsked{}):
		w.println(w.Compat)
		return nil, 0, false
	case errors.As(err, &usage):
		w.errorln(usage.Usage + usage.Program + ": error: " + usage.Message)
		return nil, 1, false
	}
	fmt.Fprintln(w.Err, err)
	return nil, 1, false
}

// optionName is the name of an option without dashes.
func optionName(o *jopt.Option) string { return strings.Trim(o.String(), "[]") }
