package row

import (
	"context"
	"net"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

func memoryRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "12/idle", Pinned: true, Own: true, Floors: []string{judge.Bare}, Run: func(ctx context.Context, s *stage.Stand) error {
			if err := started(ctx, s); err != nil {
				return err
			}
			return resident(ctx, s, "MiB", true)
		}},
		{Key: "12/under row 1", Pinned: true, Own: true, Run: loaded},
		{Key: "12/10,000 idle connections", Pinned: true, Own: true, Run: connected},
	}
}

// started starts a side of its own on a fresh directory.
func started(ctx context.Context, s *stage.Stand) error {
	made, err := s.Begin(ctx, "")
	if err != nil {
		return err
	}
	return made.Start(ctx)
}

// resident notes the memory of the side, after a rest where that is wanted.
func resident(ctx context.Context, s *stage.Stand, name string, rest bool) error {
	_, err := s.Measure(func() (load.Done, error) {
		if rest {
			if err := s.Watch(ctx, s.Rest); err != nil {
				return load.Done{}, err
			}
		}
		n, err := s.Side.Resident()
		s.Set(name, float64(n)/(1<<20))
		return load.Done{}, err
	})
	return err
}

func loaded(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	batch, err := load.NewBatch(256<<10, 1000, compress.None)
	if err != nil {
		return err
	}
	topic, err := s.Fresh(partitions, nil)
	if err != nil {
		return err
	}
	_, err = load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: partitions, Conns: conns, Depth: depth, Batch: batch}, s.Limit(1))
	if err != nil {
		return err
	}
	return resident(ctx, s, "MiB", false)
}

// connected opens idle connections, each of which has been answered once.
func connected(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	if err := resident(ctx, s, "MiB before", false); err != nil {
		return err
	}
	all := make([]net.Conn, 0, s.Idle)
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	for range s.Idle {
		c, err := net.Dial("tcp", s.Side.Address)
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := load.Greet(c); err != nil {
			return err
		}
	}
	if err := resident(ctx, s, "MiB", true); err != nil {
		return err
	}
	s.Set("MiB more", s.Get("MiB")-s.Get("MiB before"))
	return nil
}
