package moves

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// world is a cluster as a seed has it.
type world struct {
	r          *rand.Rand
	brokers    []Broker
	partitions []Partition
}

// newWorld makes a cluster of up to so many brokers and partitions. Racks are of one size each or of any.
func newWorld(seed uint64, brokers, partitions int) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 455))}
	racks := w.r.IntN(4)
	each := 1 + w.r.IntN(3)
	n := 2 + w.r.IntN(brokers-1)
	if racks > 1 && w.r.IntN(2) == 0 {
		n = min(racks*each, brokers/racks*racks)
	}
	for i := range n {
		b := Broker{ID: int32(10 + i)}
		if racks > 1 {
			b.Rack = fmt.Sprint("rack ", i%racks)
		}
		w.brokers = append(w.brokers, b)
	}
	replicas := 1 + w.r.IntN(min(n, 4))
	for i := range 1 + w.r.IntN(partitions) {
		w.partitions = append(w.partitions, w.partition(int32(i), replicas))
	}
	return w
}

// partition has replicas anywhere, some of them in sync, and one of these leads.
func (w *world) partition(id int32, replicas int) Partition {
	p := Partition{TopicPartition: kafka.TopicPartition{Topic: "t", Partition: id}, Leader: -1}
	reach := len(w.brokers)
	if w.r.IntN(2) == 0 { // unevenly
		reach = replicas + w.r.IntN(reach-replicas+1)
	}
	for _, i := range w.r.Perm(reach)[:replicas] {
		p.Replicas = append(p.Replicas, w.brokers[i].ID)
		if w.r.IntN(4) > 0 {
			p.ISR = append(p.ISR, w.brokers[i].ID)
		}
	}
	if len(p.ISR) > 0 {
		p.Leader = p.ISR[w.r.IntN(len(p.ISR))]
	}
	return p
}

// after is what the partitions are when moves are done.
func (w *world) after(plan []Move) []Partition {
	all := slices.Clone(w.partitions)
	for _, m := range plan {
		all[m.TopicPartition.Partition].Replicas = m.To
	}
	return all
}

// counts are the replicas of each broker, and how often it is the first.
func counts(partitions []Partition) (replicas, first map[int32]int) {
	replicas, first = map[int32]int{}, map[int32]int{}
	for _, p := range partitions {
		first[p.Replicas[0]]++
		for _, r := range p.Replicas {
			replicas[r]++
		}
	}
	return replicas, first
}

// racks counts replicas by rack, with a 0 for each rack that has none.
func (w *world) racks(replicas []int32) map[string]int {
	n := map[string]int{}
	for _, b := range w.brokers {
		if n[b.Rack] += 0; slices.Contains(replicas, b.ID) {
			n[b.Rack]++
		}
	}
	return n
}

// even reports whether all racks are of one size.
func (w *world) even() bool {
	size := map[string]int{}
	for _, b := range w.brokers {
		size[b.Rack]++
	}
	for _, n := range size {
		if n*len(size) != len(w.brokers) {
			return false
		}
	}
	return true
}

// checkReplicas: so many replicas, each once, on brokers that are there, apart.
func (w *world) checkReplicas(t *testing.T, p Partition, want int) {
	t.Helper()
	for i, r := range p.Replicas {
		known := slices.ContainsFunc(w.brokers, func(b Broker) bool { return b.ID == r })
		if !known || slices.Contains(p.Replicas[:i], r) {
			t.Fatalf("%s on %v", p.TopicPartition, p.Replicas)
		}
	}
	if len(p.Replicas) != want {
		t.Fatalf("%s has %d replicas, want %d", p.TopicPartition, len(p.Replicas), want)
	}
	if !w.apart(p.Replicas) {
		t.Fatalf("%s on %v: by rack %v", p.TopicPartition, p.Replicas, w.racks(p.Replicas))
	}
}

