package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// do has something happen in the process, now or when it is not paused any more, and lets the process do what it leads to.
func (n *node) do(f func()) {
	if n.paused {
		n.missed = append(n.missed, f)
		return
	}
	if n.p != nil {
		f()
		n.poke()
	}
}

// poke has the process do what there is to do.
func (n *node) poke() {
	p := n.p
	if p == nil || n.paused {
		return
	}
	if p.stepping {
		p.again = true
		return
	}
	p.stepping = true
	next := p.step()
	for n.p == p && p.again && n.w.failure == nil {
		p.again = false
		next = p.step()
	}
	p.stepping = false
	if n.p != p {
		return
	}
	n.w.check(n)
	n.wakeAt(n.w.now + n.until(next))
}

// wakeAt has the process stepped at a time, if that is not planned sooner.
func (n *node) wakeAt(at time.Duration) {
	if n.wake > n.w.now && n.wake <= at {
		return
	}
	n.wake = at
	life := n.life
	n.w.after(at-n.w.now, "", func() {
		if n.life == life && n.wake == at {
			n.wake = 0
			n.poke()
		}
	})
}

// step does what there is to do, and returns when there is something again.
func (p *process) step() time.Time {
	n, w := p.n, p.n.w
	now := n.clock()
	n.disk.SetTime(now)
	next := now.Add(time.Second)
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	var at time.Time
	var err error
	w.pinned(func() { at, err = p.steps.Step(now) })
	if err != nil {
		p.failed = err
	}
	earlier(at)
	if p.apply() {
		earlier(now.Add(p.applyAt - w.now))
	}
	if !now.Before(p.dutyAt) {
		p.dutyAt = now.Add(p.partitions.Step(now))
	}
	earlier(p.dutyAt)
	if !now.Before(p.expireAt) {
		p.partitions.ExpireFollowers(now)
		p.expireAt = now.Add(maxLag / 2)
	}
	earlier(p.expireAt)
	if wait, waiting := p.waits.Step(now); waiting {
		earlier(now.Add(wait))
	}
	earlier(p.groups.Step(now))
	earlier(p.join(now))
	earlier(p.follow(now))
	if p.failed != nil {
		n.die("node %d fails: %v", n.id, p.failed)
	}
	return next
}

// apply applies what was published, and reports whether it waits to do so.
func (p *process) apply() (waits bool) {
	if len(p.changes) > 0 && p.n.w.now < p.applyAt {
		return true
	}
	for len(p.changes) > 0 {
		var c metadata.Change
		c, p.changes = p.changes[0], p.changes[1:]
		p.image = c.Image
		p.partitions.Apply(c.Delta, c.Image)
		p.groups.Apply(c.Delta, c.Image)
		p.applied = c.Image.Offset
		if b := c.Image.Cluster.Broker(kafka.NodeID(p.n.id)); b != nil && b.Epoch == p.member.epoch && !b.Fenced {
			p.serves = true
		}
		p.again = true
	}
	return false
}

// follow sends what replication wants to ask.
func (p *process) follow(now time.Time) time.Time {
	n := p.n
	asks, next := p.follows.Asks(now)
	for _, a := range asks {
		n.call(int(a.Leader), a.Request, func(resp kmsg.Response, err error) { p.follows.Answered(a.Leader, resp, err, n.clock()) })
	}
	if cmd, ok := p.follows.Alteration(now); ok {
		n.ask(cmd.Request, func(resp kmsg.Response, err error) {
			typed, _ := resp.(*kmsg.AlterPartitionResponse)
			p.follows.Altered(typed, err, n.clock())
		})
	}
	return next
}

// call asks another node; done runs as an event of this one.
func (n *node) call(to int, req kmsg.Request, done func(kmsg.Response, error)) {
	life := n.life
	me := who{n.id, life, func() bool { return n.life == life && n.p != nil }}
	n.w.call(me, to, req, callPatience, func(resp kmsg.Response, err error) {
		n.do(func() {
			if n.life == life {
				done(resp, err)
			}
		})
	})
}

// ask asks the active controller, if this node knows one.
func (n *node) ask(req kmsg.Request, done func(kmsg.Response, error)) {
	leader, _ := n.p.quorum.Leader()
	if leader == kafka.NoNode {
		life := n.life
		n.w.after(20*time.Millisecond, "", func() {
			n.do(func() {
				if n.life == life {
					done(nil, quorum.ErrNotController)
				}
			})
		})
		return
	}
	n.call(int(leader), req, done)
}

// sendVoter carries Raft's messages; each may come late, twice or never.
func (n *node) sendVoter(key quorum.ReplicaKey, life int, messages [][]byte) {
	to := int(key.ID)
	for _, m := range messages {
		m := slices.Clone(m)
		n.w.send(n.id, to, func() {
			target := n.w.nodes[to]
			if !target.up() {
				n.do(func() {
					if n.life == life {
						n.p.quorum.Unreachable(quorum.ReplicaKey{ID: kafka.NodeID(to)})
					}
				})
				return
			}
			target.do(func() {
				if err := target.p.quorum.Deliver(voterOf(n.id), key, [][]byte{m}); err != nil && !(n.w.plan.voters && errors.Is(err, quorum.ErrNotVoter)) {
					n.w.fail("node %d refuses a message of voter %d: %v", to, n.id, err)
				}
			})
		})
	}
}
