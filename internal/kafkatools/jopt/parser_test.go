package jopt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// Each scenario gives a command line, one word a line, and shows what was understood.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var args []string
			if d.Input != "" {
				args = strings.Split(d.Input, "\n")
			}
			switch d.Cmd {
			case "parse":
				return parsed(args)
			case "checks":
				return checked(args)
			case "command":
				return commanded(args)
			case "help":
				p, _ := sample()
				return p.Help()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// sample is a parser with an option of each kind.
func sample() (*Parser, map[string]*Option) {
	p := NewParser()
	all := map[string]*Option{
		"list":    p.Accepts("list", "List all available topics."),
		"topic":   p.Accepts("topic", "The topic.").Arg("String: topic"),
		"count":   p.Accepts("count", "How many.").Arg("Integer: count").Default("3"),
		"types":   p.Accepts("types", "Which of them, a list whose words are separated by commas and of which there can be a great many.").Arg("String").SeparatedBy(","),
		"state":   p.Accepts("state", "Show the state.").MaybeArg("String"),
		"quick":   p.AcceptsAll([]string{"q", "quick"}, "Quickly."),
		"verbose": p.AcceptsAll([]string{"v", "verbose"}, "Say more."),
		"to":      p.AcceptsAll([]string{"t"}, "Where to.").Arg("String: where"),
		"help":    p.Accepts("help", "Print usage information.").ForHelp(),
	}
	return p, all
}

func parsed(args []string) string {
	p, all := sample()
	s, err := p.Parse(args)
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, name := range slices.Sorted(mapsKeys(all)) {
		o := all[name]
		if !s.Has(o) && s.Values(o) == nil {
			continue
		}
		fmt.Fprintf(&out, "%s has=%v values=%q\n", o, s.Has(o), s.Values(o))
		if _, err := s.Value(o); err != nil {
			fmt.Fprintf(&out, "  value: %v\n", err)
		}
	}
	if _, err := s.Int(all["count"], 32); err != nil {
		fmt.Fprintf(&out, "count: %v\n", err)
	}
	if s.Rest != nil {
		fmt.Fprintf(&out, "rest %q\n", s.Rest)
	}
	return out.String()
}

func mapsKeys(m map[string]*Option) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func checked(args []string) string {
	p, o := sample()
	p.Accepts("must", "Needed.").Arg("String").Required()
	s, err := p.Parse(args)
	if err != nil {
		return err.Error()
	}
	for _, err := range []error{
		s.CheckOneOf(o["list"], o["topic"]),
		s.CheckRequired(o["count"]),
		s.CheckInvalid(o["list"], o["state"], o["quick"]),
		s.CheckInvalidSet([]*Option{o["list"], o["count"]}, []*Option{o["types"]}, " here"),
	} {
		if err != nil {
			return err.Error()
		}
	}
	return "ok"
}

func commanded(args []string) string {
	c := NewCommand("kafka-x", "This tool does x.")
	server := c.Option("Where.", "--bootstrap-server", "-b")
	controller := c.Option("Where else.", "--bootstrap-controller")
	c.Exclusive(true, server, controller)
	c.Flag("The version.", "--version").Version()
	describe := c.Sub("describe", "Show it.")
	status := describe.Flag("In short.", "--status")
	remove := c.Sub("remove", "Take it away.")
	id := remove.Option("Which.", "--id", "-i").Int().Required()
	names := remove.Option("Names.", "--names").Many()
	kind := remove.Option("The kind.", "--kind").Choices("hot", "cold").Default("hot")
	f, err := c.Parse(args)
	var help HelpAsked
	var usage *UsageError
	switch {
	case errors.As(err, &help):
		return string(help)
	case errors.As(err, &usage):
		return usage.Usage + usage.Program + ": " + usage.Message
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%s server=%q controller=%q status=%v id=%d names=%q kind=%q", f.Sub, f.Value(server), f.Value(controller),
		f.Has(status), f.Int(id), f.Values(names), f.Value(kind))
}
