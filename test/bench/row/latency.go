package row

import (
	"context"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/histogram"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/probe"
	"github.com/ottla/ottla/test/bench/stage"
)

// row5 and row6 are what the probe of these rows sends.
var (
	row5 = probe.Plan{Rate: 5000, Producers: 4, Size: 1024}
	row6 = probe.Plan{Rate: 2000, Producers: 4, Size: 1024, All: true}
)

func latencyRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "5/warm", Path: "end to end", Pinned: true, Procs: probe.Procs, Floors: []string{judge.Bare}, Run: latency(row5)},
		{Key: "5/first 15 s after the start", Pinned: true, Procs: probe.Procs, Own: true, Run: firstLatency(row5)},
		{Key: "6/warm", Path: "end to end, replicated", Procs: probe.Procs, Nodes: three, Properties: durably, Run: latency(row6)},
		{Key: "6/first 15 s after the start", Procs: probe.Procs, Nodes: three, Properties: durably, Own: true, Run: firstLatency(row6)},
		{Key: "7/probe", Path: "end to end, replicated", Procs: probe.Procs, Nodes: three, Properties: durably, Run: highestRate},
	}
}

// latency leaves out what comes of the topic's being new: a follower of Apache Kafka that asks before its leader is ready asks again after a second
// (replica.fetch.backoff.ms), and every record waits for it until then.
func latency(p probe.Plan) func(context.Context, *stage.Stand) error {
	p.Lead = 2 * time.Second
	return func(ctx context.Context, s *stage.Stand) error { return probed(ctx, s, p, s.Latency) }
}

// probed measures a probe on a fresh topic, and its control.
func probed(ctx context.Context, s *stage.Stand, p probe.Plan, length time.Duration) error {
	if err := aim(s, &p); err != nil {
		return err
	}
	p.Length = length
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
	p.Lead, p.Length = 0, max(p.Length/4, time.Second)
	h, err := probe.EchoControl(ctx, echo.Address, p)
	if err != nil {
		return err
	}
	quantiles(h, behind, s.SetControl)
	return nil
}

// firstLatency probes a server in its first 15 s: what a deployment or a crash does to those who wait.
func firstLatency(p probe.Plan) func(context.Context, *stage.Stand) error {
	return func(ctx context.Context, s *stage.Stand) error {
		if err := started(ctx, s); err != nil {
			return err
		}
		return probed(ctx, s, p, min(s.Latency, 15*time.Second))
	}
}

// aim gives a probe a fresh topic and tells it who leads the partitions.
func aim(s *stage.Stand, p *probe.Plan) error {
	topic, err := s.Fresh(int32(p.Producers), nil)
	if err != nil {
		return err
	}
	p.Topic = topic
	p.Leaders, err = leaders(s, topic)
	return err
}

const (
	// keeps is the tail that a rate of row 7 has to keep.
	keeps = 5 * time.Millisecond
	// step is from one rate to the next, and strides between those that are surely too low.
	step, stride = 1.2, 2
)

// highestRate looks for the highest rate whose tail is within bounds: in strides until one is not, and from the last that is in steps. A rate
// that fails is tried once more, so that a hiccup of the machine does not end it.
func highestRate(ctx context.Context, s *stage.Stand) error {
	p := row6
	if err := aim(s, &p); err != nil {
		return err
	}
	p.Length = min(s.Latency, 10*time.Second)
	best := 0
	for _, by := range []float64{stride, step} {
		for p.Rate = max(row6.Rate/2, int(by*float64(best))); ; p.Rate = int(by * float64(p.Rate)) {
			ok, err := sustains(ctx, s, p)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			best = p.Rate
		}
	}
	s.Set("records/s", float64(best))
	return nil
}

func sustains(ctx context.Context, s *stage.Stand, p probe.Plan) (bool, error) {
	for range 2 {
		if err := endToEnd(ctx, s, p, fmt.Sprintf(" at %d/s", p.Rate)); err != nil {
			return false, err
		}
		if s.Get(fmt.Sprintf("p99 ms at %d/s", p.Rate)) <= ms(keeps) {
			return true, nil
		}
	}
	return false, nil
}
