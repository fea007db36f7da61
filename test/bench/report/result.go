package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/bench/card"
	"github.com/ottla/ottla/test/bench/judge"
)

// Program is a side as it is told of.
type Program struct {
	Kind    string `json:"kind"` // ottla, kafka, running
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Machine is where the runs were made.
type Machine struct {
	CPUs      int    `json:"cpus"`
	Processor string `json:"processor"`
	Memory    int64  `json:"memory_bytes"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	Java      string `json:"java,omitempty"`
}

// like says whether results of both machines make one table, as those of two builds of one kernel do; a build also keeps some KiB of the memory.
func (m Machine) like(o Machine) bool {
	m.Kernel, _, _ = strings.Cut(m.Kernel, "-")
	o.Kernel, _, _ = strings.Cut(o.Kernel, "-")
	m.Memory, o.Memory = m.Memory>>20, o.Memory>>20
	return m == o
}

// Result is what one run of the program leaves.
type Result struct {
	Started time.Time         `json:"started"`
	Command []string          `json:"command"` // lines, without the program's name; several when results were merged
	Machine Machine           `json:"machine"`
	Ours    Program           `json:"ours"`
	Peer    *Program          `json:"peer,omitempty"`
	Pairs   int               `json:"pairs"`
	Rule    judge.Rule        `json:"rule"`
	Length  map[string]string `json:"length"` // how long, how much: the options as text
	Notes   []string          `json:"notes,omitempty"`
	// Wanted are the series that were asked for; Failed says why some have no runs.
	Wanted []string          `json:"wanted"`
	Failed map[string]string `json:"failed,omitempty"`
	// Settings are what both sides of a series were started with.
	Settings map[string]string `json:"settings"`
	Runs     []judge.Run       `json:"runs"`
	// Others are the versions of series that were last run with another one than Ours says, in results that were merged.
	Others map[string]string `json:"-"`
}

// Write keeps the result in a file; half a file is never seen under its name.
func (r *Result) Write(path string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", b, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// Read reads results, of which all that lie in a folder are meant by the folder's name, and merges them.
func Read(paths []string) (*Result, error) {
	var files []string
	for _, path := range paths {
		inside, err := filepath.Glob(filepath.Join(path, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(inside) == 0 {
			inside = []string{path}
		}
		files = append(files, inside...)
	}
	var all []*Result
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r := &Result{}
		if err := json.Unmarshal(b, r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, r)
	}
	return Merge(all)
}

// Merge puts results beside the same peer together: of a series that was run more than once, the last one counts. They are told of as the version
// that most series were run with, but for the others: a whole table takes longer than a product stands still.
func Merge(all []*Result) (*Result, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("no results")
	}
	slices.SortFunc(all, func(a, b *Result) int { return a.Started.Compare(b.Started) })
	merged := *all[len(all)-1]
	merged.Wanted, merged.Runs, merged.Notes, merged.Failed = nil, nil, nil, map[string]string{}
	merged.Command, merged.Settings, merged.Length, merged.Others = nil, map[string]string{}, maps.Clone(merged.Length), map[string]string{}
	by, most := map[string]int{}, 0 // series of each version
	var kernels []string
	for i, r := range all {
		if r.Ours.Kind != merged.Ours.Kind || r.peer() != merged.peer() {
			return nil, fmt.Errorf("results of %s beside %s and of %s beside %s are not one table",
				r.Ours.Version, r.peer().Version, merged.Ours.Version, merged.peer().Version)
		}
		if !r.Machine.like(merged.Machine) || r.Rule != merged.Rule || r.Pairs != merged.Pairs {
			return nil, fmt.Errorf("results of %v and of %v are of other machines, rules, or numbers of pairs: not one table", r.Started, merged.Started)
		}
		for _, key := range r.Wanted {
			if measured(all[i+1:], key) || r.Failed[key] != "" && measured(all[:i], key) || slices.Contains(merged.Wanted, key) {
				continue
			}
			merged.Wanted, merged.Settings[key] = append(merged.Wanted, key), r.Settings[key]
			merged.Others[key] = r.Ours.Version
			if by[r.Ours.Version]++; by[r.Ours.Version] >= most {
				most, merged.Ours = by[r.Ours.Version], r.Ours
			}
			if why, ok := r.Failed[key]; ok {
				merged.Failed[key] = why
			}
			for _, run := range r.Runs {
				if run.Series == key {
					merged.Runs = append(merged.Runs, run)
				}
			}
		}
		for name := range merged.Length { // what differs is in the commands
			if r.Length[name] != merged.Length[name] {
				delete(merged.Length, name)
			}
		}
		merged.Notes = append(merged.Notes, r.Notes...)
		merged.Command = append(merged.Command, r.Command...)
		kernels = append(kernels, r.Machine.Kernel)
	}
	merged.Machine.Kernel = strings.Join(slices.Compact(kernels), " and ")
	maps.DeleteFunc(merged.Others, func(_, version string) bool { return version == merged.Ours.Version })
	slices.Sort(merged.Notes)
	merged.Notes = slices.Compact(merged.Notes)
	return &merged, nil
}

// measured says whether one of the results has a series whole.
func measured(all []*Result, key string) bool {
	return slices.ContainsFunc(all, func(r *Result) bool { return slices.Contains(r.Wanted, key) && r.Failed[key] == "" })
}

func (r *Result) peer() Program {
	if r.Peer == nil {
		return Program{}
	}
	return *r.Peer
}

// kafka says whether the peer is the one that goals and reference are about.
func (r *Result) kafka() bool { return r.Peer != nil && r.Peer.Kind == "kafka" }

// metric is a metric of the scorecard for this result: beside another peer a goal for the ratio means nothing.
func (r *Result) metric(m card.Metric) card.Metric {
	if r.Peer != nil && !r.kafka() {
		m.Goal, m.CardGoal = 0, 0
	}
	return m
}

// of gives the runs of a series.
func (r *Result) of(key string) []judge.Run {
	var runs []judge.Run
	for _, run := range r.Runs {
		if run.Series == key {
			runs = append(runs, run)
		}
	}
	return runs
}

// lengths are the options as text, sorted.
func (r *Result) lengths() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Length)) {
		all = append(all, name+" "+r.Length[name])
	}
	return strings.Join(all, ", ")
}
