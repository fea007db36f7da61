package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// options are the command line.
type options struct {
	only []string
	dir  string
	keep bool
	seed uint64
	// record makes the directories of the hermetic tests anew, and nothing else.
	record bool
}

// part is one part of the suite.
type part struct {
	name string
	run  func(context.Context, *suite) error
}

var parts = []part{
	{"turns", func(ctx context.Context, s *suite) error {
		return errors.Join(s.turns(ctx, plan{first: peer.Ottla, stages: 7}), s.turns(ctx, plan{first: peer.Kafka, stages: 3}))
	}},
	{"old", func(ctx context.Context, s *suite) error { // of the oldest release whose directories are read
		return s.turns(ctx, plan{first: peer.Kafka, stages: 3, release: "3.3"})
	}},
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "directories:", err)
		os.Exit(2)
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "directories:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	f := flag.NewFlagSet("directories", flag.ContinueOnError)
	only := f.String("only", "", "parts separated by commas (default: all)")
	var o options
	f.StringVar(&o.dir, "dir", "", "work in this folder (default: a new one under the system's)")
	f.BoolVar(&o.keep, "keep", false, "keep the folder")
	f.BoolVar(&o.record, "record", false, "make the directories in "+goldenDir+" anew, and nothing else")
	f.Uint64Var(&o.seed, "seed", 1, "of the records")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return o, fmt.Errorf("-only %q: there is no such part", name)
		}
	}
	return o, nil
}

// suite is one run of the program.
type suite struct {
	o      options
	root   string // of the repository
	dir    string
	checks int // that passed
	bad    []string
}

// failf notes something that is wrong; the run goes on.
func (s *suite) failf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.bad = append(s.bad, text)
	fmt.Println("  FAILED:", text)
}

// expect notes what is wrong, or that nothing is.
func (s *suite) expect(where string, bad []string) {
	if len(bad) == 0 {
		s.checks++
		return
	}
	const most = 8
	for _, b := range bad[:min(most, len(bad))] {
		s.failf("%s: %s", where, b)
	}
	if len(bad) > most {
		s.failf("%s: … and %d more", where, len(bad)-most)
	}
}

func run(ctx context.Context, o options) error {
	began := time.Now()
	s := &suite{o: o, dir: o.dir}
	if s.dir == "" {
		var err error
		if s.dir, err = os.MkdirTemp("", "ottla-directories-"); err != nil {
			return err
		}
	}
	var err error
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	if s.root, err = peer.RepositoryRoot(); err != nil {
		return err
	}
	if o.record {
		return s.record(ctx)
	}
	for _, p := range parts {
		if len(o.only) > 0 && !slices.Contains(o.only, p.name) {
			continue
		}
		at := time.Now()
		if err := p.run(ctx, s); err != nil {
			s.failf("%s: %v", p.name, err)
		}
		fmt.Printf("%s took %s\n", p.name, time.Since(at).Round(100*time.Millisecond))
	}
	if o.keep || len(s.bad) > 0 && o.dir == "" {
		fmt.Println("kept in", s.dir)
	} else if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	fmt.Printf("%d checks passed, %d failed, in %s\n", s.checks, len(s.bad), time.Since(began).Round(time.Second))
	if len(s.bad) > 0 {
		return errors.New("something is wrong: see above")
	}
	return nil
}
