package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/side"
)

// tooLong is when a run has failed.
const tooLong = 20 * time.Minute

// Series runs a workload until enough pairs count, or until twice as many were tried.
func (l *Lab) Series(ctx context.Context, w *Workload) error {
	if err := l.pinClient(w); err != nil {
		return err
	}
	roles := []string{judge.Ours}
	if l.Peer != nil && !w.Alone {
		roles = append(roles, judge.Peer)
	}
	stands, err := l.stands(ctx, w, append(roles, w.Floors...))
	defer func() {
		for _, s := range stands {
			_ = s.tidy() // errors of the runs come first
		}
		for _, f := range w.Floors {
			_ = l.drop(f)
		}
	}()
	if err != nil {
		return err
	}
	good := 0
	for pair := 0; good < l.Pairs && pair < 2*l.Pairs; pair++ {
		undisturbed := true
		for _, role := range judge.Order(pair) {
			if stands[role] == nil {
				continue
			}
			run, err := l.once(ctx, w, stands[role], pair)
			if err != nil {
				return err
			}
			undisturbed = undisturbed && run.Disturbed == ""
		}
		if undisturbed {
			good++
		}
		if err := l.floors(ctx, w, stands, pair); err != nil {
			return err
		}
	}
	if good < l.Pairs {
		l.sayf("%s: %d of %d pairs count, and no more are tried", w.Key, good, l.Pairs)
	}
	return nil
}

func (l *Lab) floors(ctx context.Context, w *Workload, stands map[string]*Stand, pair int) error {
	// With three: at the beginning, in the middle and at the end.
	if every := max(1, (l.Pairs-1)/max(1, l.Floors-1)); pair%every != 0 || pair/every >= l.Floors {
		return nil
	}
	for _, f := range w.Floors {
		if _, err := l.once(ctx, w, stands[f], pair); err != nil {
			return err
		}
	}
	return nil
}

// pinClient gives this process the CPUs and threads of the row's client.
func (l *Lab) pinClient(w *Workload) error {
	var cpus []int
	procs := machine.CPUs
	if w.Pinned && !l.Unpinned && machine.CPUs > 1 {
		cpus, procs = []int{1}, 1
	}
	if w.Procs > 0 {
		procs = w.Procs
	}
	return machine.PinSelf(cpus, procs)
}

// stands makes all sides ready: started, prepared, warm.
func (l *Lab) stands(ctx context.Context, w *Workload, roles []string) (map[string]*Stand, error) {
	stands := map[string]*Stand{}
	if w.Own {
		for role := range l.sides {
			if err := l.drop(role); err != nil {
				return nil, err
			}
		}
	}
	for _, role := range roles {
		p, err := l.program(role)
		if err != nil {
			return stands, err
		}
		if p.Kind == side.Running && (w.Own || w.OwnFiles || len(w.Properties) > 0) {
			return stands, fmt.Errorf("%w: %s needs a server that the benchmark starts itself", ErrNotHere, w.Key)
		}
		s := &Stand{Lab: l, Role: role, Program: p, Kept: map[string]any{}, w: w}
		stands[role] = s
		if w.Own {
			continue
		}
		if s.Side, err = l.running(ctx, role, w); err != nil {
			return stands, err
		}
		if w.Ready != nil {
			if err := w.Ready(ctx, s); err != nil {
				return stands, err
			}
		}
	}
	for _, role := range roles {
		if w.Prepare != nil {
			if err := stands[role].prepare(ctx); err != nil {
				return stands, fmt.Errorf("%s, prepare %s: %w", w.Key, role, err)
			}
		}
		if err := l.warm(ctx, w, stands[role]); err != nil {
			return stands, err
		}
	}
	return stands, nil
}

// prepare calls Prepare; what it makes lives as long as the series.
func (s *Stand) prepare(ctx context.Context) error {
	s.run = &judge.Run{Values: map[string]float64{}}
	return s.w.Prepare(ctx, s)
}

// warm runs the workload until the side has had its time and its bytes. What is not a JVM is warm after one run.
func (l *Lab) warm(ctx context.Context, w *Workload, s *Stand) error {
	key := s.Role + " " + w.Path
	if w.Own || l.warmed[key] {
		return nil
	}
	kept := s.topics
	var spent time.Duration
	var bytes float64
	for runs := 0; runs == 0 || s.Program.Kind == side.Kafka && (spent < l.Warm || w.Bulk && bytes < float64(l.WarmBytes)); runs++ {
		s.topics = nil
		began := time.Now()
		run, err := l.timed(ctx, w, s)
		if err != nil {
			return fmt.Errorf("%s, warm up %s: %w", w.Key, s.Program.Name, err)
		}
		spent += time.Since(began)
		bytes += run.Values["MB/s"] * run.Took * 1e6
		if err := s.tidy(); err != nil {
			return err
		}
	}
	s.topics, l.warmed[key] = kept, true
	l.sayf("%s: %s is warm after %.0f s and %.1f GiB", w.Key, s.Program.Name, spent.Seconds(), bytes/(1<<30))
	return nil
}

// once is one run that is kept.
func (l *Lab) once(ctx context.Context, w *Workload, s *Stand, pair int) (*judge.Run, error) {
	unix.Sync()
	if err := l.Fill.Top(); err != nil {
		return nil, err
	}
	kept, own := s.topics, s.own
	s.topics, s.own = nil, nil
	defer func() { s.topics, s.own = kept, own }()
	if err := l.Fill.Give(); err != nil {
		return nil, err
	}
	run, err := l.timed(ctx, w, s)
	if err != nil {
		if !w.Own && !s.Side.Running() {
			err = fmt.Errorf("%w; the server has ended: %s", err, s.Side.Said(15))
		}
		return nil, errors.Join(fmt.Errorf("%s on %s: %w", w.Key, s.Program.Name, err), s.tidy())
	}
	run.Series, run.Side, run.Pair = w.Key, s.Role, pair
	l.sayf("%s", describe(run))
	if err := s.tidy(); err != nil {
		return nil, err
	}
	return run, l.Save(*run)
}

func (l *Lab) timed(ctx context.Context, w *Workload, s *Stand) (*judge.Run, error) {
	s.run = &judge.Run{At: time.Now().UTC(), Values: map[string]float64{}}
	s.total, s.others = machine.Times{}, 0
	ctx, cancel := context.WithTimeout(ctx, tooLong)
	defer cancel()
	err := w.Run(ctx, s)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	s.finish()
	return s.run, nil
}
