package row

import (
	"context"

	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/members"
	"github.com/ottla/ottla/test/bench/stage"
)

// The group of row 17.
const (
	groupMembers    = 500
	groupPartitions = 1000
)

func rebalanceRows() []*stage.Workload {
	run := func(modern, leave bool) func(context.Context, *stage.Stand) error {
		return func(ctx context.Context, s *stage.Stand) error { return rebalance(ctx, s, modern, leave) }
	}
	return []*stage.Workload{
		{Key: "17/classic, all join", Path: "classic group", Procs: 2, Run: run(false, false)},
		{Key: "17/classic, one leaves", Path: "classic group", Procs: 2, Run: run(false, true)},
		{Key: "17/KIP-848, all join", Path: "modern group", Procs: 2, Run: run(true, false)},
		{Key: "17/KIP-848, one leaves", Path: "modern group", Procs: 2, Run: run(true, true)},
	}
}

// rebalance has all members join, or one leave a group that is stable. The group is new each time.
func rebalance(ctx context.Context, s *stage.Stand, modern, leave bool) error {
	topic, err := s.Fresh(groupPartitions, nil)
	if err != nil {
		return err
	}
	group := "group-of-" + topic
	if err := load.AwaitCoordinator(s.Side.Address, group+"-probe", topic); err != nil {
		return err
	}
	crowd, err := members.Dial(s.Side.Address, members.Plan{Group: group, Topic: topic, Members: groupMembers, Partitions: groupPartitions, Modern: modern})
	if err != nil {
		return err
	}
	defer crowd.Close()
	timed := crowd.Join
	if leave {
		if err := crowd.Join(ctx); err != nil {
			return err
		}
		timed = crowd.Leave
	}
	w, err := s.Measure(func() (load.Done, error) { return load.Done{}, timed(ctx) })
	if err != nil {
		return err
	}
	s.Set("s", w.Took.Seconds())
	s.Set("CPU-s", w.Server.Seconds())
	return nil
}
