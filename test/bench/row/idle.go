package row

import (
	"context"

	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

func idleRows() []*stage.Workload {
	return []*stage.Workload{{Key: "21/idle", Path: "idle", Floors: []string{"bare"},
		Prepare: func(_ context.Context, s *stage.Stand) error {
			_, err := s.Fresh(1000, nil)
			return err
		},
		Run: func(ctx context.Context, s *stage.Stand) error {
			w, err := s.Measure(func() (load.Done, error) { return load.Done{}, s.Watch(ctx, s.Rest) })
			if err == nil {
				s.Set("% of a core", 100*w.Server.Seconds()/w.Took.Seconds())
			}
			return err
		}}}
}
