package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/test/bench/card"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/stage"
)

// options are what the command line says.
type options struct {
	stage.Options
	rows   []card.Row
	peer   string
	pid    int
	remote bool
	list   bool
	quick  bool

	noFill    bool
	fillLimit int64
	dir       string
	json      string
	port      int

	from  []string
	write string

	serve, serveAddress, serveDir string
}

const gib = 1 << 30

// all are the lengths of a run that counts; quick those of an answer in five minutes, which takes more noise for that.
var (
	all = stage.Options{Pairs: 7, Floors: 3, Bytes: 6 * gib, Latency: time.Minute, Warm: time.Minute, WarmBytes: 12 * gib, Rest: time.Minute,
		Recovery: 10 * gib, Old: 4 * gib, Many: 100_000, Idle: 10_000, Faults: 5, Memory: 8 * gib, Rule: judge.Rule{Foreign: 0.15, Steal: 0.02}}
	quick = stage.Options{Pairs: 3, Floors: 1, Longest: 2 * time.Second, Bytes: 2 * gib, Latency: 3 * time.Second, Warm: 10 * time.Second, WarmBytes: 6 * gib,
		Rest: 5 * time.Second, Recovery: gib, Old: gib, Many: 10_000, Idle: 2_000, Faults: 2, Memory: 8 * gib, Rule: judge.Rule{Foreign: 0.15, Steal: 0.05}}
	quickRows = "1,5,8"
)

func parse(args []string) (*options, error) {
	o := &options{Options: all}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	var rows, from string
	var foreign, steal float64
	var bytes, warmBytes, recovery, old, memory, fillLimit float64
	var seconds int
	f.StringVar(&rows, "rows", "", "rows, by number or name, separated by commas, ROW/TEXT for the series of one that begin with a text; all that can run by default (with -quick: "+quickRows+")")
	f.StringVar(&o.peer, "peer", "kafka", "the other side: kafka, none, ottla@REVISION, or HOST:PORT of a server that runs already (for rows that only load it)")
	f.IntVar(&o.pid, "pid", 0, "process id of a server at HOST:PORT: without it its CPU time is unknown")
	f.BoolVar(&o.remote, "allow-remote", false, "load a server on another machine")
	f.BoolVar(&o.list, "list", false, "list the rows")
	f.BoolVar(&o.quick, "quick", false, "short runs and few pairs: an answer in about five minutes, and no proof")
	f.IntVar(&o.Pairs, "pairs", 0, "pairs that must count (7; 3 with -quick)")
	f.IntVar(&seconds, "seconds", 0, "end a run of throughput, and an open loop, after so many seconds")
	f.Float64Var(&bytes, "bytes", 0, "GiB of the workload W (6; 2 with -quick)")
	f.DurationVar(&o.Warm, "warm", 0, "warm the JVM for at least so long (1m; 10s with -quick), and at least -warm-bytes, through the same path")
	f.Float64Var(&warmBytes, "warm-bytes", 0, "GiB (12; 6 with -quick)")
	f.DurationVar(&o.Rest, "rest", 0, "how long an idle node is watched (1m; 5s with -quick)")
	f.Float64Var(&recovery, "recovery", 0, "GiB that row 14 recovers (10; 1 with -quick)")
	f.Float64Var(&old, "old", 0, "GiB of old data of row 10 (4; 1 with -quick)")
	f.IntVar(&o.Many, "many", 0, "partitions that row 15 gives to Ottla alone (100000; 10000 with -quick)")
	f.IntVar(&o.Idle, "idle", 0, "idle connections of row 12 (10000; 2000 with -quick)")
	f.IntVar(&o.Faults, "faults", 0, "faults of a run of row 16 (5; 2 with -quick)")
	f.IntVar(&o.PeerFaults, "peer-faults", 0, "the same of the peer, of which each may take half a minute: its longest gap is then of fewer (as many)")
	f.Float64Var(&memory, "memory", 0, "GiB that each side may use with its page cache (8)")
	f.Float64Var(&foreign, "foreign", 0, "per cent of the machine: a run beside which others used more is dropped (15)")
	f.Float64Var(&steal, "steal", 0, "per cent of the machine: the same for what the host took (2; 5 with -quick)")
	f.BoolVar(&o.Unpinned, "unpinned", false, "tie nothing to CPUs, whatever the row says")
	f.BoolVar(&o.noFill, "no-fill", false, "leave the page cache as it is: CPU per byte is then too high, on both sides")
	f.Float64Var(&fillLimit, "fill", 18, "GiB that the file which fills the page cache has at the most")
	f.StringVar(&o.dir, "dir", "", "where data is written, in a folder that is deleted at the end (ottla-bench in the user's cache)")
	f.StringVar(&o.json, "json", "", "where the raw runs are kept (ottla-bench in the user's cache)")
	f.IntVar(&o.port, "port", 0, "the first of 400 ports for the servers; 0 takes any that are free")
	f.StringVar(&from, "from", "", "read runs from these files, or folders of them, instead of measuring")
	f.StringVar(&o.write, "write", "", "write the page of benchmarks to this file")
	f.StringVar(&o.serve, "serve", "", "be a bare server of this kind (internal)")
	f.StringVar(&o.serveAddress, "serve-address", "", "its address (internal)")
	f.StringVar(&o.serveDir, "serve-dir", "", "its folder (internal)")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if err := positive(f); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? Everything is said by flags: see -help", f.Arg(0))
	}
	o.complete(seconds, [...]float64{bytes, warmBytes, recovery, old, memory})
	if foreign > 0 {
		o.Rule.Foreign = foreign / 100
	}
	if steal > 0 {
		o.Rule.Steal = steal / 100
	}
	o.fillLimit = int64(fillLimit * gib)
	if from != "" {
		o.from = strings.Split(from, ",")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	or(&o.json, filepath.Join(cache, "ottla-bench"))
	or(&o.dir, filepath.Join(cache, "ottla-bench"))
	o.rows, err = chosen(rows, o.quick)
	return o, err
}

