package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/side"
)

// Options say how long and how often.
type Options struct {
	Pairs      int           // that must count
	Floors     int           // how often each bare server runs a series, spread over the pairs
	Longest    time.Duration // bounds a run of throughput; 0 leaves it to Bytes
	Bytes      int64         // of the workload W
	Latency    time.Duration // length of an open loop
	Warm       time.Duration // at least, through the same path, before the first timed run
	WarmBytes  int64         // at least, of a path that moves much
	Rest       time.Duration // length of a run that only watches
	Recovery   int64         // bytes that row 14 recovers
	Old        int64         // bytes of old data of row 10
	Many       int           // partitions that row 15 gives to ours alone
	Idle       int           // connections of row 12
	Faults     int           // of a run of row 16
	PeerFaults int           // the same of the peer
	Memory     int64         // of each side with its page cache; 0 is no limit
	Rule       judge.Rule
	Unpinned   bool // pin nothing
}

// Lab is where runs take place.
type Lab struct {
	Options
	Ours, Peer *side.Program // Peer is nil where ours runs alone
	Dir        string        // for data; deleted at the end
	Fill       *machine.Fill // nil where the page cache is left as it is
	Ports      *side.Ports
	Say        io.Writer // progress
	Save       func(judge.Run) error
	Note       func(string) // what a reader of the figures must know

	sides  map[string]*side.Side // running, by role: they stay from one row to the next where settings are equal
	keys   map[string]string     // settings of each, as text
	warmed map[string]bool       // role and path
	count  int                   // of folders

	saidUngrouped bool
}

// base are the properties of both sides in all rows.
var base = map[string]string{
	"auto.create.topics.enable":   "false",
	"log.segment.delete.delay.ms": "1000", // what is deleted between runs is gone before the next one begins
}

// Close stops and deletes everything.
func (l *Lab) Close() error {
	var errs []error
	for role := range l.sides {
		errs = append(errs, l.drop(role))
	}
	return errors.Join(append(errs, l.Fill.Close(), os.RemoveAll(l.Dir))...)
}

func (l *Lab) sayf(format string, args ...any) {
	fmt.Fprintf(l.Say, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// program is what plays a role.
func (l *Lab) program(role string) (*side.Program, error) {
	switch role {
	case judge.Ours:
		return l.Ours, nil
	case judge.Peer:
		return l.Peer, nil
	}
	return side.Floor(side.Kind(role))
}

// settings are those of a workload.
func (l *Lab) settings(w *Workload) side.Settings {
	s := side.Settings{Properties: maps.Clone(base), Memory: l.Memory, Heap: w.Heap, Nodes: w.Nodes}
	maps.Copy(s.Properties, w.Properties)
	if w.Memory > 0 {
		s.Memory = w.Memory
	}
	if w.Pinned && !l.Unpinned && machine.CPUs > 1 {
		s.CPUs = []int{0}
	}
	return s
}

// Configuration is what both sides of a workload are started with, as text.
func (l *Lab) Configuration(w *Workload) string {
	s := l.settings(w)
	if s.Heap == "" {
		s.Heap = side.DefaultHeap
	}
	cpus := "all CPUs"
	if len(s.CPUs) > 0 {
		cpus = fmt.Sprint("CPUs ", s.CPUs)
	}
	nodes := ""
	if s.Nodes > 1 {
		nodes = fmt.Sprintf("%d nodes that share ", s.Nodes)
	}
	return fmt.Sprintf("%v, %s%.4g GiB of memory, JVM heap %s, %s", s.Properties, nodes, float64(s.Memory)/(1<<30), s.Heap, cpus)
}

// folder makes the name of a fresh directory.
func (l *Lab) folder(role string) string {
	l.count++
	return filepath.Join(l.Dir, fmt.Sprintf("%s-%d", role, l.count))
}

// running gives the side of a role with the settings of a workload: the one that runs, if they are the same.
func (l *Lab) running(ctx context.Context, role string, w *Workload) (*side.Side, error) {
	settings := l.settings(w)
	key := fmt.Sprint(settings)
	if l.sides[role] != nil && l.keys[role] == key && l.sides[role].Running() {
		return l.sides[role], nil
	}
	if err := l.drop(role); err != nil {
		return nil, err
	}
	p, err := l.program(role)
	if err != nil {
		return nil, err
	}
	s, err := side.Start(ctx, p, l.folder(role), settings, l.Ports)
	if s != nil {
		l.sides[role], l.keys[role] = s, key
	}
	if err == nil && s.Ungrouped() != "" && !l.saidUngrouped {
		l.saidUngrouped = true
		l.Note("the memory of the sides was not limited: " + s.Ungrouped())
	}
	return s, err
}

// drop ends the side of a role and what it had warmed up.
func (l *Lab) drop(role string) error {
	s := l.sides[role]
	delete(l.sides, role)
	maps.DeleteFunc(l.warmed, func(key string, _ bool) bool { return len(key) > len(role) && key[:len(role)+1] == role+" " })
	return s.Discard()
}

// used is the CPU time of everything that this process has started, and its own.
func (l *Lab) used(more ...*side.Side) (time.Duration, error) {
	self, err1 := machine.SelfCPU()
	children, err2 := machine.ChildrenCPU()
	sum := self + children
	seen := map[*side.Side]bool{}
	for _, s := range more {
		seen[s] = true
	}
	for _, s := range l.sides {
		seen[s] = true
	}
	for s := range seen {
		if !s.Running() {
			continue
		}
		cpu, err := s.CPU()
		if err != nil && s.Running() {
			return 0, err
		}
		sum += cpu
	}
	return sum, errors.Join(err1, err2)
}

// Open makes a lab ready.
func (l *Lab) Open() {
	l.sides, l.keys, l.warmed = map[string]*side.Side{}, map[string]string{}, map[string]bool{}
}

// Echo gives the echo server that controls the tails of a stand's row; it runs where the row's server runs.
func (s *Stand) Echo(ctx context.Context) (*side.Side, error) {
	return s.running(ctx, string(side.Echo), s.w)
}
