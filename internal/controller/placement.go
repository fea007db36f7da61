package controller

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// placer spreads replicas as Kafka's striped placer does: partitions go round the racks, replicas of one partition
// to different racks as far as possible, and within a rack round its brokers. Every partition has at least one
// replica on a broker that is not fenced.
type placer struct {
	random *rand.Rand
	racks  []*rack // sorted by name; the one without a name first
	total  int
	alive  int
	start  int // the rack where the next partition begins
	stripe int // how many partitions were placed since the last shuffle
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

// newPlacer considers the brokers that are not about to go.
func newPlacer(random *rand.Rand, usable []*metadata.Broker) *placer {
	p := &placer{random: random}
	byName := make(map[string]*rack)
	for _, b := range usable {
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
			r.fenced.nodes = append(r.fenced.nodes, int32(b.ID))
		} else {
			r.alive.nodes = append(r.alive.nodes, int32(b.ID))
			p.alive++
		}
		p.total++
	}
	for _, name := range slices.SortedFunc(maps.Keys(byName), cmp.Compare) {
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

// check refuses a replication factor that the brokers can't give.
func (p *placer) check(replicas int16) *refusal {
	switch {
	case replicas <= 0:
		return refuse(kerr.InvalidReplicationFactor, "Invalid replication factor %d: the replication factor must be positive.", replicas)
	case p.alive == 0:
		return refuse(kerr.InvalidReplicationFactor, "All brokers are currently fenced.")
	case int(replicas) > p.total:
		return refuse(kerr.InvalidReplicationFactor, "The target replication factor of %d cannot be reached because only %d broker(s) are registered "+
			"or some brokers have all their log directories cordoned.",
			replicas, p.total)
	}
	return nil
}

// next places one partition; check must have passed.
func (p *placer) next(replicas int16) []int32 {
	if p.stripe == p.alive && p.alive > 1 {
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
	for len(nodes) < int(replicas) {
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
func (p *placer) shuffle() {
	p.random.Shuffle(len(p.racks), func(i, j int) { p.racks[i], p.racks[j] = p.racks[j], p.racks[i] })
	for _, r := range p.racks {
		for _, list := range []*ring{&r.fenced, &r.alive} {
			p.random.Shuffle(len(list.nodes), func(i, j int) { list.nodes[i], list.nodes[j] = list.nodes[j], list.nodes[i] })
		}
	}
}

// placer starts a placement over the brokers of the moment.
func (c *Controller) placer() *placer {
	var usable []*metadata.Broker
	for _, b := range c.Image().Cluster.Brokers() {
		s := c.sessions[b.ID]
		leaving := s != nil && s.shutdownAt != kafka.NoOffset
		if !leaving && !cordoned(b) {
			usable = append(usable, b)
		}
	}
	return newPlacer(c.cfg.Random, usable)
}

// openDirectories are those that take new replicas (KIP-1066).
func openDirectories(b *metadata.Broker) []kafka.UUID {
	return slices.DeleteFunc(slices.Clone(b.Directories), func(dir kafka.UUID) bool { return slices.Contains(b.Cordoned, dir) })
}

// cordoned reports whether a broker takes no new replicas at all.
func cordoned(b *metadata.Broker) bool { return len(b.Directories) > 0 && len(openDirectories(b)) == 0 }

// directory is where a broker keeps a new replica: its only directory, or one of its own choice (KIP-858).
func (c *Controller) directory(node int32) kafka.UUID {
	b := c.Image().Cluster.Broker(kafka.NodeID(node))
	if b == nil {
		return kafka.UnassignedDirectory
	}
	if len(b.Directories) == 0 {
		return kafka.MigratingDirectory
	}
	if dirs := openDirectories(b); len(dirs) == 1 {
		return dirs[0]
	}
	return kafka.UnassignedDirectory
}

// newPartition is a partition whose leader is its first active replica, or nil if there is none.
func (c *Controller) newPartition(id int32, replicas []int32) *metadata.Partition {
	p := &metadata.Partition{ID: id, Replicas: replicas}
	for _, node := range replicas {
		p.Directories = append(p.Directories, c.directory(node))
		if c.Image().Cluster.Broker(kafka.NodeID(node)).Active() {
			p.ISR = append(p.ISR, node)
		}
	}
	if len(p.ISR) == 0 {
		return nil
	}
	p.Leader = kafka.NodeID(p.ISR[0])
	return p
}

// checkAssignment refuses a manual assignment that names a broker twice or one that is not there. want is the
// number of replicas that other partitions have, 0 for the first.
func (c *Controller) checkAssignment(replicas []int32, want int) *refusal {
	if len(replicas) == 0 {
		return refuse(kerr.InvalidReplicaAssignment, "The manual partition assignment includes an empty replica list.")
	}
	sorted := slices.Sorted(slices.Values(replicas))
	for i, node := range sorted {
		switch b := c.Image().Cluster.Broker(kafka.NodeID(node)); {
		case b == nil:
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes broker %d, but no such broker is registered.", node)
		case cordoned(b):
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes broker %d, but all its log directories are cordoned.", node)
		}
		if i > 0 && node == sorted[i-1] {
			return refuse(kerr.InvalidReplicaAssignment,
				"The manual partition assignment includes the broker %d more than once.", node)
		}
	}
	if want > 0 && len(replicas) != want {
		return refuse(kerr.InvalidReplicaAssignment, "The manual partition assignment includes a partition with %d replica(s), "+
			"but this is not consistent with previous partitions, which have %d replica(s).", len(replicas), want)
	}
	return nil
}
