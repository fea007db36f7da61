package moves

import "slices"

// choices are things of which each is on one broker or on several. Both are known by number, from 0 on.
type choices interface {
	// cost is by how much there is more to change when a thing is on to instead of from: -1, 0 or 1. It is false where that may not be.
	cost(thing, from, to int) (int, bool)
	// put does it.
	put(thing, from, to int)
	// holders are the brokers that a thing is on.
	holders(thing int) []int
}

// evener makes the numbers of things on brokers as even as may be, and then changes as little as it can.
//
// Brokers are the nodes of a graph, and what one can give to another its edges. A node beside them lets a broker have one thing less and another
// one more, for what that adds to the sum of the squares of their numbers, which outweighs all costs. So a cycle of negative weight is something
// better, and where there is none there is nothing better.
type evener struct {
	choices
	load []int   // by broker: the things that are on it, those that must stay there included
	on   [][]int // by broker: the things that it may give away
	best [][]hop // by two brokers: the cheapest thing that the one can give to the other
}

// hop is a thing that can go, and at which cost; a thing below 0 stands for none.
type hop struct{ thing, cost int }

// patience bounds how often something better is looked for. What many things need is done before; this many are seldom left.
const patience = 2048

// newEvener counts no things: load is what the brokers have of all, and is changed.
func newEvener(c choices, load []int, things int) *evener {
	e := &evener{choices: c, load: load, on: make([][]int, len(load)), best: make([][]hop, len(load))}
	for thing := range things {
		for _, b := range c.holders(thing) {
			e.on[b] = append(e.on[b], thing)
		}
	}
	return e
}

func (e *evener) even() {
	e.level()
	for b := range e.best {
		e.best[b] = make([]hop, len(e.load))
		e.look(b)
	}
	for range patience {
		cycle := e.cycle()
		if cycle == nil {
			return
		}
		e.follow(cycle)
	}
}

// level has brokers above the mean give to those below it, without looking further than that.
func (e *evener) level() {
	total := 0
	for _, n := range e.load {
		total += n
	}
	mean := (total + len(e.load) - 1) / max(len(e.load), 1)
	for most := range 2 { // first what costs nothing
		for from := range e.load {
			for _, thing := range slices.Clone(e.on[from]) {
				if e.load[from] <= mean {
					break
				}
				if to := e.lowest(thing, from, most, mean); to >= 0 {
					e.swap(thing, from, to)
				}
			}
		}
	}
}

// lowest is the broker with the fewest things, below a bound, that a thing can go to for so much at most; -1 for none.
func (e *evener) lowest(thing, from, most, below int) int {
	found := -1
	for to, n := range e.load {
		if n >= below || found >= 0 && n >= e.load[found] {
			continue
		}
		if cost, may := e.cost(thing, from, to); may && cost <= most {
			found = to
		}
	}
	return found
}

func (e *evener) swap(thing, from, to int) {
	e.put(thing, from, to)
	e.load[from]--
	e.load[to]++
	i := slices.Index(e.on[from], thing)
	e.on[from] = slices.Delete(e.on[from], i, i+1)
	e.on[to] = append(e.on[to], thing)
}

// look finds out what a broker can give to the others.
func (e *evener) look(from int) {
	row := e.best[from]
	for to := range row {
		row[to].thing = -1
	}
	for _, thing := range e.on[from] {
		for to := range row {
			if cost, may := e.cost(thing, from, to); may && (row[to].thing < 0 || cost < row[to].cost) {
				row[to] = hop{thing, cost}
			}
		}
	}
}

// weight is that of an edge, and whether there is one. The node beside the brokers has the number behind theirs.
func (e *evener) weight(from, to int) (int, bool) {
	beside := len(e.load)
	unit := beside + 1 // more than a cycle can cost
	switch {
	case from == to:
		return 0, false
	case from == beside:
		return -unit * (2*e.load[to] - 1), true
	case to == beside:
		return unit * (2*e.load[from] + 1), true
	}
	return e.best[from][to].cost, e.best[from][to].thing >= 0
}

// cycle finds one of negative weight, as Bellman and Ford do; nil where there is none.
func (e *evener) cycle() []int {
	nodes := len(e.load) + 1
	distance, before := make([]int, nodes), make([]int, nodes)
	var last int
	for range nodes {
		last = -1
		for from := range nodes {
			for to := range nodes {
				if w, there := e.weight(from, to); there && distance[from]+w < distance[to] {
					distance[to], before[to], last = distance[from]+w, from, to
				}
			}
		}
		if last < 0 {
			return nil
		}
	}
	for range nodes { // from behind a cycle into it
		last = before[last]
	}
	cycle := []int{last}
	for at := before[last]; at != last; at = before[at] {
		cycle = append(cycle, at)
	}
	slices.Reverse(cycle)
	return cycle
}

// swapped is a thing that went from one broker to another.
type swapped struct{ thing, from, to int }

// follow does what a cycle says. Where hops of it forbid each other, none is done, and the one that could not be is not tried again before
// something about its broker has changed.
func (e *evener) follow(cycle []int) {
	var done []swapped
	for i, from := range cycle {
		to := cycle[(i+1)%len(cycle)]
		if from == len(e.load) || to == len(e.load) {
			continue
		}
		thing := e.find(from, to, e.best[from][to])
		if thing < 0 {
			for _, s := range slices.Backward(done) {
				e.swap(s.thing, s.to, s.from)
			}
			e.best[from][to].thing = -1
			return
		}
		e.swap(thing, from, to)
		done = append(done, swapped{thing, from, to})
	}
	stale := map[int]bool{}
	for _, s := range done {
		stale[s.from] = true
		for _, b := range e.holders(s.thing) {
			stale[b] = true
		}
	}
	for b := range stale {
		e.look(b)
	}
}

// find is the thing of a hop or, where an earlier hop has made that one impossible, another at no higher cost; -1 for none.
func (e *evener) find(from, to int, h hop) int {
	for _, thing := range append([]int{h.thing}, e.on[from]...) {
		if cost, may := e.cost(thing, from, to); may && cost <= h.cost {
			return thing
		}
	}
	return -1
}

// picks are things that are on one broker each, out of some.
type picks struct {
	may  [][]int // by thing: those that it may be on
	at   []int   // by thing: the one that it is on
	home []int   // by thing: the one where it changes nothing; -1 for none
}

func (p *picks) cost(thing, from, to int) (int, bool) {
	may := from != to && p.at[thing] == from && slices.Contains(p.may[thing], to)
	return change(from == p.home[thing], to == p.home[thing]), may
}

func (p *picks) put(thing, _, to int) { p.at[thing] = to }

func (p *picks) holders(thing int) []int { return p.at[thing : thing+1] }

// change is what it costs that a thing leaves a place and comes to another, each of which may be one where it was.
func change(leavesHome, comesHome bool) int {
	switch {
	case leavesHome == comesHome:
		return 0
	case leavesHome:
		return 1
	}
	return -1
}

// pick chooses for each thing one of the brokers that it may be on, such that load, to which it adds, is as even as it can be, and as many as that
// allows are at home, which is one of those brokers or -1.
func pick(load []int, may [][]int, home []int) []int {
	p := &picks{may: may, at: slices.Clone(home), home: home}
	for thing, some := range may {
		if p.at[thing] < 0 {
			p.at[thing] = slices.MinFunc(some, func(x, y int) int { return load[x] - load[y] })
		}
		load[p.at[thing]]++
	}
	newEvener(p, load, len(may)).even()
	return p.at
}
