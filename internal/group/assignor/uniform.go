package assignor

// Uniform spreads partitions evenly and moves as few as that takes. Over members that subscribe alike the sizes differ by
// one at most; otherwise it balances the subscribers of each topic (see unlike.go).
func Uniform(g *Group) []Assignment {
	switch {
	case len(g.Members) == 0:
		return nil
	case !g.Alike:
		return uniformUnlike(g)
	case len(g.Members[0].Topics) == 0:
		return make([]Assignment, len(g.Members))
	}
	return uniformAlike(g)
}

// slot is a partition of owners.topics.
type slot struct {
	topic     int
	partition int32
}

// uniformAlike leaves each member its first partitions up to the quota, and deals out the rest to those below it.
func uniformAlike(g *Group) []Assignment {
	o := newOwners(g, g.Members[0].Topics)
	free, total := o.unowned(g)
	quota, extra := total/len(g.Members), total%len(g.Members)

	room := make([]int, len(g.Members))
	for m := range g.Members {
		left, roomy := quota, extra > 0
		if roomy {
			left++
		}
		o.partitions(g.Members[m].Target, func(topic int, partition int32) {
			if left > 0 {
				left--
				o.of[topic][partition] = int32(m)
			} else {
				free = append(free, slot{topic, partition})
			}
		})
		// One more than the quota goes to members that have it already, as long as enough members follow for the rest.
		if roomy && left > 0 && len(g.Members)-m > extra {
			left--
			roomy = false
		}
		if roomy {
			extra--
		}
		room[m] = left
	}
	for m, n := range room {
		for ; n > 0 && len(free) > 0; n-- {
			o.of[free[0].topic][free[0].partition] = int32(m)
			free = free[1:]
		}
	}
	return o.assignments(len(g.Members))
}

// unowned returns the partitions that are in no target, and how many there are in all.
func (o *owners) unowned(g *Group) (free []slot, total int) {
	const taken = 0
	for m := range g.Members {
		o.partitions(g.Members[m].Target, func(topic int, partition int32) { o.of[topic][partition] = taken })
	}
	for topic, partitions := range o.of {
		total += len(partitions)
		for p, m := range partitions {
			if m == nobody {
				free = append(free, slot{topic, int32(p)})
			}
			partitions[p] = nobody
		}
	}
	return free, total
}
