package moves

import (
	"cmp"
	"slices"
)

// Spread gives each of some partitions its replicas on brokers, so many as are asked for, or as it has where 0 are: the replicas of a partition are
// spread over the racks as evenly as these allow; then the brokers have equally many, and so they have of the preferred leaders; and as few as
// possible change. The moves are those of partitions that change, in their order. Where there are too few brokers it returns a [*TooFew].
func Spread(brokers []Broker, partitions []Partition, replicas int) ([]Move, error) {
	s := &spreading{cluster: newCluster(brokers), load: make([]int, len(brokers))}
	for _, p := range partitions {
		want := cmp.Or(replicas, len(p.Replicas))
		if want > len(brokers) {
			return nil, &TooFew{p.TopicPartition, want, len(brokers)}
		}
		s.add(p, want)
	}
	for i, p := range partitions {
		s.trim(&s.parts[i], p.ISR)
	}
	for i := range s.parts {
		s.fill(&s.parts[i])
	}
	newEvener(s, s.load, len(s.parts)).even()
	return s.moves(partitions), nil
}

// spreading is a plan of [Spread] in the making. Its things are partitions, each on all brokers that have a replica of it.
type spreading struct {
	*cluster
	parts []part
	load  []int // by broker: replicas
}

// part is a partition of which so many replicas are wanted.
type part struct {
	want      int
	was, has  []int // the brokers that had a replica, and those that are to have one
	inRack    []int // by rack: replicas
	low, high []int // the bounds of inRack
}

func (s *spreading) add(p Partition, want int) {
	was := s.numbers(p.Replicas)
	low, high := s.bounds(want)
	s.parts = append(s.parts, part{want: want, was: was, has: slices.Clone(was), inRack: s.inRacks(was), low: low, high: high})
	for _, b := range was {
		s.load[b]++
	}
}

// bounds are how many of so many replicas a rack has at least and at most when they are spread evenly. A rack that is too small for its share has a
// replica on each broker.
func (s *spreading) bounds(want int) (low, high []int) {
	level, room := 0, 0
	for room < want || level == 0 {
		level, room = level+1, 0
		for _, size := range s.size {
			room += min(size, level)
		}
	}
	for _, size := range s.size {
		low, high = append(low, min(size, level-1)), append(high, min(size, level))
	}
	return low, high
}

// owed is how many more replicas the racks need that have too few.
func (p *part) owed() int {
	n := 0
	for rack, least := range p.low {
		n += max(0, least-p.inRack[rack])
	}
	return n
}

// trim takes replicas away that are too many, in all or in a rack: first those that are not in sync, then those of brokers that have many.
func (s *spreading) trim(p *part, isr []int32) {
	inSync := s.numbers(isr)
	for {
		crowded := slices.IndexFunc(p.has, func(b int) bool { return p.inRack[s.rack[b]] > p.high[s.rack[b]] }) >= 0
		if !crowded && len(p.has)+p.owed() <= p.want {
			return
		}
		worst := -1
		for i, b := range p.has {
			most := p.low
			if crowded {
				most = p.high
			}
			if p.inRack[s.rack[b]] <= most[s.rack[b]] {
				continue
			}
			if worst < 0 || s.rather(b, p.has[worst], inSync) {
				worst = i
			}
		}
		s.load[p.has[worst]]--
		p.inRack[s.rack[p.has[worst]]]--
		p.has = slices.Delete(p.has, worst, worst+1)
	}
}

// rather reports whether the replica of b goes rather than that of another broker, which stands before it.
func (s *spreading) rather(b, other int, inSync []int) bool {
	if in := slices.Contains(inSync, b); in != slices.Contains(inSync, other) {
		return !in
	}
	return s.load[b] >= s.load[other]
}

// fill adds the replicas that are missing, where there are fewest, and first in racks that must have more.
func (s *spreading) fill(p *part) {
	for len(p.has) < p.want {
		free := len(p.has)+p.owed() < p.want
		best := -1
		for b, rack := range s.rack {
			full := p.inRack[rack] >= p.high[rack] || !free && p.inRack[rack] >= p.low[rack]
			if full || slices.Contains(p.has, b) {
				continue
			}
			if best < 0 || cmp.Or(s.load[b]-s.load[best], s.brokers[b].Elsewhere-s.brokers[best].Elsewhere) < 0 {
				best = b
			}
		}
		p.has = append(p.has, best)
		p.inRack[s.rack[best]]++
		s.load[best]++
	}
}

func (s *spreading) cost(thing, from, to int) (int, bool) {
	p := &s.parts[thing]
	if slices.Contains(p.has, to) || !slices.Contains(p.has, from) {
		return 0, false
	}
	if x, y := s.rack[from], s.rack[to]; x != y && (p.inRack[x] <= p.low[x] || p.inRack[y] >= p.high[y]) {
		return 0, false
	}
	return change(slices.Contains(p.was, from), slices.Contains(p.was, to)), true
}

func (s *spreading) put(thing, from, to int) {
	p := &s.parts[thing]
	p.has[slices.Index(p.has, from)] = to
	p.inRack[s.rack[from]]--
	p.inRack[s.rack[to]]++
}

func (s *spreading) holders(thing int) []int { return s.parts[thing].has }

// moves are the partitions with another set of replicas or another order. The order stays where the first replicas are spread evenly with it.
func (s *spreading) moves(partitions []Partition) []Move {
	all := make([]Move, len(partitions))
	may, home := make([][]int, len(partitions)), make([]int, len(partitions))
	for i, p := range partitions {
		var to []int32
		for _, b := range slices.Sorted(slices.Values(s.parts[i].has)) {
			to = append(to, s.brokers[b].ID)
		}
		all[i] = Move{p, ordered(p.Replicas, to)}
		may[i], home[i] = s.numbers(all[i].To), -1
		if first, there := s.number[p.Replicas[0]]; there && slices.Contains(may[i], first) {
			home[i] = first
		}
	}
	for i, first := range pick(make([]int, len(s.brokers)), may, home) {
		all[i].To = led(s.brokers[first].ID, all[i].To)
	}
	return slices.DeleteFunc(all, func(m Move) bool { return slices.Equal(m.To, m.Replicas) })
}
