package row

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/probe"
	"github.com/ottla/ottla/test/bench/side"
	"github.com/ottla/ottla/test/bench/stage"
)

// three are the nodes of a cluster, each broker and controller.
const three = 3

// durably are the properties of rows with acks=all.
var durably = map[string]string{"min.insync.replicas": "2"}

// fault is what happens to one node of three.
type fault struct {
	controller bool // to the active controller
	leaderless bool // to one that leads no partition that is written to
	strike     func(*side.Node) error
}

func failoverRows() []*stage.Workload {
	kill, stop := (*side.Node).Kill, (*side.Node).Stop
	row := func(name string, f fault) *stage.Workload {
		return &stage.Workload{Key: "16/" + name, Path: "failover", Nodes: three, Properties: durably, Run: func(ctx context.Context, s *stage.Stand) error {
			return failover(ctx, s, f)
		}}
	}
	return []*stage.Workload{
		row("kill -9 of a broker", fault{strike: kill}),
		row("kill -9 of the active controller", fault{strike: kill, controller: true}),
		row("clean stop", fault{strike: stop}),
		row("kill -9 of a follower", fault{strike: kill, leaderless: true}),
	}
}

// written is how many partitions are written to while a node fails.
const written = 60

// failover lets nodes fail, one after the other and each whole again before the next, and takes the longest time that any partition
// was without an acknowledged write.
func failover(ctx context.Context, s *stage.Stand, f fault) error {
	var gaps []float64
	faults := s.Faults
	if s.Role == judge.Peer {
		faults = s.PeerFaults
	}
	for range faults {
		_, err := s.Measure(func() (load.Done, error) {
			gap, err := f.once(ctx, s)
			gaps = append(gaps, ms(gap))
			return load.Done{}, err
		})
		if err != nil {
			return err
		}
	}
	s.Set("gap ms", judge.Median(gaps))
	s.Set("longest gap ms", slices.Max(gaps))
	return nil
}

func (f fault) once(ctx context.Context, s *stage.Stand) (time.Duration, error) {
	victim, err := f.victim(s.Side)
	if err != nil {
		return 0, err
	}
	topic, err := s.Placed(f.placed(s.Side, victim.ID))
	if err != nil {
		return 0, err
	}
	gap, err := f.gap(ctx, s.Side, victim, topic)
	if err != nil {
		return 0, err
	}
	if err := victim.Start(ctx); err != nil {
		return 0, err
	}
	_, err = load.AwaitSynced(victim.Address, topic, three)
	return gap, err
}

// gap has a node fail under writes.
func (f fault) gap(ctx context.Context, s *side.Side, victim *side.Node, topic string) (time.Duration, error) {
	var seeds []string
	for _, n := range s.Nodes {
		seeds = append(seeds, n.Address)
	}
	w, err := probe.Write(ctx, seeds, topic, written)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	if err := w.Await(ctx, time.Now().Add(steady)); err != nil {
		return 0, fmt.Errorf("before the fault: %w", err)
	}
	w.Forget()
	if err := f.strike(victim); err != nil {
		return 0, err
	}
	if err := w.Await(ctx, time.Now().Add(after)); err != nil {
		return 0, fmt.Errorf("after the fault of node %d: %w", victim.ID, err)
	}
	return w.Longest(), nil
}

const (
	// steady is how long writes go on before a fault, and after how long after it.
	steady = time.Second
	after  = time.Second
)

// victim is the node that fails: the active controller, or the first that is not.
func (f fault) victim(s *side.Side) (*side.Node, error) {
	for deadline := time.Now().Add(time.Minute); ; machine.Nap(50 * time.Millisecond) {
		active, err := load.Controller(s.Address)
		if err == nil {
			for _, n := range s.Nodes {
				if (n.ID == active) == f.controller {
					return n, nil
				}
			}
			err = fmt.Errorf("node %d is the active controller, and no node of this cluster", active)
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
}

// placed puts a replica of each partition on each node. All lead the same number of partitions, except for one that is to lead none.
func (f fault) placed(s *side.Side, victim int32) [][]int32 {
	var all [][]int32
	for turn := 0; len(all) < written; turn++ {
		var replicas []int32
		for i := range s.Nodes {
			replicas = append(replicas, s.Nodes[(turn+i)%len(s.Nodes)].ID)
		}
		if !f.leaderless || replicas[0] != victim {
			all = append(all, replicas)
		}
	}
	return all
}
