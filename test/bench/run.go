package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ottla/ottla/test/bench/card"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/report"
	"github.com/ottla/ottla/test/bench/row"
	"github.com/ottla/ottla/test/bench/side"
	"github.com/ottla/ottla/test/bench/stage"
)

func run(ctx context.Context, o *options) error {
	switch {
	case o.list:
		list()
		return nil
	case o.from != nil:
		r, err := report.Read(o.from)
		if err != nil {
			return err
		}
		if o.write != "" {
			return report.WritePage(o.write, r)
		}
		return tell(r, o)
	}
	lab, result, err := open(ctx, o)
	if err != nil {
		return err
	}
	path := filepath.Join(o.json, result.Started.Format("20060102-150405")+".json")
	lab.Save = func(r judge.Run) error {
		result.Runs = append(result.Runs, r)
		return result.Write(path)
	}
	lab.Note = func(note string) {
		result.Notes = append(result.Notes, note)
		fmt.Fprintln(os.Stderr, "note:", note)
	}
	err = measure(ctx, lab, o, result)
	err = errors.Join(err, lab.Close(), result.Write(path))
	fmt.Fprintln(os.Stderr, "raw runs:", path)
	return errors.Join(tell(result, o), err)
}

func list() {
	for _, r := range card.Rows {
		what := r.What
		if r.Cannot != "" {
			what += " (can't run yet: " + r.Cannot + ")"
		}
		fmt.Printf("%2d %-12s %s\n", r.Number, r.Name, what)
		for _, s := range r.Series {
			fmt.Printf("   %-12s   %s\n", "", s.Name)
		}
	}
}

// tell prints the tables, and writes the page where that is asked for.
func tell(r *report.Result, o *options) error {
	fmt.Println(r.Table(o.rows))
	if c := r.Calibration(o.rows); c != "" {
		fmt.Println(c)
	}
	if o.write == "" {
		return nil
	}
	return report.WritePage(o.write, r)
}

// open gets both programs and makes the lab.
func open(ctx context.Context, o *options) (*stage.Lab, *report.Result, error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "data-")
	if err != nil {
		return nil, nil, err
	}
	lab := &stage.Lab{Options: o.Options, Dir: dir, Ports: &side.Ports{First: o.port}, Say: os.Stderr}
	lab.Open()
	result := &report.Result{Started: time.Now().UTC(), Command: []string{report.Command(os.Args[1:])}, Pairs: o.Pairs, Rule: o.Rule, Length: lengths(o), Failed: map[string]string{}, Settings: map[string]string{}}
	err = furnish(ctx, o, lab, result)
	if err != nil {
		return nil, nil, errors.Join(err, lab.Close())
	}
	return lab, result, nil
}

func furnish(ctx context.Context, o *options, lab *stage.Lab, result *report.Result) error {
	var err error
	if strings.Contains(o.peer, ":") {
		if lab.Peer, err = side.At(o.peer, o.pid, o.remote); err == nil {
			err = lab.Peer.Answers(ctx)
		}
	} else {
		lab.Peer, err = side.Peer(ctx, o.peer)
	}
	if err != nil {
		return err
	}
	if lab.Ours, err = side.Checkout(ctx, lab.Dir); err != nil {
		return err
	}
	result.Ours = report.Program{Kind: string(lab.Ours.Kind), Name: lab.Ours.Name, Version: lab.Ours.Version}
	if lab.Peer != nil {
		result.Peer = &report.Program{Kind: string(lab.Peer.Kind), Name: lab.Peer.Name, Version: lab.Peer.Version}
	}
	memory, err := machine.Memory()
	if err != nil {
		return err
	}
	result.Machine = report.Machine{CPUs: machine.CPUs, Processor: machine.Processor(), Memory: memory, Kernel: machine.Kernel(), Go: runtime.Version(), Java: java(ctx)}
	if o.noFill {
		result.Notes = append(result.Notes, "the page cache was not filled")
		return nil
	}
	fmt.Fprintln(os.Stderr, "filling the page cache")
	space, err := machine.Space(lab.Dir)
	if err != nil {
		return err
	}
	lab.Fill, err = machine.NewFill(ctx, filepath.Join(lab.Dir, "fill"), held(memory), min(o.fillLimit, space-reserve))
	if err == nil {
		fmt.Fprintf(os.Stderr, "filled by %.1f GiB\n", float64(lab.Fill.Size())/gib)
	}
	return err
}

// held is what a run finds free at its beginning: as much as one writes, or nearly; of a small machine, a part that it can spare.
func held(memory int64) int64 { return min(4*gib, memory/6) }

// reserve is what the fill leaves of the disk: both sides' data of the largest row.
const reserve = 24 * gib

func lengths(o *options) map[string]string {
	g := func(n int64) string { return fmt.Sprintf("%.4g GiB", float64(n)/gib) }
	all := map[string]string{"W": g(o.Bytes), "warm-up": fmt.Sprintf("%v and %s", o.Warm, g(o.WarmBytes)), "open loop": o.Latency.String(),
		"memory of a side": g(o.Memory)}
	if o.Longest > 0 {
		all["at most"] = o.Longest.String() + " a run"
	}
	return all
}

func java(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "java", "-version").CombinedOutput()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.ReplaceAll(line, `"`, "")
}

// measure runs all series of the rows. One that fails does not keep the others from running.
func measure(ctx context.Context, lab *stage.Lab, o *options, result *report.Result) error {
	workloads := row.All()
	done := map[string]bool{}
	var failed error
	for _, r := range o.rows {
		for _, s := range r.Series {
			key := r.Key(s)
			w := workloads[key]
			if done[key] || w == nil || o.quick && (s.Cross || s.Long) {
				continue
			}
			done[key] = true
			result.Wanted, result.Settings[key] = append(result.Wanted, key), lab.Configuration(w)
			err := lab.Series(ctx, w)
			if ctx.Err() != nil {
				result.Failed[key] = "interrupted"
				return errors.Join(failed, errors.New("interrupted"))
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				result.Failed[key] = err.Error()
				if !errors.Is(err, stage.ErrNotHere) {
					failed = errors.Join(failed, err)
				}
			}
		}
	}
	return failed
}
