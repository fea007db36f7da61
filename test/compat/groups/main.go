package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
)

// options are the command line.
type options struct {
	peer     peer.Kind
	clients  []string
	modes    []string
	parallel int
	nodes    int
	keep     bool
	verbose  bool
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var o options
	kind := flag.String("peer", "ottla", "the server: ottla or kafka")
	names := flag.String("clients", "all", "all, or names separated by commas")
	modes := flag.String("modes", "all", "all, or modes separated by commas: "+strings.Join(allModes, ", "))
	flag.IntVar(&o.nodes, "nodes", 1, "of the cluster that each run has; a restart is of one after another")
	flag.IntVar(&o.parallel, "parallel", 4, "runs at once; each has a server of its own")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder of a run that failed")
	flag.BoolVar(&o.verbose, "v", false, "print what the members say")
	flag.Parse()
	o.peer, o.clients, o.modes = peer.Kind(*kind), list(*names), list(*modes)
	failed, err := runAll(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "groups:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// list cuts a flag; nil stands for all.
func list(s string) []string {
	if s == "all" {
		return nil
	}
	return strings.Split(s, ",")
}

func chosen(names []string, name string) bool { return names == nil || slices.Contains(names, name) }

// plan lists the runs, and the modes that a client lacks.
func plan(o options) (runs []run, lacking []string) {
	for _, c := range clients.All {
		if !chosen(o.clients, c.Name) {
			continue
		}
		for _, mode := range allModes {
			switch can := slices.Contains(modesOf[c.Name], mode); {
			case !chosen(o.modes, mode):
			case can:
				runs = append(runs, run{client: c, mode: mode, nodes: o.nodes, verbose: o.verbose})
			default:
				lacking = append(lacking, c.Name+" "+mode)
			}
		}
	}
	return runs, lacking
}

// runAll does all runs, a few at once, and prints a line for each.
func runAll(ctx context.Context, o options) (failed int, err error) {
	began := time.Now()
	runs, lacking := plan(o)
	if len(runs) == 0 {
		return 0, fmt.Errorf("no run for these -clients and -modes")
	}
	install, err := clients.NewInstaller()
	if err != nil {
		return 0, err
	}
	for _, r := range runs {
		if err := r.client.Install(ctx, install); err != nil {
			return 0, fmt.Errorf("install %s (%s): %w", r.client.Name, r.client.What, err)
		}
	}
	dir, err := os.MkdirTemp("", "ottla-groups-")
	if err != nil {
		return 0, err
	}
	binary := ""
	if o.peer == peer.Ottla {
		if binary, err = peer.BuildOttla(ctx); err != nil {
			return 0, err
		}
	}
	var mu sync.Mutex // guards failed and the output
	var group sync.WaitGroup
	slots := make(chan struct{}, max(1, o.parallel))
	for i, r := range runs {
		slots <- struct{}{}
		r.install, r.dir = install, filepath.Join(dir, fmt.Sprintf("%02d-%s-%s", i, r.client.Name, r.mode))
		group.Go(func() {
			defer func() { <-slots }()
			report, err := r.do(ctx, o.peer, binary)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				fmt.Printf("FAIL  %-17s %-12s %v\n", r.client.Name, r.mode, err)
				return
			}
			fmt.Printf("ok    %-17s %-12s %s\n", r.client.Name, r.mode, report)
		})
	}
	group.Wait()
	if failed == 0 || !o.keep {
		defer os.RemoveAll(dir)
	} else {
		fmt.Println("kept", dir)
	}
	for _, l := range lacking {
		fmt.Println("skip ", l+": the library does not have it")
	}
	fmt.Printf("%d passed, %d failed, %d skipped; took %s\n", len(runs)-failed, failed, len(lacking), time.Since(began).Round(time.Second))
	return failed, nil
}
