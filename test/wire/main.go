// Command wire compares two nodes at the wire: it starts both in fresh
// directories, plays the same script of requests against each and prints every
// field in which their answers differ.
//
//	go run ./test/wire -a kafka -b ottla
//	go run ./test/wire -a kafka -record test/wire/script/testdata/kafka-4.4.0
//	go run ./test/wire -a recording -b addr:127.0.0.1:9092,127.0.0.1:9093 -only 19_
//
// The last lines are "equal N of M" and the time. Exit code 1 means that
// something differs which docs/deviations.md does not list; 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"github.com/ottla/ottla/test/wire/script"
)

// flags are the command's arguments.
type flags struct {
	a, b, record, only, deviations, dir string
	port                                int
	seed                                uint64
}

func main() {
	var f flags
	flag.StringVar(&f.a, "a", "recording", "first node: kafka, ottla, recording, or addr:BROKER[,CONTROLLER]")
	flag.StringVar(&f.b, "b", "", "second node, as -a; none only records")
	flag.StringVar(&f.record, "record", "", "write the first node's answers into this directory")
	flag.StringVar(&f.only, "only", "", "play only APIs whose name matches this pattern, such as ^19_")
	flag.StringVar(&f.deviations, "deviations", "docs/deviations.md", "table of accepted differences")
	flag.StringVar(&f.dir, "dir", "", "where nodes keep their data (default: a temporary directory)")
	flag.IntVar(&f.port, "port", 23010, "first of four ports on 127.0.0.1 for the nodes")
	flag.Uint64Var(&f.seed, "seed", 0, "seed of the random requests, if not that of the recording: for -only random and two live nodes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx, f)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}

// run plays, records and compares; ok is false when something unlisted differs.
func run(ctx context.Context, f flags) (ok bool, err error) {
	start := time.Now()
	o := script.Options{Seed: f.seed, Progress: func(api string) { fmt.Fprintf(os.Stderr, "%s ", api) }}
	if f.only != "" {
		if o.Only, err = regexp.Compile(f.only); err != nil {
			return false, err
		}
	}
	if f.dir == "" {
		if f.dir, err = os.MkdirTemp("", "wire-"); err != nil {
			return false, err
		}
		defer os.RemoveAll(f.dir)
	}
	a, err := transcript(ctx, f.a, filepath.Join(f.dir, "a"), f.port, o)
	if err != nil {
		return false, err
	}
	if f.record != "" {
		if err := a.WriteDir(f.record); err != nil {
			return false, err
		}
	}
	if f.b == "" {
		fmt.Printf("recorded %d answers in %s\n", len(a), time.Since(start).Round(time.Second))
		return true, nil
	}
	b, err := transcript(ctx, f.b, filepath.Join(f.dir, "b"), f.port+2, o)
	if err != nil {
		return false, err
	}
	var listed script.Deviations
	if text, err := os.ReadFile(f.deviations); err == nil {
		if listed, err = script.ParseDeviations(string(text)); err != nil {
			return false, fmt.Errorf("%s: %w", f.deviations, err)
		}
	}
	res := script.Compare(a, b, listed)
	res.Write(os.Stdout)
	fmt.Println("took", time.Since(start).Round(time.Second))
	return res.OK(), nil
}

// transcript plays the script against a named node, or reads the recording.
func transcript(ctx context.Context, name, dir string, port int, o script.Options) (script.Transcript, error) {
	if name == "recording" {
		return script.Recording(o)
	}
	at, stop, err := startNode(ctx, name, dir, port)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	t, err := script.Play(ctx, at, o)
	fmt.Fprintf(os.Stderr, "\n%s: %d requests in %s\n", name, len(t), time.Since(start).Round(time.Millisecond))
	return t, errors.Join(err, stop())
}
