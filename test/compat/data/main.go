package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	kind := flag.String("peer", "ottla", "the server: ottla or kafka")
	addr := flag.String("addr", "", "talk to this running server instead of starting one")
	names := flag.String("sets", "all", "all, or names of data sets separated by commas")
	flag.Parse()
	failed, err := run(ctx, peer.Kind(*kind), *addr, *names)
	if err != nil {
		fmt.Fprintln(os.Stderr, "data:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// run installs what is needed, starts a server unless one is given, and passes every set through it.
func run(ctx context.Context, kind peer.Kind, addr, names string) (failed int, err error) {
	chosen, err := choose(names)
	if err != nil {
		return 0, err
	}
	tools, err := install(ctx)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "ottla-data-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if addr == "" {
		p, err := peer.Start(ctx, kind, peer.Options{Dir: filepath.Join(dir, "server"), Binary: tools.ottla})
		if err != nil {
			return 0, err
		}
		defer func() { _ = p.Kill() }()
		addr = p.Addr()
	}
	fmt.Printf("server on %s\n", addr)
	passed := 0
	for _, s := range chosen {
		outcomes, err := passage{set: s, tools: tools, addr: addr, dir: dir}.run(ctx)
		if err != nil {
			return failed, fmt.Errorf("%s: %w", s.file, err)
		}
		for _, o := range outcomes {
			if o.err != nil {
				failed++
				fmt.Printf("FAILED  %s, %s: %v\n", s.file, o.way, o.err)
				continue
			}
			passed++
			fmt.Printf("ok      %s, %s: %d records, %d bytes in %s\n", s.file, o.way, o.rows, o.bytes, o.took.Round(time.Millisecond))
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	return failed, nil
}

func choose(names string) ([]set, error) {
	if names == "all" {
		return sets, nil
	}
	var chosen []set
	for n := range strings.SplitSeq(names, ",") {
		s, ok := find(n)
		if !ok {
			return nil, fmt.Errorf("-sets: there is no %q", n)
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}