// positive refuses numbers that stand for what is left open. Any port that is free is asked for by 0.
func positive(f *flag.FlagSet) (err error) {
	f.Visit(func(given *flag.Flag) {
		if n, perr := strconv.ParseFloat(given.Value.String(), 64); perr == nil && n <= 0 && given.Name != "port" {
			err = fmt.Errorf("-%s %s: want more than 0", given.Name, given.Value)
		}
	})
	return err
}

// complete fills in what the command line left open.
func (o *options) complete(seconds int, sizes [5]float64) {
	with := all
	if o.quick {
		with = quick
	}
	pick := func(to *int64, gibs float64, otherwise int64) {
		*to = otherwise
		if gibs > 0 {
			*to = int64(gibs * gib)
		}
	}
	pick(&o.Bytes, sizes[0], with.Bytes)
	pick(&o.WarmBytes, sizes[1], with.WarmBytes)
	pick(&o.Recovery, sizes[2], with.Recovery)
	pick(&o.Old, sizes[3], with.Old)
	pick(&o.Memory, sizes[4], with.Memory)
	or(&o.Pairs, with.Pairs)
	or(&o.Many, with.Many)
	or(&o.Idle, with.Idle)
	or(&o.Faults, with.Faults)
	or(&o.PeerFaults, o.Faults)
	or(&o.Warm, with.Warm)
	or(&o.Rest, with.Rest)
	o.Floors, o.Longest, o.Latency, o.Rule = with.Floors, with.Longest, with.Latency, with.Rule
	if seconds > 0 {
		o.Longest = time.Duration(seconds) * time.Second
		o.Latency = o.Longest
	}
}

func or[T comparable](to *T, otherwise T) {
	var zero T
	if *to == zero {
		*to = otherwise
	}
}

// chosen finds the rows of a list.
func chosen(names string, quick bool) ([]card.Row, error) {
	if names == "" && quick {
		names = quickRows
	}
	if names == "" {
		return card.Rows, nil
	}
	var rows []card.Row
	for name := range strings.SplitSeq(names, ",") {
		name, series, _ := strings.Cut(strings.TrimSpace(name), "/")
		row, ok := card.Find(name)
		if !ok {
			return nil, fmt.Errorf("there is no row %q: see -list", name)
		}
		if series != "" {
			row.Series = slices.DeleteFunc(slices.Clone(row.Series), func(s card.Series) bool { return !strings.HasPrefix(s.Name, series) })
		}
		if len(row.Series) == 0 && row.Cannot == "" {
			return nil, fmt.Errorf("row %d has no series that begins with %q: see -list", row.Number, series)
		}
		if at := slices.IndexFunc(rows, func(r card.Row) bool { return r.Number == row.Number }); at < 0 {
			rows = append(rows, row)
		} else {
			rows[at].Series = union(rows[at].Series, row.Series)
		}
	}
	slices.SortFunc(rows, func(a, b card.Row) int { return a.Number - b.Number })
	return rows, nil
}

func union(a, b []card.Series) []card.Series {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.ContainsFunc(all, func(have card.Series) bool { return have.Name == s.Name }) {
			all = append(all, s)
		}
	}
	return all
}