// TestSpreadHolds over seeds: racks, then numbers, then as little as possible.
func TestSpreadHolds(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed, 9, 40)
			want := len(w.partitions[0].Replicas)
			ask := 0
			if w.r.IntN(2) == 0 {
				ask = 1 + w.r.IntN(min(4, len(w.brokers)))
				want = ask
			}
			plan, err := Spread(w.brokers, w.partitions, ask)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range plan {
				if slices.Equal(m.To, m.Replicas) {
					t.Errorf("%s does not change", m.TopicPartition)
				}
			}
			w.partitions = w.after(plan)
			for _, p := range w.partitions {
				w.checkReplicas(t, p, want)
			}
			replicas, first := counts(w.partitions)
			for _, p := range w.partitions {
				for _, r := range p.Replicas {
					if first[p.Replicas[0]] > first[r]+1 {
						t.Errorf("%d is the first of %d, and %d, which follows it in %s, of %d", p.Replicas[0], first[p.Replicas[0]], r, p.TopicPartition, first[r])
					}
				}
			}
			if least, most := w.extremes(replicas); w.even() && most > least+1 {
				t.Errorf("from %d to %d replicas: %v", least, most, replicas)
			}
			if again, err := Spread(w.brokers, w.partitions, 0); err != nil || len(again) > 0 {
				t.Errorf("what was just spread is moved again: %v, %v", again, err)
			}
		})
	}
}

func (w *world) extremes(of map[int32]int) (least, most int) {
	least = 1 << 30
	for _, b := range w.brokers {
		least, most = min(least, of[b.ID]), max(most, of[b.ID])
	}
	return least, most
}

// TestSpreadIsTheBest compares it with all that could be done: none is more even, and of those that are as even none changes less.
func TestSpreadIsTheBest(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed, 4, 4)
			plan, err := Spread(w.brokers, w.partitions, 0)
			if err != nil {
				t.Fatal(err)
			}
			got := w.weigh(w.after(plan))
			best := got
			w.each(0, slices.Clone(w.partitions), func(all []Partition) {
				if v := w.weigh(all); slices.Compare(v, best) < 0 {
					best = v
				}
			})
			if !slices.Equal(got, best) {
				t.Errorf("%v after %v: squares and changes are %v, could be %v", w.partitions, plan, got, best)
			}
		})
	}
}

// each visits every way to put the partitions from i on, racks allowing.
func (w *world) each(i int, all []Partition, visit func([]Partition)) {
	if i == len(all) {
		visit(all)
		return
	}
	want := len(w.partitions[i].Replicas)
	for set := range 1 << len(w.brokers) {
		var replicas []int32
		for b := range w.brokers {
			if set>>b&1 == 1 {
				replicas = append(replicas, w.brokers[b].ID)
			}
		}
		if len(replicas) != want || !w.apart(replicas) {
			continue
		}
		all[i].Replicas = replicas
		w.each(i+1, all, visit)
	}
}

// apart reports whether no rack has two replicas more than one that has a broker left.
func (w *world) apart(replicas []int32) bool {
	racks := w.racks(replicas)
	for _, b := range w.brokers {
		for _, n := range racks {
			if !slices.Contains(replicas, b.ID) && racks[b.Rack]+1 < n {
				return false
			}
		}
	}
	return true
}

// weigh is the sum of the squares of the brokers' replicas, and how many replicas are not where they were.
func (w *world) weigh(all []Partition) []int {
	replicas, _ := counts(all)
	squares, changes := 0, 0
	for _, n := range replicas {
		squares += n * n
	}
	for i, p := range all {
		changes += len(without(p.Replicas, w.partitions[i].Replicas...))
	}
	return []int{squares, changes}
}

// TestEvacuateHolds over seeds: nothing is left, nothing else moves, and no new replica could stand better.
func TestEvacuateHolds(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed, 9, 40)
			gone := w.brokers[0].ID
			was := w.partitions
			w.brokers = w.brokers[1:]
			plan, err := Evacuate(w.brokers, was, gone)
			if len(was[0].Replicas) > len(w.brokers) {
				if err == nil {
					t.Fatal("there are too few, and nobody says so")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w.partitions = w.after(plan)
			replicas, _ := counts(w.partitions)
			for i, p := range w.partitions {
				if slices.Contains(p.Replicas, gone) || !slices.Contains(was[i].Replicas, gone) && !slices.Equal(p.Replicas, was[i].Replicas) {
					t.Fatalf("%s from %v to %v", p.TopicPartition, was[i].Replicas, p.Replicas)
				}
			}
			for _, m := range plan {
				fresh := m.Adding()
				others := without(m.Replicas, gone)
				if len(fresh) != 1 || !slices.Equal(without(m.To, fresh...), others) {
					t.Fatalf("%s from %v to %v", m.TopicPartition, m.Replicas, m.To)
				}
				w.checkNoBetter(t, m, others, replicas)
			}
		})
	}
}

