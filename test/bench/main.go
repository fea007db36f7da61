// Command bench measures one node: speed and memory, one line a figure, each by a command that anybody can repeat.
//
//	go run ./test/bench                # all rows against a node of this checkout
//	go run ./test/bench -rows start,one -seconds 5
//	go run ./test/bench -peer HOST:PORT -pid PID   # the rows that need no restart, against a node that runs already
//	go run ./test/bench -peer HOST:PORT -pid PID -logs DIR -rows compact   # its log directory says when it has compacted
//
// CPU seconds are the node's own, user and system, from the kernel's account of its process; they are to be trusted on
// a noisy machine where wall-clock figures are not. Fill the page cache first (-fill), or writing pays for fresh memory.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// row is one measurement.
type row struct {
	name string
	what string
	run  func(*bench) (string, error)
	own  bool // needs a node that it can stop
}

var rows = []row{
	{"start", "start to first acknowledged produce, existing directory", startClean, true},
	{"crash", "the same right after kill -9 under load", startAfterKill, true},
	{"idle", "resident memory and CPU of an idle node", idle, false},
	{"topics", "resident memory after 1,000 topics", thousandTopics, true},
	{"produce256", "CPU per GiB produced in batches of 256 KiB", func(b *bench) (string, error) { return produceRow(b, 256<<10) }, false},
	{"produce16", "CPU per GiB produced in batches of 16 KiB", func(b *bench) (string, error) { return produceRow(b, 16<<10) }, false},
	{"fetch", "CPU per GiB fetched, hot", fetchRow, false},
	{"one", "CPU per request of one record of 100 bytes, 200 connections", oneRecord, false},
	{"commits", "CPU per commit of one offset, 200 connections and groups", commits, false},
	{"groups", "what 1,000 classic groups of one member cost at rest", thousandGroups, false},
	{"join", "500 members join a classic group of 1,000 partitions, until all are stable", joinClassic, false},
	{"join848", "the same with KIP-848", joinConsumer, false},
	{"compact", "compaction of a million random keys, 190-byte values, lz4", compact, false},
	{"latency", "end to end at 5,000 records a second of 1 KiB, open loop", latency, false},
}

type bench struct {
	binary  string
	seconds time.Duration
	dir     string
	logs    string // the node's log directory
	node    *node
}

func main() {
	names := flag.String("rows", "", "rows to run, separated by commas; all by default")
	seconds := flag.Int("seconds", 10, "length of a timed row")
	peer := flag.String("peer", "", "address of a node that runs already")
	pid := flag.Int("pid", 0, "its process id")
	logs := flag.String("logs", "", "its log directory, for the row compact")
	fill := flag.Bool("fill", false, "fill the page cache first")
	flag.Parse()
	if err := run(*names, time.Duration(*seconds)*time.Second, *peer, *pid, *logs, *fill); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(names string, length time.Duration, peer string, pid int, logs string, fill bool) error {
	dir, err := os.MkdirTemp("", "ottla-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{seconds: length, dir: dir, logs: logs}
	if fill {
		if err := fillPageCache(dir); err != nil {
			return err
		}
	}
	if peer != "" {
		if err := loopback(peer); err != nil {
			return err
		}
		b.node = &node{address: peer, pid: pid}
	} else if b.binary, err = build(dir); err != nil {
		return err
	}
	defer b.stop()
	for _, r := range rows {
		if names != "" && !slices.Contains(strings.Split(names, ","), r.name) {
			continue
		}
		if peer != "" && r.own {
			fmt.Printf("%-11s %s: not run, it needs a node of its own\n", r.name, r.what)
			continue
		}
		result, err := r.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Printf("%-11s %s: %s\n", r.name, r.what, result)
	}
	return nil
}
