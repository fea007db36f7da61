package check

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// place is an offset of a partition.
type place struct {
	partition kafka.TopicPartition
	offset    kafka.Offset
}

// observed visits every record that anybody was told to be somewhere.
func (h *History) observed(visit func(place, ID)) {
	for _, s := range h.Sends {
		if s.OK && s.Offset != kafka.NoOffset {
			visit(place{s.Partition, s.Offset}, s.ID)
		}
	}
	for _, p := range h.Polls {
		for _, r := range p.Records {
			visit(place{p.Partition, r.Offset}, r.ID)
		}
	}
	for _, p := range h.Replicas {
		for _, r := range p.Records {
			visit(place{p.Partition, r.Offset}, r.ID)
		}
	}
}

// offsets: nobody reads what nobody wrote (C2), an offset has one record (C4), and a record of an idempotent producer one offset (C5).
func (h *History) offsets(j *judge) {
	written := make(map[ID]kafka.TopicPartition, len(h.Sends))
	for _, s := range h.Sends {
		written[s.ID] = s.Partition
	}
	at, of := map[place]ID{}, map[ID]place{}
	h.observed(func(p place, id ID) {
		if where, ok := written[id]; !ok || where != p.partition {
			j.say("C2", "record %v at offset %d of %v was not written there", id, p.offset, p.partition)
			return
		}
		if other, known := at[p]; known && other != id {
			j.say("C4", "offset %d of %v had record %v and has %v", p.offset, p.partition, other, id)
		}
		if other, known := of[id]; known && other != p {
			j.say("C5", "record %v is at offsets %d and %d of %v", id, other.offset, p.offset, p.partition)
		}
		at[p], of[id] = id, p
	})
}

// lost: what was acknowledged is in the log of every replica, unless it lies before the log's start (C1).
func (h *History) lost(j *judge) {
	type of struct {
		node      int
		partition kafka.TopicPartition
	}
	there := map[of]map[ID]bool{}
	for _, r := range h.Replicas {
		ids := make(map[ID]bool, len(r.Records))
		for _, s := range r.Records {
			ids[s.ID] = true
		}
		there[of{r.Node, r.Partition}] = ids
	}
	for _, s := range h.Sends {
		if !s.OK {
			continue
		}
		for _, r := range h.Replicas {
			if r.Partition == s.Partition && (s.Offset == kafka.NoOffset || s.Offset >= r.LogStart) && !there[of{r.Node, r.Partition}][s.ID] {
				j.say("C1", "record %v, acknowledged after %v at offset %d of %v, is not in the log of node %d, which ends at %d",
					s.ID, s.Done, s.Offset, s.Partition, r.Node, r.HighWatermark)
			}
		}
	}
}

// order: the records of a producer are in its order (C6), and what was written after another was acknowledged lies behind it (C7).
func (h *History) order(j *judge) {
	for _, r := range h.Replicas {
		last := map[ID]Seen{}
		for _, s := range r.Records {
			if before, ok := last[s.ID.stream()]; ok && before.ID > s.ID {
				j.say("C6", "record %v at offset %d of %v comes after %v", s.ID, s.Offset, r.Partition, before.ID)
			}
			last[s.ID.stream()] = s
		}
	}
	byPartition := map[kafka.TopicPartition][]Send{}
	for _, s := range h.Sends {
		if s.OK && s.Offset != kafka.NoOffset {
			byPartition[s.Partition] = append(byPartition[s.Partition], s)
		}
	}
	for _, name := range sortedPartitions(byPartition) {
		realTime(j, byPartition[name])
	}
}

// realTime goes through the sends of a partition by when they were invoked, with the highest offset that was acknowledged before.
func realTime(j *judge, sends []Send) {
	done := slices.Clone(sends)
	slices.SortStableFunc(done, func(a, b Send) int { return cmp.Compare(a.Done, b.Done) })
	slices.SortStableFunc(sends, func(a, b Send) int { return cmp.Compare(a.Invoked, b.Invoked) })
	highest := Send{Offset: kafka.NoOffset}
	for _, s := range sends {
		for len(done) > 0 && done[0].Done < s.Invoked {
			if done[0].Offset > highest.Offset {
				highest = done[0]
			}
			done = done[1:]
		}
		if s.Offset < highest.Offset {
			j.say("C7", "record %v, written after %v, is at offset %d of %v, before %v at %d that was acknowledged after %v",
				s.ID, s.Invoked, s.Offset, s.Partition, highest.ID, highest.Offset, highest.Done)
		}
	}
}

// polls: a poll has the offsets from where it read on, without gap or turn (C8), and an assigned consumer goes on where it was (C9).
func (h *History) polls(j *judge) {
	type reader struct {
		consumer  int
		partition kafka.TopicPartition
	}
	next := map[reader]kafka.Offset{}
	for _, p := range h.Polls {
		at := p.From
		for _, r := range p.Records {
			if r.Offset != at {
				j.say("C8", "consumer %d read offset %d of %v where %d should be", p.Consumer, r.Offset, p.Partition, at)
			}
			at = r.Offset + 1
		}
		who := reader{p.Consumer, p.Partition}
		if before, ok := next[who]; ok && p.From != before {
			j.say("C9", "consumer %d was at offset %d of %v and read from %d", p.Consumer, before, p.Partition, p.From)
		}
		next[who] = at
	}
}

// replicas: all replicas of a partition hold the same bytes (C18).
func (h *History) replicas(j *judge) {
	first := map[kafka.TopicPartition]Replica{}
	for _, r := range h.Replicas {
		a, known := first[r.Partition]
		if !known {
			first[r.Partition] = r
			continue
		}
		if a.LogStart != r.LogStart || a.HighWatermark != r.HighWatermark {
			j.say("C18", "%v goes from %d to %d at node %d, and from %d to %d at node %d", r.Partition, a.LogStart, a.HighWatermark, a.Node, r.LogStart, r.HighWatermark, r.Node)
			continue
		}
		if !slices.EqualFunc(a.Batches, r.Batches, bytes.Equal) {
			j.say("C18", "%v is not the same at nodes %d and %d", r.Partition, a.Node, r.Node)
		}
	}
}

func sortedPartitions[V any](m map[kafka.TopicPartition]V) []kafka.TopicPartition {
	all := make([]kafka.TopicPartition, 0, len(m))
	for p := range m {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b kafka.TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}
