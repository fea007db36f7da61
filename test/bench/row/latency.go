package row

import (
	"context"
	"time"

	"github.com/ottla/ottla/internal/histogram"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/probe"
	"github.com/ottla/ottla/test/bench/stage"
)

// plan is what the probe of row 5 sends.
func plan(topic string, length time.Duration) probe.Plan {
	return probe.Plan{Topic: topic, Rate: 5000, Producers: 4, Size: 1024, Length: length}
}

func latencyRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "5/warm", Path: "end to end", Pinned: true, Procs: probe.Procs, Floors: []string{"bare"}, Run: warmLatency},
		{Key: "5/first 15 s after the start", Pinned: true, Procs: probe.Procs, Own: true, Run: firstLatency},
	}
}

func warmLatency(ctx context.Context, s *stage.Stand) error {
	topic, err := s.Fresh(4, nil)
	if err != nil {
		return err
	}
	p := plan(topic, s.Latency)
	if err := endToEnd(ctx, s, p, ""); err != nil {
		return err
	}
	return control(ctx, s, p, "")
}

// endToEnd measures a probe and notes its quantiles; behind is what their names end with.
func endToEnd(ctx context.Context, s *stage.Stand, p probe.Plan, behind string) error {
	var h *histogram.Histogram
	w, err := s.Measure(func() (load.Done, error) {
		var err error
		h, err = probe.EndToEnd(ctx, s.Side.Address, p)
		return load.Done{}, err
	})
	if err != nil {
		return err
	}
	quantiles(h, behind, s.Set)
	s.Set("max ms"+behind, ms(h.Max()))
	s.Set("% of a core"+behind, 100*w.Server.Seconds()/w.Took.Seconds())
	return nil
}

func quantiles(h *histogram.Histogram, behind string, set func(string, float64)) {
	set("p50 ms"+behind, ms(h.At(.5)))
	set("p99 ms"+behind, ms(h.At(.99)))
	set("p99.9 ms"+behind, ms(h.At(.999)))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// control drives an echo server on the server's CPUs at the same pace, right after the run, for a quarter of its time.
func control(ctx context.Context, s *stage.Stand, p probe.Plan, behind string) error {
	if s.Role == judge.Null || s.Role == judge.Bare {
		return nil
	}
	echo, err := s.Echo(ctx)
	if err != nil {
		return err
	}
	p.Length = max(p.Length/4, time.Second)
	h, err := probe.EchoControl(ctx, echo.Address, p)
	if err != nil {
		return err
	}
	quantiles(h, behind, s.SetControl)
	return nil
}

// firstLatency probes a server in its first 15 s: what a deployment or a crash does to those who wait.
func firstLatency(ctx context.Context, s *stage.Stand) error {
	started, err := s.Begin(ctx, "")
	if err != nil {
		return err
	}
	if err := started.Start(ctx); err != nil {
		return err
	}
	topic, err := s.Fresh(4, nil)
	if err != nil {
		return err
	}
	p := plan(topic, min(s.Latency, 15*time.Second))
	if err := endToEnd(ctx, s, p, ""); err != nil {
		return err
	}
	return control(ctx, s, p, "")
}
