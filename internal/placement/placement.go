// Package placement spreads the replicas of partitions over brokers.
package placement

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Broker is one that may get replicas. Rack is nil where the broker has none.
type Broker struct {
	ID     int32
	Rack   *string
	Fenced bool
}

// Placer spreads replicas as Kafka's striped placer does: partitions go round the racks, replicas of one partition
// to different racks as far as possible, and within a rack round its brokers. Every partition has at least one
// replica on a broker that is not fenced.
type Placer struct {
	// Total and Alive count the brokers, and those that are not fenced.
	Total, Alive int

	random *rand.Rand
	racks  []*rack // sorted by name; the one without a name first
	start  int     // the rack where the next partition begins
	stripe int     // how many partitions were placed since the last shuffle
}

// rack holds the brokers of one rack.
type rack struct {
	alive, fenced ring
}

// ring hands out brokers in turn, each at most once per stripe.
type ring struct {
	nodes  []int32
	offset int
	used   int
	stripe int
}

func (r *ring) next(stripe int) (int32, bool) {
	if len(r.nodes) == 0 {
		return 0, false
	}
	if r.stripe != stripe {
		r.stripe, r.used = stripe, 0
		r.offset = (r.offset + 1) % len(r.nodes)
	}
	if r.used >= len(r.nodes) {
		return 0, false
	}
	node := r.nodes[(r.offset+r.used)%len(r.nodes)]
	r.used++
	return node, true
}

// Over returns a placer that begins somewhere among the brokers, as random has it.
func Over(random *rand.Rand, brokers []Broker) *Placer {
	p := &Placer{random: random}
	byName := make(map[string]*rack)
	for _, b := range brokers {
		name := ""
		if b.Rack != nil {
			name = "/" + *b.Rack
		}
		r := byName[name]
		if r == nil {
			r = &rack{}
			byName[name] = r
		}
		if b.Fenced {
			r.fenced.nodes = append(r.fenced.nodes, b.ID)
		} else {
			r.alive.nodes = append(r.alive.nodes, b.ID)
			p.Alive++
		}
		p.Total++
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		r := byName[name]
		for _, list := range []*ring{&r.fenced, &r.alive} {
			if len(list.nodes) > 0 {
				list.offset = random.IntN(len(list.nodes))
			}
		}
		p.racks = append(p.racks, r)
	}
	if len(p.racks) > 0 {
		p.start = random.IntN(len(p.racks))
	}
	return p
}

// Next places one partition. There must be a broker that is not fenced, and no more replicas than brokers.
func (p *Placer) Next(replicas int) []int32 {
	if p.stripe == p.Alive && p.Alive > 1 {
		p.shuffle()
		p.stripe = 0
	}
	p.start %= len(p.racks)
	nodes := make([]int32, 0, replicas)
	first := p.start
	for {
		if node, ok := p.racks[first].alive.next(p.stripe); ok {
			nodes = append(nodes, node)
			break
		}
		first = (first + 1) % len(p.racks)
	}
	at := p.start
	for len(nodes) < replicas {
		if at == first {
			first = -1 // this rack has its turn already
		} else if node, ok := p.racks[at].next(p.stripe); ok {
			nodes = append(nodes, node)
		}
		at = (at + 1) % len(p.racks)
	}
	p.stripe++
	p.start++
	return nodes
}

func (r *rack) next(stripe int) (int32, bool) {
	if node, ok := r.alive.next(stripe); ok {
		return node, true
	}
	return r.fenced.next(stripe)
}

// shuffle avoids the same assignments again once every broker had its turn.
func (p *Placer) shuffle() {
	p.random.Shuffle(len(p.racks), func(i, j int) { p.racks[i], p.racks[j] = p.racks[j], p.racks[i] })
	for _, r := range p.racks {
		for _, list := range []*ring{&r.fenced, &r.alive} {
			p.random.Shuffle(len(list.nodes), func(i, j int) { list.nodes[i], list.nodes[j] = list.nodes[j], list.nodes[i] })
		}
	}
}
