package sim

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/sim/check"
)

// voting is how many nodes vote at first, and of how many replicas a topic is made.
const voting = 3

// patience is how long a cluster may take, when all is calm, until all is in order again.
const patience = 40 * time.Second

// Result is what a run came to.
type Result struct {
	Seed uint64
	// Plan tells what the seed drew.
	Plan string
	// Hash is that of the trace: two runs of a seed have the same.
	Hash uint64
	// Events are how many happened, and Acknowledged how many records were.
	Events, Acknowledged int
	// Troubles are what can be left out.
	Troubles []string
	// Sometimes counts what came about.
	Sometimes map[string]int
	// Err says what was wrong; nil when all was right.
	Err error
}

// Rare are things that must have come about, each in some run, when there were many: else the runs say nothing about them.
func Rare() []string {
	return []string{
		"broker fenced because it is gone", "classic member given partitions", "classic member left", "clock set forward by hours", "clock set forward by seconds", "clocks leapt by hours", "clocks leapt by seconds", "commit of an old member refused", "commit or fetch of an offset failed", "disk failed at sync", "disk failed at write", "disk full", "follower diverges", "member fenced", "member silent",
		"message repeated", "metadata snapshot fetched", "node isolated", "one-way cut", "power cut", "power cut of all", "process killed", "process paused",
		"process stopped in order", "reassignment cancelled", "reassignment completed", "replica added by a reassignment", "replication factor changed", "read from a follower", "retried batch found in the log", "two-way cut", "voter added", "voter removed", "wrong byte on the way to a follower", "wrong offset on the way to a follower",
	}
}

// Run runs the cluster of a seed, with the troubles that are chosen. The trace goes to out, unless that is nil.
func Run(seed uint64, out io.Writer, choice Choice) (r Result) {
	rng := rand.New(rand.NewPCG(seed, 0x6f74746c61))
	w := &World{
		seed: seed, choice: choice, plan: drawPlan(rng), rng: rng, hash: xxh3.New(), out: out, links: map[[2]int]bool{}, conns: map[ends]*conn{}, seen: map[string]int{}, oracle: newOracle(),
	}
	w.always = choice.apply(&w.plan)
	defer func() {
		if cause := recover(); cause != nil {
			if out != nil {
				panic(cause)
			}
			w.fail("panic: %v", cause)
		}
		r = Result{Seed: seed, Plan: w.plan.String(), Hash: w.hash.Sum64(), Events: int(w.count), Acknowledged: w.history.Acknowledged(), Sometimes: w.seen, Troubles: w.troubles(), Err: w.failure}
	}()
	w.tell("seed %d: %v", seed, w.plan)
	w.live()
	return r
}

// live is a run: the cluster begins, suffers, recovers, and is judged.
func (w *World) live() {
	for id := range w.plan.nodes {
		w.nodes = append(w.nodes, newNode(w, id))
	}
	for _, n := range w.nodes {
		w.after(w.between(0, 100*time.Millisecond), "", n.start)
	}
	topics := []*admin{{w: w, topic: topicName, partitions: w.plan.partitions}}
	for i := range w.plan.groups {
		w.clients = append(w.clients, newCommitter(w, 50+i))
		w.clients = append(w.clients, newAttendant(w, 60+i))
	}
	for i := range w.plan.riders {
		w.clients = append(w.clients, newRider(w, 70+i))
	}
	if w.plan.groups+w.plan.riders > 0 {
		topics = append(topics, &admin{w: w, topic: kafka.ConsumerOffsetsTopic, partitions: offsetsPartitions})
	}
	if w.plan.churn {
		w.clients = append(w.clients, newElectorate(w, 90))
	}
	if w.plan.moves {
		w.clients = append(w.clients, newMover(w, 91))
	}
	for _, makes := range topics {
		w.clients = append(w.clients, makes)
		makes.create()
	}
	for i := range w.plan.producers {
		w.clients = append(w.clients, newProducer(w, i))
	}
	for i := range w.plan.consumers {
		for index := range w.plan.partitions {
			w.clients = append(w.clients, newConsumer(w, 10+i*10+int(index), index))
		}
	}
	w.after(w.between(time.Second, 3*time.Second), "", w.nemesis)
	w.run(w.plan.duration)
	w.heal()
	for end := w.now + patience; w.failure == nil && w.now < end && w.unsettled() != ""; {
		w.run(w.now + 250*time.Millisecond)
	}
	if why := w.unsettled(); why != "" {
		w.fail("C22: %v after all faults ceased, %s", patience, why)
	}
	if w.failure != nil {
		return
	}
	w.run(w.now + time.Second) // followers hear of the last high watermark
	w.judge()
}

