// Command ottla-sim runs simulated clusters, one for each seed, and says which of them went wrong and how to see that again.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
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
	flag.BoolVar(&o.shrink, "shrink", false, "with -seed: leave out faults as long as it fails, and say what replays the rest")
	flag.StringVar(&o.without, "without", "", "faults to leave out: numbers of the schedule and names, with commas")
	flag.StringVar(&o.only, "only", "", "the only faults that there are; none for none")
	flag.StringVar(&o.planted, "planted", "", "look for this bug, or for all, which a build with the tag planted has on purpose; -seeds is how many it may take")
	flag.Parse()
	debug.SetGCPercent(400) // worlds are small and short
	if o.planted != "" && !hunt(o) || o.planted == "" && !run(o) {
		os.Exit(1)
	}
}

type options struct {
	seeds, from          uint64
	seed                 int64
	twice, quiet, shrink bool
	planted              string
	without, only        string
}

// choice is which faults of a seed there are.
func (o options) choice() (c sim.Choice) {
	if o.without != "" {
		c.Without = strings.Split(o.without, ",")
	}
	if o.only != "" {
		c.Only = strings.Split(o.only, ",")
	}
	return c
}

func run(o options) bool {
	if o.seed >= 0 {
		return one(o)
	}
	start := time.Now()
	seeds := upTo(o.from, o.seeds)
	if o.from == 0 {
		seeds = append(slices.DeleteFunc(corpus(""), func(s uint64) bool { return s < o.seeds }), seeds...)
	}
	all := many(seeds, o.twice)
	sometimes, wrong, acknowledged := map[string]int{}, 0, 0
	for _, r := range all {
		for what := range r.Sometimes {
			sometimes[what]++
		}
		acknowledged += r.Acknowledged
		if r.Err != nil {
			wrong++
			fmt.Printf("seed %d: %v\n  drew %s\n  again: go run ./cmd/ottla-sim -seed %d, with fewer faults: -shrink\n", r.Seed, r.Err, r.Plan, r.Seed)
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
			return one(o)
		}
		if r := find(name, o); r != nil {
			found++
			fmt.Printf("%-30s seed %d: %.150v\n", name, r.Seed, r.Err)
		} else {
			fmt.Printf("%-30s NOT FOUND in %d seeds\n", name, o.seeds)
		}
	}
	planted.Plant("")
	fmt.Printf("%d of %d planted bugs found\n", found, len(names))
	return found == len(names)
}

// find runs the seeds that found a planted bug before, and then others, until one is wrong; nil if none is.
func find(bug string, o options) *sim.Result {
	r := first(many(corpus(bug), false))
	for from := o.from; r == nil && from < o.from+o.seeds; from += chunk {
		r = first(many(upTo(from, chunk), false))
	}
	return r
}

// upTo are so many seeds from one on.
func upTo(from, count uint64) []uint64 {
	seeds := make([]uint64, count)
	for i := range seeds {
		seeds[i] = from + uint64(i)
	}
	return seeds
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
func one(o options) bool {
	var out io.Writer = os.Stdout
	if o.quiet {
		out = nil
	}
	seed := uint64(o.seed)
	if o.shrink {
		return shrink(seed, o.planted)
	}
	r := sim.Run(seed, out, o.choice())
	fmt.Printf("seed %d: %d events, %d records acknowledged, trace %016x\n", seed, r.Events, r.Acknowledged, r.Hash)
	if r.Err != nil {
		fmt.Printf("WRONG: %v\n", r.Err)
	}
	return r.Err == nil
}

// shrink says how few of the faults of a seed it takes.
func shrink(seed uint64, bug string) bool {
	c, r := sim.Shrink(seed)
	if r.Err == nil {
		fmt.Printf("seed %d: nothing is wrong\n", seed)
		return true
	}
	build, which := "", ""
	if bug != "" {
		build, which = "-tags planted ", " -planted "+bug
	}
	switch {
	case len(c.Without) > 0:
		which += " -without " + strings.Join(c.Without, ",")
	case c.Only != nil:
		which += " -only " + cmp.Or(strings.Join(c.Only, ","), "none")
	}
	fmt.Printf("WRONG: %v\nshortest: go run %s./cmd/ottla-sim -seed %d%s\n", r.Err, build, seed, which)
	return false
}

// many runs seeds, on all processors, each twice if asked.
func many(seeds []uint64, twice bool) []sim.Result {
	all := make([]sim.Result, len(seeds))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				seed := seeds[i]
				all[i] = sim.Run(seed, nil, sim.Choice{})
				if again := all[i].Hash; twice && sim.Run(seed, nil, sim.Choice{}).Hash != again && all[i].Err == nil {
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
