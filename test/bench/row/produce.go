package row

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

// The traffic of the replayer: as much in flight as keeps any server busy.
const (
	conns = 6
	depth = 4
)

func produceRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "1/replayer", Path: "produce", Bulk: true, Pinned: true, Floors: []string{judge.Null, judge.Bare}, Run: replay(256<<10, 1000, nil)},
		{Key: "1/franz-go", Path: "produce", Bulk: true, Pinned: true, Floors: []string{judge.Null, judge.Bare},
			Run: func(ctx context.Context, s *stage.Stand) error {
				return produced(s, partitions, nil, func(topic string) (load.Done, error) {
					return load.FranzProduce(ctx, s.Side.Address, topic, 1000, s.Limit(1))
				})
			}},
		{Key: "3/batches of 64 KiB", Path: "small records", Bulk: true, Pinned: true, Floors: []string{judge.Null, judge.Bare}, Run: replay(64<<10, 100, nil)},
		{Key: "3/records of 1 KiB in batches of 16 KiB", Path: "small batches", Bulk: true, Pinned: true, Floors: []string{judge.Null, judge.Bare},
			Run: replay(16<<10, 1000, nil)},
		{Key: "2/replayer", Path: "replicated produce", Bulk: true, Nodes: three, Properties: durably, Run: replay(256<<10, 1000, nil)},
		{Key: "2/franz-go", Path: "replicated produce", Bulk: true, Nodes: three, Properties: durably,
			Run: func(ctx context.Context, s *stage.Stand) error {
				return produced(s, partitions, nil, func(topic string) (load.Done, error) {
					return load.FranzProduce(ctx, s.Side.Address, topic, 1000, s.Limit(1), kgo.RequiredAcks(kgo.AllISRAcks()))
				})
			}},
	}
}

// replay is a run of the replayer with batches of size bytes and records of each.
func replay(size, each int, configs map[string]string) func(context.Context, *stage.Stand) error {
	return func(ctx context.Context, s *stage.Stand) error {
		batch, err := load.NewBatch(size, each, compress.None)
		if err != nil {
			return err
		}
		return produced(s, partitions, configs, func(topic string) (load.Done, error) {
			at, err := leaders(s, topic)
			if err != nil {
				return load.Done{}, err
			}
			traffic := load.Traffic{Topic: topic, Partitions: partitions, Conns: conns, Depth: depth, Batch: batch, All: at != nil, Leaders: at}
			return load.Replay(ctx, s.Side.Address, traffic, s.Limit(1))
		})
	}
}

// leaders are the addresses of a topic's leaders; nil where one node leads all.
func leaders(s *stage.Stand, topic string) ([]string, error) {
	if s.Replicas() == 1 {
		return nil, nil
	}
	told, err := load.Ask(s.Side.Address, topic)
	return told.Addresses(), err
}

// produced measures a load on a fresh topic.
func produced(s *stage.Stand, partitions int32, configs map[string]string, f func(topic string) (load.Done, error)) error {
	topic, err := s.Fresh(partitions, configs)
	if err != nil {
		return err
	}
	w, err := s.Measure(func() (load.Done, error) { return f(topic) })
	if err != nil {
		return err
	}
	setThroughput(s, w)
	return nil
}

func setThroughput(s *stage.Stand, w stage.Window) {
	s.Set("CPU-s/GiB", w.PerGiB(w.Server))
	s.Set("client CPU-s/GiB", w.PerGiB(w.Client))
	s.Set("MB/s", w.Rate(w.Bytes)/1e6)
	s.Set("records/s", w.Rate(w.Records))
}
