package sim

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// oracle knows what must never change: which node led in which epoch, and what was committed. It is asked after each event.
type oracle struct {
	leaders  map[term]int
	views    map[viewer]bounds
	lines    map[kafka.TopicPartition][]committed // by offset
	images   map[kafka.Offset]uint64              // of the metadata: hashes of all that they hold
	buffer   []byte                               // for one
	commands map[kafka.LeaderEpoch]kafka.NodeID
}

// committed is what is at an offset: a hash of its batch, and the leader epoch of whoever showed it first.
type committed struct {
	hash  uint64
	epoch kafka.LeaderEpoch
}

// term is a leadership of a partition.
type term struct {
	partition kafka.TopicPartition
	epoch     kafka.LeaderEpoch
}

// viewer is a process's replica of a partition.
type viewer struct {
	node, life int
	partition  kafka.TopicPartition
}

// bounds are those of a replica as they were looked at last.
type bounds struct {
	epoch         kafka.LeaderEpoch
	leads         bool
	highWatermark kafka.Offset
	start         kafka.Offset
}

func newOracle() oracle {
	return oracle{
		leaders: map[term]int{}, views: map[viewer]bounds{}, lines: map[kafka.TopicPartition][]committed{}, images: map[kafka.Offset]uint64{},
		commands: map[kafka.LeaderEpoch]kafka.NodeID{},
	}
}

// check looks at a node after an event of it.
func (w *World) check(n *node) {
	if n.p == nil || n.p.failed != nil {
		return
	}
	leader, epoch := n.p.quorum.Leader()
	if leader != kafka.NoNode {
		if other, known := w.oracle.commands[epoch]; known && other != leader {
			w.fail("nodes %d and %d lead the quorum in epoch %d", other, leader, epoch)
		}
		w.oracle.commands[epoch] = leader
	}
	n.p.partitions.All(kafka.UUID{}, func(p *partition.Partition) { w.checkPartition(n, p) })
}

func (w *World) checkPartition(n *node, p *partition.Partition) {
	l := p.Leadership()
	start, lso, hw, end := p.LogStartOffset(), p.LastStableOffset(), p.HighWatermark(), p.LogEndOffset()
	if start > lso || lso > hw || hw > end {
		w.fail("node %d: %v has log start %d, last stable offset %d, high watermark %d, log end %d", n.id, p.ID(), start, lso, hw, end)
	}
	who := viewer{n.id, n.life, p.ID()}
	before, known := w.oracle.views[who]
	now := bounds{epoch: l.LeaderEpoch, leads: l.Leader == kafka.NodeID(n.id) && n.p.serves, highWatermark: hw, start: start}
	if known && now == before {
		return
	}
	w.oracle.views[who] = now
	w.tell("node %d: %v epoch %d leader %d isr %v: %d-%d of %d", n.id, p.ID(), l.LeaderEpoch, l.Leader, l.ISR, start, hw, end)
	if known && before.leads && now.leads && before.epoch == now.epoch && now.highWatermark < before.highWatermark {
		w.fail("node %d: the high watermark of %v, which it leads, went from %d back to %d", n.id, p.ID(), before.highWatermark, hw)
	}
	if now.leads {
		t := term{p.ID(), l.LeaderEpoch}
		if other, led := w.oracle.leaders[t]; led && other != n.id {
			w.fail("nodes %d and %d lead %v in epoch %d", other, n.id, p.ID(), l.LeaderEpoch)
		}
		if _, led := w.oracle.leaders[t]; !led {
			w.checkComplete(n, p, t)
		}
		w.oracle.leaders[t] = n.id
	}
	if !known {
		before.highWatermark = start
	}
	w.checkCommitted(n, p, min(before.highWatermark, hw), hw)
}

