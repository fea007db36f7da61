package row

import (
	"context"
	"time"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/side"
	"github.com/ottla/ottla/test/bench/stage"
)

func startRows() []*stage.Workload {
	return []*stage.Workload{
		{Key: "13/existing topic (12 partitions, W)", Pinned: true, Own: true, Prepare: leaveW, Run: startExisting},
		{Key: "13/empty directory, format included", Pinned: true, Own: true, Floors: []string{judge.Bare}, Run: startEmpty},
	}
}

// leaveW writes the workload W into a directory and stops the side.
func leaveW(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	if err := fillW(ctx, s); err != nil {
		return err
	}
	s.Forget() // the topic is to stay
	s.Kept["side"] = s.Side
	return s.Side.Stop()
}

func startExisting(ctx context.Context, s *stage.Stand) error {
	s.Side = s.Kept["side"].(*side.Side)
	_, err := s.Measure(func() (load.Done, error) {
		if err := s.Side.Spawn(ctx); err != nil {
			return load.Done{}, err
		}
		err := load.FirstAck(s.Side.Address, s.Kept["topic"].(string), 0)
		s.Set("ms", ms(time.Since(s.Side.Began)))
		return load.Done{}, err
	})
	if err != nil {
		return err
	}
	return s.Side.Stop()
}

func startEmpty(ctx context.Context, s *stage.Stand) error {
	made, err := s.Begin(ctx, "")
	if err != nil {
		return err
	}
	_, err = s.Measure(func() (load.Done, error) {
		began := time.Now()
		if err := made.Spawn(ctx); err != nil {
			return load.Done{}, err
		}
		topic := load.Topic{Name: "first", Partitions: partitions}
		err := load.CreateWhenThere(made.Address, topic)
		if err == nil {
			err = load.FirstAck(made.Address, topic.Name, 0)
		}
		s.Set("ms", ms(time.Since(began)))
		return load.Done{}, err
	})
	return err
}
