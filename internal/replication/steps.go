package replication

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// Steps decides what an Engine does and leaves the asking to its caller, in one goroutine. Options.Dial and Options.Controller are not used.
type Steps struct {
	o        Options
	sources  sources
	asking   map[kafka.NodeID]*source // whose request is on its way, to a leader's node
	alters   alters
	altering []partition.Proposed // in the request that is on its way; nil without one
	again    time.Time            // not before is the controller asked once more
}

// NewSteps returns steps that follow nothing.
func NewSteps(o Options) *Steps {
	return &Steps{o: o, asking: make(map[kafka.NodeID]*source), sources: newSources(context.Background()), alters: newAlters()}
}

// Moved is Engine.Moved.
func (s *Steps) Moved(all []*partition.Partition) { s.sources.moved(&s.o, all) }

// Propose is Engine.Propose.
func (s *Steps) Propose(p partition.Proposed) { s.alters.add(p) }

// Ask is a request for a leader's node.
type Ask struct {
	Leader  kafka.NodeID
	Request kmsg.Request
}

// Asks returns what is to be asked now of the leaders' nodes to which nothing is on its way, and when there will be more, the zero time for
// when something changes. The outcome of each is for Answered.
func (s *Steps) Asks(now time.Time) (all []Ask, next time.Time) {
	for leader, source := range s.sources.byLeader {
		select {
		case <-source.wake:
			source.hurry()
		default:
		}
		if s.asking[leader] != nil {
			continue
		}
		req, at := source.ask(now)
		switch {
		case req != nil:
			s.asking[leader] = source
			all = append(all, Ask{leader, req})
		case next.IsZero() || !at.IsZero() && at.Before(next):
			next = at
		}
	}
	slices.SortFunc(all, func(a, b Ask) int { return cmp.Compare(a.Leader, b.Leader) })
	return all, next
}

// Answered takes in the answer of a leader's node, or that there is none. When nothing that was asked for is followed from there any more, it is of no
// use.
func (s *Steps) Answered(leader kafka.NodeID, answer kmsg.Response, err error, now time.Time) {
	source := s.asking[leader]
	delete(s.asking, leader)
	if source.life.Err() != nil {
		return
	}
	if err := source.take(answer, err, now); err != nil {
		s.o.Log.Debug("a leader's node can't be followed for now", "leader", leader, "err", err)
	}
}

// Alteration returns what the controller is to be asked for now, and false if that is nothing. Its outcome is for Altered.
func (s *Steps) Alteration(now time.Time) (controller.AlterPartition, bool) {
	if s.altering != nil || now.Before(s.again) {
		return controller.AlterPartition{}, false
	}
	if s.altering = s.alters.take(); len(s.altering) == 0 {
		s.altering = nil
		return controller.AlterPartition{}, false
	}
	return s.o.alteration(s.altering), true
}

// Altered takes in the controller's answer, or that there is none.
func (s *Steps) Altered(resp *kmsg.AlterPartitionResponse, err error, now time.Time) {
	all := s.altering
	s.altering = nil
	if !s.o.altered(all, resp, err) {
		s.again = now.Add(pauseAfterAlter)
	}
}
