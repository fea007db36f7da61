// Command bench measures Ottla beside Apache Kafka, or beside another revision of itself, in one interleaved run.
//
//	go run ./test/bench -rows 1,5,11 -peer kafka        # rows of the scorecard
//	go run ./test/bench -rows produce -peer ottla@HEAD~1 # what a step of the hot path has changed
//	go run ./test/bench -quick                           # an answer in five minutes
//	go run ./test/bench -list                            # the rows
//	go run ./test/bench -from test/bench/results -write docs/benchmarks.md
//
// It starts both sides itself, on loopback, with equal settings; docs/testing.md says what it takes care of.
package main

//go:generate go run . -from results -write ../../docs/benchmarks.md

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ottla/ottla/test/bench/bare"
)

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if o.serve != "" {
		err = bare.Listen(o.serve, o.serveAddress, o.serveDir)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // the first signal ends the run in order, the second at once
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
