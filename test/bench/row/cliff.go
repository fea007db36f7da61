package row

import (
	"context"
	"errors"
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/probe"
	"github.com/ottla/ottla/test/bench/stage"
)

func cliffRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "10/cliff", Path: "cliff", Pinned: true, Procs: probe.Procs + 2, Memory: 1638 << 20, Heap: "768m", Floors: []string{judge.Bare}, Prepare: fillOld, Run: cliff},
		{Key: "10/group of 1 GiB", Path: "cliff", Pinned: true, Procs: probe.Procs + 2, Memory: 1 << 30, Heap: "512m", Floors: []string{judge.Bare}, Prepare: fillOld, Run: cliff},
	}
}

// fillOld writes the data that the cold reader reads: more than the group can keep in memory.
func fillOld(ctx context.Context, s *stage.Stand) error {
	topic, err := s.Fresh(4, nil)
	if err != nil {
		return err
	}
	batch, err := load.NewBatch(256<<10, 1000, compress.None)
	if err != nil {
		return err
	}
	s.Kept["old"] = topic
	_, err = load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: 4, Conns: 4, Depth: 2, Batch: batch}, load.Limit{Bytes: s.Old})
	return err
}

// cliff probes twice, for half of the time each: alone, and beside a reader of the old data.
func cliff(ctx context.Context, s *stage.Stand) error {
	p := row5
	p.Rate, p.Length = 10_000, s.Latency/2
	if err := aim(s, &p); err != nil {
		return err
	}
	if err := endToEnd(ctx, s, p, " alone"); err != nil {
		return err
	}
	if err := control(ctx, s, p, " alone"); err != nil {
		return err
	}
	cold, stop := context.WithCancel(ctx)
	defer stop()
	type read struct {
		done load.Done
		err  error
	}
	result := make(chan read, 1)
	go func() {
		done, err := load.Fetch(cold, s.Side.Address, load.Reading{Topic: s.Kept["old"].(string), Partitions: 4, Conns: 1, MaxBytes: 1 << 20}, load.Limit{})
		result <- read{done, err}
	}()
	began := time.Now()
	err := endToEnd(ctx, s, p, " beside")
	took := time.Since(began)
	stop()
	r := <-result
	if !errors.Is(r.err, context.Canceled) {
		err = errors.Join(err, r.err)
	}
	if err != nil {
		return err
	}
	if err := control(ctx, s, p, " beside"); err != nil {
		return err
	}
	s.Set("cold MB/s", float64(r.done.Bytes)/took.Seconds()/1e6)
	s.Set("p99 beside/alone", s.Get("p99 ms beside")/max(s.Get("p99 ms alone"), 1e-6))
	return nil
}
