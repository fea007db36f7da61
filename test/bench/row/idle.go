package row

import (
	"context"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

func idleRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "21/idle", Path: "idle", Floors: []string{judge.Bare}, Prepare: thousand, Run: idle},
		{Key: "21/three empty nodes", Nodes: three, Properties: durably, Own: true, Run: func(ctx context.Context, s *stage.Stand) error {
			if err := started(ctx, s); err != nil {
				return err
			}
			if err := load.AwaitBrokers(s.Side.Address, three); err != nil {
				return err
			}
			if err := s.Watch(ctx, settle); err != nil {
				return err
			}
			if err := idle(ctx, s); err != nil {
				return err
			}
			return resident(ctx, s, "MiB", false)
		}},
		{Key: "21/three nodes, 1,000 partitions, RF3", Path: "idle, replicated", Nodes: three, Properties: durably, Prepare: thousand,
			Run: func(ctx context.Context, s *stage.Stand) error {
				err := idle(ctx, s)
				s.Set("% of a core a node", s.Get("% of a core")/three)
				return err
			}},
	}
}

// thousand makes the partitions that nobody uses.
func thousand(ctx context.Context, s *stage.Stand) error {
	if _, err := s.Fresh(1000, nil); err != nil {
		return err
	}
	return s.Watch(ctx, settle)
}

// idle measures a server that nobody asks for anything.
func idle(ctx context.Context, s *stage.Stand) error {
	w, err := s.Measure(func() (load.Done, error) { return load.Done{}, s.Watch(ctx, s.Rest) })
	if err == nil {
		s.Set("% of a core", 100*w.Server.Seconds()/w.Took.Seconds())
	}
	return err
}