// checkComplete looks whether a new leader has all that leaders of earlier epochs showed as committed.
func (w *World) checkComplete(n *node, p *partition.Partition, t term) {
	line, end := w.oracle.lines[p.ID()], p.LogEndOffset()
	for at := len(line) - 1; at >= int(end); at-- {
		if line[at].epoch < t.epoch {
			w.fail("node %d leads %v in epoch %d with a log that ends at %d, and offset %d was committed in epoch %d", n.id, p.ID(), t.epoch, end, at, line[at].epoch)
			return
		}
	}
}

// farthest is how far a high watermark may come in a run.
const farthest = 1 << 20

// checkCommitted compares what a replica shows as committed with what others did. What is shown first is what all must show from then on.
func (w *World) checkCommitted(n *node, p *partition.Partition, from, to kafka.Offset) {
	if to-from > farthest {
		w.fail("node %d shows %v as committed from %d to %d", n.id, p.ID(), from, to)
		return
	}
	line := w.oracle.lines[p.ID()]
	for from < to {
		b, err := committedBatches(p, from)
		if err != nil {
			break // a directory that has failed, a log that is being cut
		}
		before := from
		for batch, rest, err := record.Next(b); err == nil; batch, rest, err = record.Next(rest) {
			hash := xxh3.Hash(batch)
			for from = max(from, batch.BaseOffset()); from <= batch.LastOffset() && from < to; from++ {
				for int(from) >= len(line) {
					line = append(line, committed{})
				}
				switch is := &line[from]; is.hash {
				case 0:
					*is = committed{hash, p.Leadership().LeaderEpoch}
				case hash:
				default:
					w.fail("node %d shows as committed at offset %d of %v %v, where another batch was committed", n.id, from, p.ID(), batch)
					return
				}
			}
		}
		if from == before {
			break
		}
	}
	w.oracle.lines[p.ID()] = line
}

// committedBatches reads some of what a replica shows as committed.
func committedBatches(p *partition.Partition, from kafka.Offset) ([]byte, error) {
	res, err := p.Read(partition.ReadRequest{
		Offset: from, MaxBytes: 1 << 20, Isolation: kafka.HighWatermark, CurrentLeaderEpoch: kafka.NoEpoch, LastFetchedEpoch: kafka.NoEpoch, AnyReplica: true, AtLeastOne: true,
	})
	if err != nil {
		return nil, err
	}
	defer res.Span.Release()
	b := make([]byte, res.Span.Len())
	_, err = res.Span.ReadAt(b, 0)
	return b, err
}

// metadata compares the images that nodes publish.
func (o *oracle) metadata(w *World, node int, image *metadata.Image) {
	o.buffer = fmt.Append(o.buffer[:0], image.Epoch, image.Timestamp)
	for r := range image.Records {
		o.buffer = schema.AppendMetadata(o.buffer, r.Body, r.Version)
	}
	is := xxh3.Hash(o.buffer)
	if before, known := o.images[image.Offset]; known && before != is {
		w.fail("node %d publishes another image of offset %d than the one before", node, image.Offset)
	}
	o.images[image.Offset] = is
	w.checkSets(node, image)
}

// checkSets: who is in sync, eligible or to come or go is a replica, and who leads is in sync.
func (w *World) checkSets(node int, image *metadata.Image) {
	for t := range image.Topics.All() {
		for _, p := range t.Partitions {
			for _, set := range [][]int32{p.ISR, p.ELR, p.Adding, p.Removing} {
				for _, id := range set {
					if !slices.Contains(p.Replicas, id) {
						w.fail("node %d publishes node %d as in sync, eligible, coming or going at %s-%d, which has no replica there: %+v", node, id, t.Name, p.ID, *p)
					}
				}
			}
			if p.Leader != kafka.NoNode && !slices.Contains(p.ISR, int32(p.Leader)) {
				w.fail("node %d publishes node %d as leader of %s-%d, where %v are in sync", node, p.Leader, t.Name, p.ID, p.ISR)
			}
		}
	}
}
