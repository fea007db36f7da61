package partition

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// barred are the partitions led here whose follower has caught up and is kept out of the in-sync set by its broker alone, by the broker: one that has
// just started fetches before it is unfenced, and would come in with its next fetch only.
type barred struct {
	mu sync.Mutex // a leaf; guards by
	by map[kafka.NodeID]map[*Partition]struct{}
}

func (b *barred) add(id kafka.NodeID, p *Partition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = make(map[kafka.NodeID]map[*Partition]struct{})
	}
	if b.by[id] == nil {
		b.by[id] = make(map[*Partition]struct{})
	}
	b.by[id][p] = struct{}{}
}

// take returns those of a broker in the order of their names, and forgets them.
func (b *barred) take(id kafka.NodeID) []*Partition {
	b.mu.Lock()
	of := b.by[id]
	delete(b.by, id)
	b.mu.Unlock()
	return slices.SortedFunc(maps.Keys(of), func(x, y *Partition) int {
		return cmp.Or(cmp.Compare(x.id.Topic, y.id.Topic), cmp.Compare(x.id.Partition, y.id.Partition))
	})
}

func (b *barred) forget(p *Partition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, of := range b.by {
		delete(of, p)
	}
}

// bar notes that a follower waits for its broker, and looks once more: the metadata may have changed since the fetch.
func (m *Manager) bar(p *Partition, id kafka.NodeID) {
	m.barred.add(id, p)
	p.admit(id)
}

// admit looks again at the followers that waited for their brokers.
func (m *Manager) admit(delta *metadata.Delta) {
	for _, c := range delta.Brokers() {
		if !c.After.Active() && c.After != nil {
			continue
		}
		for _, p := range m.barred.take(c.ID) {
			p.admit(c.ID)
		}
	}
}

func (p *Partition) admit(id kafka.NodeID) {
	m := p.dir().m
	p.mu.Lock()
	r := p.core.Admit(m.o.Now(), id)
	p.publish()
	p.mu.Unlock()
	if r.Barred {
		m.barred.add(id, p)
	}
	p.act(r, nil)
}
