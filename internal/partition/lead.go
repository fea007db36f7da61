package partition

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/replica"
)

// Proposed is an in-sync set that a partition's leader wants; its answer is given to Altered.
type Proposed struct {
	Partition *Partition
	Proposal  *replica.Proposal
}

// Fetched takes in that a follower holds all below f.LogEnd. Waits that this completes are left to woken. Errors are those of
// replica.State.Fetched.
func (p *Partition) Fetched(now time.Time, f replica.Fetch, woken *purgatory.Woken) error {
	p.mu.Lock()
	r, err := p.core.Fetched(now, f)
	p.publish()
	p.mu.Unlock()
	p.act(r, woken)
	if r.Barred {
		p.dir().m.bar(p, f.From)
	}
	return err
}

// Holders lists the followers in sync whose log holds offset, or ends there; none unless this node leads.
func (p *Partition) Holders(now time.Time, offset kafka.Offset) []replica.Holder {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.core.Holders(now, offset)
}

// Altered takes in the controller's answer to a proposal: the leadership that it led to, or an error. It reports whether the same is proposed again,
// since the error passes.
func (p *Partition) Altered(now time.Time, proposal *replica.Proposal, l replica.Leadership, err error) (again bool) {
	p.mu.Lock()
	r := p.core.Altered(now, proposal, l, err)
	current := p.core.Leadership()
	p.leadership.Store(&current)
	p.publish()
	p.mu.Unlock()
	p.act(r, nil)
	return r.Propose == proposal && proposal != nil
}

// expire proposes to leave out who lags.
func (p *Partition) expire(now time.Time) {
	if len(p.leadership.Load().ISR) < 2 {
		return
	}
	p.mu.Lock()
	r, _ := p.core.Expire(now)
	p.mu.Unlock()
	p.act(r, nil)
}

// act does what the core asks for. Hold no lock.
func (p *Partition) act(r replica.Ready, woken *purgatory.Woken) {
	if r.Propose != nil {
		p.dir().m.o.Propose(Proposed{p, r.Propose})
	}
	if r.Advanced {
		p.advanced(0, woken)
	}
}

// ExpireFollowers looks at the followers of all partitions that this node leads. Call it every half of replica.lag.time.max.ms, as Kafka does.
func (m *Manager) ExpireFollowers(now time.Time) {
	for _, p := range m.sorted() {
		if p.leadership.Load().Leader == m.o.Self {
			p.expire(now)
		}
	}
}
