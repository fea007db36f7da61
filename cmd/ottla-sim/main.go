// Command ottla-sim runs simulated clusters, one for each seed, and says which of them went wrong and how to see that again.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/sim"
)

func main() {
	var o options
	flag.Uint64Var(&o.seeds, "seeds", 100, "how many seeds to run")
	flag.Uint64Var(&o.from, "from", 0, "the first of them")
	flag.Int64Var(&o.seed, "seed", -1, "run this seed alone, and print its trace")
	flag.BoolVar(&o.twice, "twice", false, "run each seed twice and compare the traces")
	flag.BoolVar(&o.quiet, "quiet", false, "print the verdict alone, no trace")
	flag.StringVar(&o.planted, "planted", "", "look for this bug, or for all, which a build with the tag planted has on purpose; -seeds is how many it may take")
	flag.Parse()
	debug.SetGCPercent(400) // worlds are small and short
	if o.planted != "" && !hunt(o) || o.planted == "" && !run(o) {
		os.Exit(1)
	}
}

type options struct {
	seeds, from  uint64
	seed         int64
	twice, quiet bool
	planted      string
}

func run(o options) bool {
	if o.seed >= 0 {
		return one(uint64(o.seed), o.quiet)
	}
	start := time.Now()
	all := many(o)
	sometimes, wrong, acknowledged := map[string]int{}, 0, 0
	for _, r := range all {
		for what := range r.Sometimes {
			sometimes[what]++
		}
		acknowledged += r.Acknowledged
		if r.Err != nil {
			wrong++
			fmt.Printf("seed %d: %v\n  drew %s\n  again: go run ./cmd/ottla-sim -seed %d\n", r.Seed, r.Err, r.Plan, r.Seed)
		}
	}
	took := time.Since(start)
	fmt.Printf("%d seeds, %d wrong, %d records acknowledged, %.0f seeds a minute\n", len(all), wrong, acknowledged, float64(len(all))/took.Minutes())
	for _, what := range slices.Sorted(maps.Keys(sometimes)) {
		fmt.Printf("  %5d  %s\n", sometimes[what], what)
	}
	if len(all) < enough {
		return wrong == 0
	}
	for _, what := range sim.Rare() {
		if sometimes[what] == 0 {
			fmt.Printf("in none of the runs: %s\n", what)
			wrong++
		}
	}
	return wrong == 0
}

// enough is how many runs must have seen everything that is rare.
const enough = 300

// hunt says for each planted bug which seed finds it. One that none finds is a fault of the simulator.
func hunt(o options) bool {
	names := []string{o.planted}
	if o.planted == "all" {
		names = planted.Names()
	}
	if !planted.Enabled {
		fmt.Println("there are no bugs in this build: go run -tags planted ./cmd/ottla-sim -planted all")
		return false
	}
	found := 0
	for _, name := range names {
		planted.Plant(name)
		if o.seed >= 0 {
			return one(uint64(o.seed), o.quiet)
		}
		part := o
		for part.seeds = chunk; part.from < o.from+o.seeds; part.from += chunk {
			if r := first(many(part)); r != nil {
				found++
				fmt.Printf("%-30s seed %d: %.150v\n", name, r.Seed, r.Err)
				break
			}
		}
		if part.from >= o.from+o.seeds {
			fmt.Printf("%-30s NOT FOUND in %d seeds\n", name, o.seeds)
		}
	}
	planted.Plant("")
	fmt.Printf("%d of %d planted bugs found\n", found, len(names))
	return found == len(names)
}

// chunk is how many seeds are run before the hunt looks whether one has found the bug.
const chunk = 20

// first returns the first result that is wrong, or nil.
func first(all []sim.Result) *sim.Result {
	for i := range all {
		if all[i].Err != nil {
			return &all[i]
		}
	}
	return nil
}

// one replays a seed.
func one(seed uint64, quiet bool) bool {
	var out io.Writer = os.Stdout
	if quiet {
		out = nil
	}
	r := sim.Run(seed, out)
	fmt.Printf("seed %d: %d events, %d records acknowledged, trace %016x\n", seed, r.Events, r.Acknowledged, r.Hash)
	if r.Err != nil {
		fmt.Printf("WRONG: %v\n", r.Err)
	}
	return r.Err == nil
}

// many runs seeds, on all processors.
func many(o options) []sim.Result {
	all := make([]sim.Result, o.seeds)
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				seed := o.from + uint64(i)
				all[i] = sim.Run(seed, nil)
				if again := all[i].Hash; o.twice && sim.Run(seed, nil).Hash != again && all[i].Err == nil {
					all[i].Err = fmt.Errorf("two runs of the seed differ")
				}
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	workers.Wait()
	return all
}
