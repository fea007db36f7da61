package sim

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

func newFaulty(n *node) *vfs.Faulty { return vfs.NewFaulty(n.disk, n.fault) }

// nemesis does one thing now and then, until the run is over.
func (w *World) nemesis() {
	if w.over() {
		return
	}
	var may []func()
	allow := func(on bool, do func()) {
		if on {
			may = append(may, do)
		}
	}
	p := &w.plan
	allow(p.crash, w.kill)
	allow(p.loseWrites, w.cutPower)
	allow(p.cut, w.cut)
	allow(p.pause, w.pause)
	allow(p.diskError, w.failDisk)
	allow(p.diskFull, w.fillDisk)
	allow(p.stop, w.stop)
	allow(p.leap, func() { w.leap(true) })
	allow(p.step, func() { w.leap(false) })
	// Each fault has chance of its own: whichever of them are left out, the others are the same.
	all := w.rng
	w.rng = rand.New(rand.NewPCG(w.seed, uint64(w.faults)))
	next := w.between(p.every/4, p.every*2)
	if number := strconv.Itoa(w.faults); len(may) > 0 && w.choice.has(number) {
		may[w.rng.IntN(len(may))]()
	}
	w.rng = all
	w.faults++
	w.after(next, "", w.nemesis)
}

// over reports whether the time of faults has passed.
func (w *World) over() bool { return w.calm || w.now >= w.plan.duration }

// victim is a node that is up, or nil.
func (w *World) victim() *node {
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	if !n.up() {
		return nil
	}
	return n
}

func (w *World) kill() {
	n := w.victim()
	if n == nil {
		return
	}
	w.sometimes("process killed")
	w.tell("node %d is killed", n.id)
	n.gone()
	w.restart(n)
}

func (w *World) restart(n *node) { w.after(w.between(10*time.Millisecond, 3*time.Second), "", n.start) }

// cutPower takes what one machine did not sync, or what all did not where that must be harmless.
func (w *World) cutPower() {
	if w.plan.flush && w.chance(0.35) {
		w.sometimes("power cut of all")
		w.tell("all lose power")
		for _, n := range w.nodes {
			if n.up() {
				n.cutPower([]int{0, 50}[w.rng.IntN(2)])
				w.restart(n)
			}
		}
		return
	}
	n := w.victim()
	if n == nil || !w.plan.flush && !w.whole() {
		return
	}
	w.sometimes("power cut")
	w.tell("node %d loses power", n.id)
	n.cutPower([]int{0, 50, 90}[w.rng.IntN(3)])
	w.restart(n)
}

// whole reports whether all nodes are up and have their place in the cluster, and all replicas are in sync: then others have what one loses. In the mode replicated, more is not promised.
func (w *World) whole() bool {
	for _, n := range w.nodes {
		if !n.up() || n.paused || !n.p.serves {
			return false
		}
		for t := range n.p.image.Topics.All() {
			for _, p := range t.Partitions {
				if len(p.ISR) < len(p.Replicas) || moving(p) {
					return false
				}
			}
		}
	}
	return true
}

// cut separates nodes, one way or both, for a while.
func (w *World) cut() {
	a, b := w.rng.IntN(w.plan.nodes), w.rng.IntN(w.plan.nodes)
	var pairs [][2]int
	switch kind := w.rng.IntN(3); {
	case a == b || kind == 0: // from all
		w.sometimes("node isolated")
		for other := range w.plan.nodes {
			if other != a {
				pairs = append(pairs, [2]int{a, other}, [2]int{other, a})
			}
		}
	case kind == 1:
		w.sometimes("one-way cut")
		pairs = append(pairs, [2]int{a, b})
	default:
		w.sometimes("two-way cut")
		pairs = append(pairs, [2]int{a, b}, [2]int{b, a})
	}
	w.tell("cut %v", pairs)
	for _, p := range pairs {
		w.links[p] = true
	}
	w.after(w.between(100*time.Millisecond, 5*time.Second), "", func() {
		w.tell("heal %v", pairs)
		for _, p := range pairs {
			delete(w.links, p)
		}
	})
}

func (w *World) pause() {
	n := w.victim()
	if n == nil || n.paused {
		return
	}
	w.sometimes("process paused")
	w.tell("node %d stands still", n.id)
	n.paused = true
	life := n.life
	w.after(w.between(50*time.Millisecond, 5*time.Second), "", func() {
		if n.life == life {
			n.resume()
		}
	})
}

// resume lets a process go on with what came meanwhile.
func (n *node) resume() {
	if !n.paused {
		return
	}
	n.w.tell("node %d goes on", n.id)
	missed := n.missed
	n.paused, n.missed = false, nil
	for _, f := range missed {
		n.do(f)
	}
	n.poke()
}

// failDisk fails the next write or sync; the process does not survive it, having one disk. It counts as a power cut of that machine.
func (w *World) failDisk() {
	if n := w.victim(); n != nil {
		w.tell("node %d: the disk is about to fail", n.id)
		n.broken = true
		w.restartDead(n)
	}
}

// restartDead starts a process that has died of itself.
func (w *World) restartDead(n *node) {
	w.after(w.between(time.Second, 4*time.Second), "", func() {
		n.broken = false
		n.start()
	})
}

func (w *World) fillDisk() {
	n := w.victim()
	if n == nil {
		return
	}
	w.sometimes("disk full")
	w.tell("node %d: the disk is full", n.id)
	n.full = true
	w.after(w.between(100*time.Millisecond, 3*time.Second), "", func() {
		n.full = false
		n.start()
	})
}

func (w *World) stop() {
	n := w.victim()
	if n == nil || n.paused || n.p.member.epoch == kafka.NoBrokerEpoch {
		return
	}
	w.sometimes("process stopped in order")
	w.tell("node %d stops", n.id)
	n.shutDown()
	w.restart(n)
}

// heal ends all faults.
func (w *World) heal() {
	w.tell("all is calm")
	w.calm = true
	clear(w.links)
	for _, n := range w.nodes {
		n.full, n.broken = false, false
		n.resume()
		n.start()
	}
}
