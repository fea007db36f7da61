package stage

import (
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/side"
)

// stand is one whose run has taken two seconds of a machine with two CPUs.
func stand(others, kernel, steal time.Duration) *Stand {
	lab := &Lab{Options: Options{Rule: judge.Rule{Foreign: 0.15, Steal: 0.02}}}
	return &Stand{Lab: lab, Program: &side.Program{Kind: side.Ottla}, run: &judge.Run{Series: "1/replayer", Values: map[string]float64{}},
		total: machine.Times{Total: 4 * time.Second, Kernel: kernel, Steal: steal}, others: others}
}

// What neither side, nor the client, nor the kernel has used is foreign.
func TestWhatOthersUsedIsForeign(t *testing.T) {
	s := stand(800*time.Millisecond, time.Second, 40*time.Millisecond)
	s.finish()
	if s.run.Foreign != 0.2 || s.run.Kernel != 0.25 || s.run.Steal != 0.01 || s.run.Disturbed != "foreign load 20 %" {
		t.Errorf("%+v", s.run)
	}
	s = stand(-30*time.Millisecond, 0, 0) // accounts are a few ticks apart
	s.finish()
	if s.run.Foreign != 0 || s.run.Disturbed != "" {
		t.Errorf("%+v", s.run)
	}
}

// CPU time that nobody counts is not told as none.
func TestUncountedCPU(t *testing.T) {
	s := stand(0, 0, 0)
	s.Program = &side.Program{Kind: side.Running}
	s.Set("CPU-s/GiB", 0)
	s.Set("% of a core beside", 0)
	s.Set("MB/s", 7)
	if len(s.run.Values) != 1 || s.Get("MB/s") != 7 {
		t.Errorf("%v", s.run.Values)
	}
}

func TestDescribe(t *testing.T) {
	s := stand(800*time.Millisecond, 0, 0)
	s.Set("p99 ms", 1.25)
	s.SetControl("p99 ms", 0.25)
	s.run.Took, s.run.Side, s.run.Pair = 2, judge.Ours, 3
	s.finish()
	want := "1/replayer pair 4 ours   p99 ms 1.25 (echo 0.25)  [2.0 s, foreign 20 %, steal 0.0 %] dropped: foreign load 20 %"
	if got := describe(s.run); got != want {
		t.Errorf("%q", got)
	}
}

func TestSettingsAreEqual(t *testing.T) {
	lab := &Lab{Options: Options{Memory: 8 << 30}}
	w := &Workload{Pinned: true, Heap: "768m", Properties: map[string]string{"log.cleaner.backoff.ms": "100"}}
	s := lab.settings(w)
	if s.Memory != 8<<30 || s.Heap != "768m" || s.Properties["log.cleaner.backoff.ms"] != "100" || s.Properties["auto.create.topics.enable"] != "false" {
		t.Errorf("%+v", s)
	}
	if _, changed := base["log.cleaner.backoff.ms"]; changed {
		t.Error("a row has changed the properties of all")
	}
	if got, want := lab.Configuration(w), "map[auto.create.topics.enable:false log.cleaner.backoff.ms:100 log.segment.delete.delay.ms:1000], 8 GiB of memory, JVM heap 768m"; !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
	lab.Unpinned, w.Memory = true, 1<<30
	if s := lab.settings(w); len(s.CPUs) != 0 || s.Memory != 1<<30 {
		t.Errorf("%+v", s)
	}
}
