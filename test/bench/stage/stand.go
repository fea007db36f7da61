package stage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/side"
)

// Workload is how a series of a row is run.
type Workload struct {
	Key    string // of the series: "1/replayer"
	Path   string // what it warms up; series with the same path warm each other
	Bulk   bool   // warm it up with bytes, too
	Pinned bool
	Procs  int      // Go threads of the client at once; 0 is one for each CPU that it has
	Floors []string // bare servers that run it too
	Alone  bool     // ours alone

	Properties map[string]string
	Memory     int64
	Heap       string
	Nodes      int // of a side; topics have as many replicas; 0 is one

	// Own says that Run starts sides itself, and that none is running meanwhile.
	Own bool
	// OwnFiles says that Run looks at the side's files.
	OwnFiles bool
	// Prepare is called once for each side, before it is warmed up.
	Prepare func(context.Context, *Stand) error
	// Run is one timed run.
	Run func(context.Context, *Stand) error
	// Ready says why the workload can't run on a side, or nil; nil where it always can.
	Ready func(context.Context, *Stand) error
}

// Stand is one side in one run: what a workload works with, and what it leaves.
type Stand struct {
	*Lab
	Role    string
	Side    *side.Side // of a workload that is Own, it has not been made
	Program *side.Program
	// Kept is what Prepare leaves for the runs.
	Kept map[string]any

	w      *Workload
	topics []string
	own    []*side.Side
	run    *judge.Run
	total  machine.Times // of the windows
	others time.Duration // of them: neither ours nor the kernel's
}

// Set notes a figure of the run. CPU time that nobody counts is none.
func (s *Stand) Set(name string, value float64) {
	if s.Program.Counted() || !strings.HasPrefix(name, "CPU") && !strings.HasPrefix(name, "% of a core") {
		s.run.Values[name] = value
	}
}

// SetControl notes the echo control's figure of the same name.
func (s *Stand) SetControl(name string, value float64) {
	if s.run.Control == nil {
		s.run.Control = map[string]float64{}
	}
	s.run.Control[name] = value
}

// Limit is that of a load of the workload W, times over.
func (s *Stand) Limit(times int64) load.Limit {
	return load.Limit{Bytes: times * s.Bytes, Time: s.Longest}
}

// Replicas are those of a fresh topic's partitions.
func (s *Stand) Replicas() int16 { return int16(max(1, s.w.Nodes)) }

// Fresh makes a topic with a name of its own, which is deleted after the run (or with the row, in Prepare).
func (s *Stand) Fresh(partitions int32, configs map[string]string) (string, error) {
	return s.create(load.Topic{Partitions: partitions, Replicas: s.Replicas(), Configs: configs})
}

// Placed is Fresh with the replicas of each partition on chosen nodes, the leader's first.
func (s *Stand) Placed(replicas [][]int32) (string, error) {
	return s.create(load.Topic{Assigned: replicas, Partitions: int32(len(replicas)), Replicas: int16(len(replicas[0]))})
}

func (s *Stand) create(t load.Topic) (string, error) {
	s.count++
	t.Name = fmt.Sprintf("bench-%d", s.count)
	s.topics = append(s.topics, t.Name)
	return t.Name, load.Create(s.Side.Address, t)
}

// Begin makes a side of its own for a workload that is Own, on a directory; "" is a fresh one. It is not started yet.
func (s *Stand) Begin(ctx context.Context, dir string) (*side.Side, error) {
	if dir == "" {
		dir = s.folder(s.Role)
	}
	made, err := side.New(ctx, s.Program, dir, s.settings(s.w), s.Ports)
	if err == nil {
		s.own, s.Side = append(s.own, made), made
	}
	return made, err
}

// Window is what was measured while something ran.
type Window struct {
	load.Done
	Server, Client time.Duration // CPU
}

// PerGiB is the CPU time for each GiB, in seconds.
func (w Window) PerGiB(cpu time.Duration) float64 {
	return cpu.Seconds() / (float64(w.Bytes) / (1 << 30))
}

// Rate is something a second.
func (w Window) Rate(n int64) float64 { return float64(n) / w.Took.Seconds() }

// Measure runs f and takes the accounts of both sides and of the machine. A run may have several windows.
func (s *Stand) Measure(f func() (load.Done, error)) (Window, error) {
	before, err := s.account()
	if err != nil {
		return Window{}, err
	}
	began := time.Now()
	done, err := f()
	took := time.Since(began)
	if err != nil {
		return Window{}, err
	}
	after, err := s.account()
	if err != nil {
		return Window{}, err
	}
	if done.Took == 0 {
		done.Took = took
	}
	w := Window{Done: done, Server: after.server - before.server, Client: after.client - before.client + done.ClientCPU}
	times := after.times.Sub(before.times)
	s.total.Total, s.total.Steal, s.total.Kernel = s.total.Total+times.Total, s.total.Steal+times.Steal, s.total.Kernel+times.Kernel
	s.others += times.Busy - times.Kernel - (after.used - before.used)
	s.run.Took += took.Seconds()
	s.run.ServerCPU += w.Server.Seconds()
	s.run.ClientCPU += w.Client.Seconds()
	return w, nil
}

// account is what has been used so far.
type account struct {
	times                machine.Times
	server, client, used time.Duration
}

func (s *Stand) account() (account, error) {
	var a account
	var errs [4]error
	if s.Side.Running() {
		a.server, errs[0] = s.Side.CPU()
	}
	a.client, errs[1] = machine.SelfCPU()
	a.used, errs[2] = s.used(append(s.own, s.Side)...) // a workload that is Own may start a side that was kept
	a.times, errs[3] = machine.ReadTimes()
	return a, errors.Join(errs[:]...)
}

// finish completes the run.
func (s *Stand) finish() {
	if total := float64(s.total.Total); total > 0 {
		s.run.Foreign = max(0, float64(s.others)/total)
		s.run.Kernel = float64(s.total.Kernel) / total
		s.run.Steal = float64(s.total.Steal) / total
	}
	s.run.Disturbed = s.Rule.Why(*s.run)
	if s.run.Resident == 0 && s.Side.Running() {
		s.run.Resident, _ = s.Side.Resident() // an account beside the figures
	}
}

// tidy deletes what the run made, and waits until it is gone from the disk.
func (s *Stand) tidy() error {
	var errs []error
	for _, own := range s.own {
		errs = append(errs, own.Discard())
	}
	s.own = nil
	if s.w.Own {
		s.topics = nil // they went with their side
	}
	if len(s.topics) == 0 {
		return errors.Join(errs...)
	}
	before, err := machine.Size(s.Side.Dir)
	errs = append(errs, err)
	for _, t := range s.topics {
		errs = append(errs, load.Delete(s.Side.Address, t))
	}
	s.topics = nil
	// What is deleted goes some time later. It is enough when nothing has gone for a while.
	for still := 0; still < 5 && errors.Join(errs...) == nil; still++ {
		machine.Nap(250 * time.Millisecond)
		now, err := machine.Size(s.Side.Dir)
		errs = append(errs, err)
		if now < before {
			before, still = now, 0
		}
	}
	return errors.Join(errs...)
}

// ErrNotHere says that a workload can't run on what is measured: a setting that it has not, a program that is not there.
var ErrNotHere = errors.New("not here")

// Get is a figure of the run that was noted before.
func (s *Stand) Get(name string) float64 { return s.run.Values[name] }

// Forget takes the topics that were made so far off the list of those to be deleted.
func (s *Stand) Forget() { s.topics = nil }

// Watch waits for so long and does nothing: what is measured meanwhile is the server's own doing.
func (s *Stand) Watch(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
