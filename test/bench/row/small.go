package row

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

// connections of row 4, each with one request in flight.
const connections = 200

// brief is how long a run is that counts requests; their bytes are few.
const brief = 10 * time.Second

func smallRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "4/replayer", Path: "one record", Pinned: true, Floors: []string{judge.Null, judge.Bare}, Run: oneRecord},
		{Key: "4/franz-go, one record at a time", Path: "one record", Pinned: true, Floors: []string{judge.Null}, Run: franzOneRecord},
	}
}

func oneRecord(ctx context.Context, s *stage.Stand) error {
	batch, err := load.NewBatch(100, 100, compress.None)
	if err != nil {
		return err
	}
	return requests(s, func(topic string) (load.Done, error) {
		return load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: partitions, Conns: connections, Depth: 1, Batch: batch},
			load.Limit{Time: bounded(s.Longest)})
	})
}

func bounded(seconds time.Duration) time.Duration {
	if seconds == 0 {
		return brief
	}
	return min(seconds, brief)
}

func requests(s *stage.Stand, f func(topic string) (load.Done, error)) error {
	topic, err := s.Fresh(partitions, nil)
	if err != nil {
		return err
	}
	w, err := s.Measure(func() (load.Done, error) { return f(topic) })
	if err != nil {
		return err
	}
	s.Set("CPU-us/request", float64(w.Server.Microseconds())/float64(w.Requests))
	s.Set("client CPU-us/request", float64(w.Client.Microseconds())/float64(w.Requests))
	s.Set("requests/s", w.Rate(w.Requests))
	return nil
}

// franzOneRecord has 50 clients of franz-go that each wait for a record before they send the next.
func franzOneRecord(ctx context.Context, s *stage.Stand) error {
	const clients = 50
	return requests(s, func(topic string) (load.Done, error) {
		all := make([]*kgo.Client, clients)
		for i := range all {
			var err error
			all[i], err = kgo.NewClient(kgo.SeedBrokers(s.Side.Address), kgo.DefaultProduceTopic(topic), kgo.RequiredAcks(kgo.LeaderAck()),
				kgo.DisableIdempotentWrite(), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
			if err != nil {
				return load.Done{}, err
			}
			defer all[i].Close()
			if err := all[i].ProduceSync(ctx, &kgo.Record{Value: make([]byte, 100)}).FirstErr(); err != nil { // connect
				return load.Done{}, err
			}
		}
		return oneByOne(ctx, all, bounded(s.Longest))
	})
}

func oneByOne(ctx context.Context, clients []*kgo.Client, length time.Duration) (load.Done, error) {
	began := time.Now()
	counts, errs := make([]int64, len(clients)), make([]error, len(clients))
	var group sync.WaitGroup
	for i, cl := range clients {
		group.Go(func() {
			for ; time.Since(began) < length && errs[i] == nil; counts[i]++ {
				errs[i] = cl.ProduceSync(ctx, &kgo.Record{Value: make([]byte, 100)}).FirstErr()
			}
		})
	}
	group.Wait()
	done := load.Done{Took: time.Since(began)}
	for i := range counts {
		if errs[i] != nil {
			return done, errs[i]
		}
		done.Requests += counts[i]
	}
	return done, nil
}
