package moves

import "slices"

// Evacuate finds another broker for each replica of broker id. Brokers are the others, and partitions all that there are. A new replica comes to
// the rack that has the fewest of its partition; the brokers' numbers of replicas, and of preferred leaders, become as even as that allows. All
// other replicas stay, in their order. The moves are in the order of the partitions. Where there are too few brokers it returns a [*TooFew].
func Evacuate(brokers []Broker, partitions []Partition, id int32) ([]Move, error) {
	c := newCluster(brokers)
	load, leads := make([]int, len(brokers)), make([]int, len(brokers))
	var all []Move
	var may [][]int
	var home []int
	for _, p := range partitions {
		for _, b := range c.numbers(p.Replicas) {
			load[b]++
		}
		if !slices.Contains(p.Replicas, id) {
			if first, there := c.number[p.Replicas[0]]; there {
				leads[first]++
			}
			continue
		}
		some := c.roomiest(p, id)
		if len(some) == 0 {
			return nil, &TooFew{p.TopicPartition, len(p.Replicas), len(brokers)}
		}
		all, may, home = append(all, Move{Partition: p}), append(may, some), append(home, -1)
	}
	for i, b := range pick(load, may, home) {
		now := all[i].Replicas
		all[i].To = ordered(now, append(without(now, id), brokers[b].ID))
	}
	c.succeed(all, id, leads)
	return all, nil
}

// roomiest are the brokers that can take a replica of a partition in place of that of broker id: of those that have none, the ones in the rack
// that has fewest.
func (c *cluster) roomiest(p Partition, id int32) []int {
	taken := c.numbers(without(p.Replicas, id))
	inRack := c.inRacks(taken)
	var some []int
	for b, rack := range c.rack {
		if slices.Contains(taken, b) {
			continue
		}
		if len(some) > 0 {
			switch least := inRack[c.rack[some[0]]]; {
			case inRack[rack] > least:
				continue
			case inRack[rack] < least:
				some = some[:0]
			}
		}
		some = append(some, b)
	}
	return some
}

// succeed chooses the preferred leader of the partitions whose first replica broker id was: the one that takes its place, or the next one.
func (c *cluster) succeed(all []Move, id int32, leads []int) {
	var which []int
	var may [][]int
	var home []int
	for i, m := range all {
		heirs := c.numbers(m.To[:min(2, len(m.To))])
		if m.Replicas[0] != id {
			heirs = c.numbers(m.To[:1])
		}
		if len(heirs) > 0 {
			which, may, home = append(which, i), append(may, heirs), append(home, -1)
		}
	}
	for i, b := range pick(leads, may, home) {
		m := &all[which[i]]
		m.To = led(c.brokers[b].ID, m.To)
	}
}

// Yield has broker id lead nothing. Of each partition that it leads or is the first replica of, it becomes the last one, and another one the first,
// that is in sync and among the brokers that are up; these lead equally many then, as far as it goes. A partition may have to stay as it is and only
// be led by its first replica. Partitions are all that there are; those that nobody else can lead are stuck.
func Yield(up []Broker, partitions []Partition, id int32) (moves []Move, stuck []Partition) {
	c := newCluster(slices.DeleteFunc(slices.Clone(up), func(b Broker) bool { return b.ID == id }))
	leads := make([]int, len(c.brokers))
	var may [][]int
	var home []int
	for _, p := range partitions {
		leader, isUp := c.number[p.Leader]
		if p.Leader != id && p.Replicas[0] != id {
			if isUp {
				leads[leader]++
			}
			continue
		}
		heirs := c.numbers(slices.DeleteFunc(slices.Clone(p.Replicas), func(r int32) bool { return !slices.Contains(p.ISR, r) }))
		switch {
		case len(heirs) == 0:
			stuck = append(stuck, p)
			continue
		case isUp && slices.Contains(heirs, leader):
			heirs = []int{leader} // nobody notices
		}
		moves, may, home = append(moves, Move{Partition: p}), append(may, heirs), append(home, -1)
	}
	for i, b := range pick(leads, may, home) {
		m := &moves[i]
		m.To = led(c.brokers[b].ID, m.Replicas)
		if slices.Contains(m.Replicas, id) {
			m.To = append(without(m.To, id), id)
		}
	}
	return moves, stuck
}
