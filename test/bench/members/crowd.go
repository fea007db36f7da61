package members

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ottla/ottla/test/bench/load"
)

// Plan is the group.
type Plan struct {
	Group, Topic string
	Members      int
	Partitions   int
	Modern       bool // KIP-848
}

// heartbeat is how often a classic member asks, as clients do by default. A modern one does as it is told.
const heartbeat = 3 * time.Second

// patience bounds the wait for the group.
const patience = 3 * time.Minute

// member is one of a crowd. It belongs to one goroutine.
type member interface {
	// step heartbeats, or joins again when that is due, and returns when it wants to be called again.
	step() (time.Duration, error)
	leave() error
	close()
}

// Crowd is a group whose members run.
type Crowd struct {
	plan    Plan
	members []member
	over    chan struct{}
	gone    []chan struct{} // closed to have a member leave
	left    []chan struct{} // closed when its goroutine has ended
	failed  chan error
	settled *settling
}

// settling is a group on its way: how each member stands.
type settling struct {
	mu    sync.Mutex
	plan  Plan
	n     int // members that the group is to have
	state map[member]standing
	goal  int // the classic generation of all, as soon as that is known
	ready chan struct{}
}

// standing is what a member has.
type standing struct {
	generation int // classic
	partitions int // modern: confirmed
}

// expect begins the wait for a group of n members without one that has left.
func (s *settling) expect(n int, without member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state, without)
	s.n, s.goal, s.ready = n, 0, make(chan struct{})
}

// report tells how a member stands; whole says that the group is complete in its generation.
func (s *settling) report(m member, now standing, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[m] = now
	if whole {
		s.goal = max(s.goal, now.generation)
	}
	if !s.stable() {
		return
	}
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
}

// stable says whether all members have all that they are to have.
func (s *settling) stable() bool {
	if len(s.state) != s.n {
		return false
	}
	sum := 0
	for _, st := range s.state {
		sum += st.partitions
		if s.plan.Modern && st.partitions < s.plan.Partitions/s.n || !s.plan.Modern && (s.goal == 0 || st.generation < s.goal) {
			return false
		}
	}
	return !s.plan.Modern || sum == s.plan.Partitions
}

func (s *settling) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Dial connects all members; nobody has joined.
func Dial(address string, p Plan) (*Crowd, error) {
	c := &Crowd{plan: p, over: make(chan struct{}), failed: make(chan error, p.Members),
		settled: &settling{plan: p, n: p.Members, state: map[member]standing{}, ready: make(chan struct{})}}
	for i := range p.Members {
		conn, err := load.Dial(address)
		if err != nil {
			for _, m := range c.members {
				m.close()
			}
			return nil, err
		}
		if p.Modern {
			c.members = append(c.members, &modern{Conn: conn, settling: c.settled, id: fmt.Sprintf("member-%05d", i), group: p.Group, topic: p.Topic})
		} else {
			c.members = append(c.members, &classic{Conn: conn, settling: c.settled, group: p.Group, topic: p.Topic})
		}
	}
	return c, nil
}

// Join has all members join at once, and returns when the group is stable.
func (c *Crowd) Join(ctx context.Context) error {
	for _, m := range c.members {
		gone, left := make(chan struct{}), make(chan struct{})
		c.gone, c.left = append(c.gone, gone), append(c.left, left)
		go c.run(m, gone, left)
	}
	return c.await(ctx)
}

// run is the life of a member.
func (c *Crowd) run(m member, gone, left chan struct{}) {
	defer close(left)
	defer m.close()
	for {
		rest, err := m.step()
		if err != nil {
			c.failed <- err
			return
		}
		select {
		case <-c.over:
			return
		case <-gone:
			if err := m.leave(); err != nil {
				c.failed <- err
			}
			return
		case <-time.After(rest):
		}
	}
}

func (c *Crowd) await(ctx context.Context) error {
	select {
	case <-c.settled.ready:
		return nil
	case err := <-c.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return errors.New("the group does not become stable")
	}
}

// Leave has the last member leave, and returns when the others have what was its.
func (c *Crowd) Leave(ctx context.Context) error {
	last := len(c.members) - 1
	c.settled.expect(last, c.members[last])
	close(c.gone[last])
	return c.await(ctx)
}

// Close ends all members without a word to the group.
func (c *Crowd) Close() {
	close(c.over)
	for _, left := range c.left {
		<-left
	}
}