// checkNoBetter: no broker in a rack with fewer replicas of the partition is free, and none in such a rack that has two replicas less in all.
func (w *world) checkNoBetter(t *testing.T, m Move, others []int32, replicas map[int32]int) {
	t.Helper()
	racks := w.racks(others)
	chosen := m.Adding()[0]
	rack := w.brokers[slices.IndexFunc(w.brokers, func(b Broker) bool { return b.ID == chosen })].Rack
	for _, b := range w.brokers {
		if slices.Contains(m.To, b.ID) {
			continue
		}
		if racks[b.Rack] < racks[rack] || racks[b.Rack] == racks[rack] && replicas[b.ID]+1 < replicas[chosen] {
			t.Errorf("%s to %v, and %d with %d replicas was free: %v", m.TopicPartition, m.To, b.ID, replicas[b.ID], replicas)
		}
	}
}

// TestYieldHolds over seeds: the broker is the first of nothing, leads nothing, and those that take over are in sync and have equally many.
func TestYieldHolds(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed, 9, 40)
			up := w.brokers[:len(w.brokers)-w.r.IntN(2)]
			id := up[0].ID
			plan, stuck := Yield(up, w.partitions, id)
			leads := map[int32]int{}
			mayLead := func(p Partition, r int32) bool {
				return r != id && slices.Contains(p.ISR, r) && slices.ContainsFunc(up, func(b Broker) bool { return b.ID == r })
			}
			left := map[int32]Partition{}
			for _, p := range w.partitions {
				if p.Leader == id || p.Replicas[0] == id {
					left[p.TopicPartition.Partition] = p
				} else {
					leads[p.Leader]++
				}
			}
			for _, p := range stuck {
				delete(left, p.TopicPartition.Partition)
				if slices.ContainsFunc(p.Replicas, func(r int32) bool { return mayLead(p, r) }) {
					t.Errorf("%s could be led by another one: %v", p.TopicPartition, p)
				}
			}
			for _, m := range plan {
				delete(left, m.TopicPartition.Partition)
				leads[m.To[0]]++
				if len(m.Adding())+len(m.Removing()) > 0 || m.To[len(m.To)-1] != id || !mayLead(m.Partition, m.To[0]) {
					t.Errorf("%s from %v to %v, in sync are %v", m.TopicPartition, m.Replicas, m.To, m.ISR)
				}
				if mayLead(m.Partition, m.Leader) && m.To[0] != m.Leader {
					t.Errorf("%s is led by %d, and was by %d, which could go on", m.TopicPartition, m.To[0], m.Leader)
				}
			}
			if len(left) > 0 {
				t.Errorf("nobody cared about %v", left)
			}
			for _, m := range plan {
				for _, r := range m.To[1:] {
					if m.Leader == id && mayLead(m.Partition, r) && leads[r]+1 < leads[m.To[0]] {
						t.Errorf("%s is led by %d with %d, and %d has %d", m.TopicPartition, m.To[0], leads[m.To[0]], r, leads[r])
					}
				}
			}
		})
	}
}

// A large cluster takes seconds at most, and is even.
func TestSpreadOfManyPartitions(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(1, 455))}
	for i := range 30 {
		w.brokers = append(w.brokers, Broker{ID: int32(10 + i), Rack: fmt.Sprint(i % 3)})
	}
	for i := range 5000 {
		w.partitions = append(w.partitions, w.partition(int32(i), 3))
	}
	plan, err := Spread(w.brokers, w.partitions, 0)
	if err != nil {
		t.Fatal(err)
	}
	replicas, first := counts(w.after(plan))
	if least, most := w.extremes(replicas); most > least+1 {
		t.Errorf("from %d to %d replicas", least, most)
	}
	if least, most := w.extremes(first); most > least+1 {
		t.Errorf("from %d to %d preferred leaders", least, most)
	}
}
