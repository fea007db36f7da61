package row

import (
	"context"
	"fmt"

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
		{Key: "17/classic, all join", Prepare: groupTopic, Path: "classic group", Procs: 2, Run: run(false, false)},
		{Key: "17/classic, one leaves", Prepare: groupTopic, Path: "classic group", Procs: 2, Run: run(false, true)},
		{Key: "17/KIP-848, all join", Prepare: groupTopic, Path: "modern group", Procs: 2, Run: run(true, false)},
		{Key: "17/KIP-848, one leaves", Prepare: groupTopic, Path: "modern group", Procs: 2, Run: run(true, true)},
		{Key: "17/commits of one offset, 200 groups", Path: "commits", Run: commits},
		{Key: "17/1,000 classic groups of one member at rest", Own: true, Run: groupsAtRest},
	}
}

// groupTopic makes the topic of the members of all runs.
func groupTopic(_ context.Context, s *stage.Stand) error {
	topic, err := s.Fresh(groupPartitions, nil)
	s.Kept["topic"] = topic
	return err
}

// rebalance has all members join, or one leave a group that is stable. The group is new each time.
func rebalance(ctx context.Context, s *stage.Stand, modern, leave bool) error {
	topic := s.Kept["topic"].(string)
	groups, _ := s.Kept["groups"].(int)
	s.Kept["groups"] = groups + 1
	group := fmt.Sprintf("group-%d-of-%s", groups, topic)
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

// commits has consumers without a group's members commit one offset each, again and again.
func commits(ctx context.Context, s *stage.Stand) error {
	topic, err := s.Fresh(1, nil)
	if err != nil {
		return err
	}
	if err := load.AwaitCoordinator(s.Side.Address, "commits-0", topic); err != nil {
		return err
	}
	w, err := s.Measure(func() (load.Done, error) {
		return load.Repeat(ctx, s.Side.Address, connections, bounded(s.Longest), func(c *load.Conn, i int) []byte {
			return c.Frame(load.CommitRequest(fmt.Sprintf("commits-%d", i), topic))
		}, load.Committed)
	})
	if err != nil {
		return err
	}
	s.Set("CPU-us/commit", float64(w.Server.Microseconds())/float64(w.Requests))
	s.Set("client CPU-us/commit", float64(w.Client.Microseconds())/float64(w.Requests))
	s.Set("commits/s", w.Rate(w.Requests))
	return nil
}

// groupsAtRest looks at what groups cost that do nothing.
func groupsAtRest(ctx context.Context, s *stage.Stand) error {
	if err := started(ctx, s); err != nil {
		return err
	}
	topic, err := s.Fresh(1, nil)
	if err != nil {
		return err
	}
	if err := load.AwaitCoordinator(s.Side.Address, "group-0", topic); err != nil {
		return err
	}
	if err := resident(ctx, s, "MiB before", false); err != nil {
		return err
	}
	for i := range 1000 {
		if err := members.Lone(s.Side.Address, fmt.Sprintf("group-%d", i+1), topic); err != nil {
			return err
		}
	}
	w, err := s.Measure(func() (load.Done, error) { return load.Done{}, s.Watch(ctx, s.Rest) })
	if err != nil {
		return err
	}
	s.Set("% of a core", 100*w.Server.Seconds()/w.Took.Seconds())
	if err := resident(ctx, s, "MiB", false); err != nil {
		return err
	}
	s.Set("MiB more", s.Get("MiB")-s.Get("MiB before"))
	return nil
}
