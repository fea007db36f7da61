package row

import (
	"context"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/stage"
)

// consumers are the connections of the raw fetcher, which together are one consumer.
const consumers = 4

func fetchRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "8/raw fetcher", Path: "fetch", Bulk: true, Pinned: true, Floors: []string{judge.Bare}, Prepare: fillW, Run: fetchHot},
		{Key: "8/franz-go", Path: "fetch", Bulk: true, Pinned: true, Floors: []string{judge.Bare}, Prepare: fillW,
			Run: func(ctx context.Context, s *stage.Stand) error {
				return hot(s, func(topic string) (load.Done, error) {
					return load.FranzConsume(ctx, s.Side.Address, topic, s.Kept["records"].(int64), s.Limit(3))
				})
			}},
		{Key: "9/raw fetcher", OwnFiles: true, Path: "fetch", Pinned: true, Floors: []string{judge.Bare}, Prepare: fillW, Run: fetchCold},
	}
}

// fillW writes the workload W once; the runs read it.
func fillW(ctx context.Context, s *stage.Stand) error {
	topic, err := s.Fresh(partitions, nil)
	if err != nil {
		return err
	}
	batch, err := load.NewBatch(256<<10, 1000, compress.None)
	if err != nil {
		return err
	}
	done, err := load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: partitions, Conns: conns, Depth: depth, Batch: batch},
		load.Limit{Bytes: s.Bytes})
	s.Kept["topic"], s.Kept["records"] = topic, done.Records
	return err
}

// consumed measures a load on the topic that fillW has written.
func consumed(s *stage.Stand, f func(topic string) (load.Done, error)) error {
	w, err := s.Measure(func() (load.Done, error) { return f(s.Kept["topic"].(string)) })
	if err != nil {
		return err
	}
	setThroughput(s, w)
	return nil
}

// hot is consumed with all of the topic in the page cache: what the other sides wrote and read since may have taken its place.
func hot(s *stage.Stand, f func(topic string) (load.Done, error)) error {
	if dir := s.Side.Dir; dir != "" {
		if err := machine.Read(dir); err != nil {
			return err
		}
	}
	return consumed(s, f)
}

func fetchHot(ctx context.Context, s *stage.Stand) error {
	return hot(s, func(topic string) (load.Done, error) {
		return load.Fetch(ctx, s.Side.Address, load.Reading{Topic: topic, Partitions: partitions, Conns: consumers, MaxBytes: 1 << 20}, s.Limit(3))
	})
}

// fetchCold reads the topic once after its files have left the page cache, and other files have taken their place.
func fetchCold(ctx context.Context, s *stage.Stand) error {
	if err := machine.Forget(s.Side.Dir); err != nil {
		return err
	}
	if err := s.Fill.Top(); err != nil {
		return err
	}
	return consumed(s, func(topic string) (load.Done, error) {
		return load.Fetch(ctx, s.Side.Address, load.Reading{Topic: topic, Partitions: partitions, Conns: consumers, MaxBytes: 1 << 20, Once: true}, s.Limit(1))
	})
}
