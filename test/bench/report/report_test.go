package report

import (
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/test/bench/card"
	"github.com/ottla/ottla/test/bench/judge"
)

// TestScenarios reads testdata: a result, and what is told of it.
//
//	result [alone] [revision]
//	SERIES|SIDE|PAIR|METRIC=VALUE|METRIC=VALUE…   (control:METRIC=VALUE, disturbed=WHY)
//	failed|SERIES|WHY
//	table rows=(1,5) · calibration rows=(1) · page · missing rows=(1)
func TestScenarios(t *testing.T) {
	r := &Result{}
	datadriven.RunTest(t, "testdata/report.txt", func(t *testing.T, d *datadriven.TestData) string {
		var rows []card.Row
		for _, a := range d.CmdArgs {
			for _, name := range a.Vals {
				if row, ok := card.Find(name); ok && a.Key == "rows" {
					rows = append(rows, row)
				}
			}
		}
		switch d.Cmd {
		case "result":
			r = result(t, d)
			return ""
		case "table":
			return r.Table(rows)
		case "calibration":
			return r.Calibration(rows)
		case "missing":
			return strings.Join(r.missing(rows), "\n")
		case "page":
			text, err := r.Page()
			if err != nil {
				return err.Error()
			}
			return text
		}
		return "unknown command " + d.Cmd
	})
}

func result(t *testing.T, d *datadriven.TestData) *Result {
	r := &Result{Started: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Ours: Program{"ottla", "Ottla", "0123456789"}, Peer: &Program{"kafka", "Apache Kafka 4.4.0", "4.4.0"},
		Machine: Machine{CPUs: 2, Processor: "a processor", Memory: 24 << 30, Kernel: "6.18", Go: "go1.26", Java: "openjdk 17"},
		Pairs:   2, Rule: judge.Rule{Foreign: 0.15, Steal: 0.02}, Failed: map[string]string{}, Length: map[string]string{"W": "6 GiB", "open loop": "1m0s"},
		Command: []string{Command([]string{"-rows", "1,5", "-json", "/some/where"})}}
	if d.HasArg("alone") {
		r.Peer = nil
	}
	if d.HasArg("revision") {
		r.Peer = &Program{"ottla", "Ottla at 1111111111", "1111111111"}
	}
	for line := range strings.Lines(d.Input) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if f[0] == "failed" {
			r.Failed[f[1]] = f[2]
			continue
		}
		pair, err := strconv.Atoi(f[2])
		if err != nil {
			t.Fatal(err)
		}
		run := judge.Run{Series: f[0], Side: f[1], Pair: pair, Values: map[string]float64{}, Control: map[string]float64{}}
		for _, set := range f[3:] {
			name, value, _ := strings.Cut(set, "=")
			if name == "disturbed" {
				run.Disturbed = value
				continue
			}
			x, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			if control, ok := strings.CutPrefix(name, "control:"); ok {
				run.Control[control] = x
			} else {
				run.Values[name] = x
			}
		}
		r.Runs = append(r.Runs, run)
	}
	return r
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.0123456: "0.0123", 0.5: "0.5", 1: "1", 12.345: "12.3", 999.9: "1,000", 1234: "1,230", 7245400: "7,250,000", -1234: "-1,230"} {
		if got := number(x); got != want {
			t.Errorf("%v is written %q, not %q", x, got, want)
		}
	}
}

// Results survive their file; those of the same programs make one table, in which the last run of a series counts.
func TestResultsMerge(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	made := func(name string, hour int, commit string, wanted []string, failed string) string {
		r := &Result{Started: at.Add(time.Duration(hour) * time.Hour), Ours: Program{"ottla", "Ottla", commit}, Pairs: 7, Wanted: wanted, Failed: map[string]string{},
			Command: []string{"-rows " + name}, Notes: []string{"a note"}, Length: map[string]string{"W": "6 GiB", "warm-up": name}}
		for _, key := range wanted {
			r.Runs = append(r.Runs, judge.Run{Series: key, Side: judge.Ours, Values: map[string]float64{"x": float64(hour)}})
		}
		if failed != "" {
			r.Failed[failed] = "why"
		}
		path := filepath.Join(dir, name)
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := made("first.json", 1, "aaaa", []string{"1/replayer", "4/replayer", "20/replayer"}, "")
	second := made("second.json", 2, "aaaa", []string{"4/replayer", "5/warm"}, "")
	third := made("third.json", 3, "aaaa", []string{"5/warm"}, "5/warm")
	newer := made("newer.json", 4, "bbbb", []string{"8/raw fetcher", "4/replayer"}, "")
	r, err := Read([]string{third, second, first})
	if err != nil {
		t.Fatal(err)
	}
	for key, hour := range map[string]float64{"1/replayer": 1, "4/replayer": 2} {
		if runs := r.of(key); len(runs) != 1 || runs[0].Values["x"] != hour {
			t.Errorf("%s: %+v", key, runs)
		}
	}
	// A series that failed later does not take away what was measured before.
	if runs := r.of("5/warm"); len(runs) == 0 || runs[0].Values["x"] != 2 {
		t.Errorf("5/warm: %+v", runs)
	}
	if _, failed := r.Failed["5/warm"]; failed {
		t.Error("5/warm failed")
	}
	if got := r.lengths(); got != "W 6 GiB" {
		t.Errorf("lengths that not all of them have: %s", got)
	}
	if len(r.Notes) != 1 || len(r.Command) != 3 {
		t.Errorf("notes %q, commands %q", r.Notes, r.Command)
	}
	// What was not run with the version of most is told of with its own.
	r, err = Read([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"4/replayer": "bbbb", "8/raw fetcher": "bbbb"}; r.Ours.Version != "aaaa" || !maps.Equal(r.Others, want) {
		t.Errorf("with %s, others %v", r.Ours.Version, r.Others)
	}
	alone := &Result{Started: at, Ours: Program{"kafka", "Apache Kafka", "4.4.0"}}
	if err := alone.Write(filepath.Join(dir, "alone.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read([]string{newer, filepath.Join(dir, "alone.json")}); err == nil || !strings.Contains(err.Error(), "not one table") {
		t.Errorf("two programs make one table: %v", err)
	}
	elsewhere := &Result{Started: at, Ours: Program{"ottla", "Ottla", "aaaa"}, Pairs: 7, Machine: Machine{CPUs: 64}}
	if err := elsewhere.Write(filepath.Join(dir, "elsewhere.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read([]string{newer, filepath.Join(dir, "elsewhere.json")}); err == nil || !strings.Contains(err.Error(), "not one table") {
		t.Errorf("two machines make one table: %v", err)
	}
	built := &Result{Started: at.Add(time.Hour), Ours: Program{"ottla", "Ottla", "aaaa"}, Pairs: 7, Machine: Machine{CPUs: 64, Kernel: "6.18-1"}}
	rebuilt := &Result{Started: at, Ours: built.Ours, Pairs: 7, Machine: Machine{CPUs: 64, Kernel: "6.18-2", Memory: 1023}}
	if merged, err := Merge([]*Result{built, rebuilt}); err != nil || merged.Machine.Kernel != "6.18-2 and 6.18-1" {
		t.Errorf("two builds of a kernel: %v %v", merged, err)
	}
	if _, err := Read(nil); err == nil {
		t.Error("no results make a table")
	}
	if _, err := Read([]string{filepath.Join(dir, "gone")}); err == nil {
		t.Error("a file that is not there")
	}
}