// unsettled says what is not in order yet; "" when all is.
func (w *World) unsettled() string {
	for _, c := range w.clients {
		if !c.idle() {
			return fmt.Sprintf("a %T is not done", c)
		}
	}
	for _, n := range w.nodes {
		if !n.up() {
			return fmt.Sprintf("node %d is down", n.id)
		}
		if why := n.unsettled(); why != "" {
			return why
		}
	}
	return w.disputed()
}

// unsettled says which replicas of a node, or that it knows of, are not in order yet.
func (n *node) unsettled() string {
	for t := range n.p.image.Topics.All() {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || moving(p) {
				return fmt.Sprintf("node %d knows in-sync replicas %v of %v (adding %v, removing %v) of %s-%d, leader %d", n.id, p.ISR, p.Replicas, p.Adding, p.Removing, t.Name, p.ID, p.Leader)
			}
		}
	}
	stray := ""
	n.p.partitions.All(kafka.UUID{}, func(p *partition.Partition) {
		if !n.has(p.ID()) {
			stray = fmt.Sprintf("node %d has a replica of %v, which is others'", n.id, p.ID())
		}
	})
	return stray
}

// judge reads all replicas and has the history checked.
func (w *World) judge() {
	for _, n := range w.nodes {
		n.p.partitions.All(kafka.UUID{}, func(p *partition.Partition) {
			if p.ID().Topic != topicName {
				return // its records are the coordinators'
			}
			r, err := replicaOf(n.id, p)
			if err != nil {
				w.fail("node %d: %v can't be read: %v", n.id, p.ID(), err)
			}
			w.history.Replicas = append(w.history.Replicas, r)
		})
	}
	w.checkVoters()
	var wrong []string
	for _, v := range w.history.Check() {
		wrong = append(wrong, v.String())
	}
	if len(wrong) > 0 {
		w.fail("%s", strings.Join(wrong, "\n  "))
	}
	w.tell("%d records sent, %d acknowledged", len(w.history.Sends), w.history.Acknowledged())
}

// replicaOf reads a replica up to its high watermark.
func replicaOf(node int, p *partition.Partition) (check.Replica, error) {
	r := check.Replica{Node: node, Partition: p.ID(), LogStart: p.LogStartOffset(), HighWatermark: p.HighWatermark()}
	for at := r.LogStart; at < r.HighWatermark; {
		b, err := committedBatches(p, at)
		if err != nil {
			return r, err
		}
		before := at
		for len(b) > 0 {
			batch, rest, err := record.Next(b)
			if err != nil {
				break // cut short
			}
			seen, err := readAll(batch)
			if err != nil {
				return r, err
			}
			r.Records, r.Batches = append(r.Records, seen...), append(r.Batches, batch)
			at, b = batch.NextOffset(), rest
		}
		if at == before {
			return r, fmt.Errorf("nothing at offset %d", at)
		}
	}
	return r, nil
}

// records adds the records of a batch.
func records(walker *record.Walker, batch record.Batch, all []check.Seen) ([]check.Seen, error) {
	walker.Reset(batch, 1<<20)
	for walker.Next() {
		id, ok := decode(walker.Record.Value)
		if !ok {
			return all, fmt.Errorf("the record at offset %d has bytes that nobody wrote", batch.BaseOffset()+kafka.Offset(walker.Record.OffsetDelta))
		}
		all = append(all, check.Seen{Offset: batch.BaseOffset() + kafka.Offset(walker.Record.OffsetDelta), ID: id})
	}
	return all, walker.Err()
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// configs takes every configuration for good.
type configs struct{}

// IsLogger implements controller.Configs.
func (configs) IsLogger(string) bool { return false }

// IsList implements controller.Configs.
func (configs) IsList(metadata.ResourceType, string) (string, bool) { return "", false }

// Validate implements controller.Configs.
func (configs) Validate(metadata.ConfigResource, map[string]string, map[string]string) error {
	return nil
}

// Topic implements controller.Configs.
func (configs) Topic(controller.Stored) controller.TopicConfig {
	return controller.TopicConfig{MinInSyncReplicas: 2}
}

// DescribeTopic implements controller.Configs.
func (configs) DescribeTopic(controller.Stored) []controller.TopicConfigEntry { return nil }
