package row

import (
	"context"

	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

func idleRows() []*stage.Workload {
	return []*stage.Workload{{Key: "21/idle", Path: "idle", Floors: []string{"bare"},
		Prepare: func(ctx context.Context, s *stage.Stand) error {
			if _, err := s.Fresh(1000, nil); err != nil {
				return err
			}
			return s.Watch(ctx, settle)
		},
		Run: func(ctx context.Context, s *stage.Stand) error {
			w, err := s.Measure(func() (load.Done, error) { return load.Done{}, s.Watch(ctx, s.Rest) })
			if err == nil {
				s.Set("% of a core", 100*w.Server.Seconds()/w.Took.Seconds())
			}
			return err
		}}}
}
