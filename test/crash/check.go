package main

import (
	"fmt"
	"slices"
)

// position is where one record was seen.
type position struct {
	partition int32
	offset    int64
}

// history is all that was done to one directory and all that was seen of it. It decides nothing by itself and is not
// safe for use by several goroutines: the load's own lock guards it.
type history struct {
	invoked    map[id]bool     // handed to a client
	acked      map[id]position // acknowledged, and where
	observed   map[position]id // by any reader, at any time
	idempotent map[uint32]bool // producers
	bounds     map[int32][2]int64
	violations []violation
	duplicates map[int32]int // by partition, of producers that are not idempotent: allowed
	seen       map[violation]bool
}

// violation is one broken rule.
type violation struct {
	check string // as reliability calls it: "C1 lost"
	what  string
}

func newHistory() *history {
	return &history{invoked: map[id]bool{}, acked: map[id]position{}, observed: map[position]id{},
		idempotent: map[uint32]bool{}, bounds: map[int32][2]int64{}, duplicates: map[int32]int{}, seen: map[violation]bool{}}
}

// violate notes a broken rule, once however often it is found.
func (h *history) violate(check, format string, args ...any) {
	v := violation{check, fmt.Sprintf(format, args...)}
	if !h.seen[v] {
		h.seen[v] = true
		h.violations = append(h.violations, v)
	}
}

// ack notes an acknowledgement. Two acknowledgements of one offset are two records in one place.
func (h *history) ack(r id, at position) {
	h.acked[r] = at
	h.observe(r, at)
}

// observe notes that a record is at an offset, whoever says so.
func (h *history) observe(r id, at position) {
	if other, ok := h.observed[at]; ok && other != r {
		h.violate("C4 inconsistent", "%v holds %v and %v", at, other, r)
		return
	}
	h.observed[at] = r
}

// read is one record of a final reading.
type read struct {
	offset int64
	value  []byte
}

// partitionRead checks a whole partition, read from its start to its end (exclusive).
func (h *history) partitionRead(partition int32, start, end int64, records []read) {
	if old, ok := h.bounds[partition]; ok && (start < old[0] || end < old[1]) {
		h.violate("C10 bounds", "partition %d had [%d, %d), has [%d, %d)", partition, old[0], old[1], start, end)
	}
	h.bounds[partition] = [2]int64{start, end}
	h.duplicates[partition] = 0
	next := start
	found := map[id]int64{}
	last := map[uint32]uint32{} // sequence by producer
	for _, rec := range records {
		if rec.offset != next {
			h.violate("C8 gap", "partition %d: offset %d after %d", partition, rec.offset, next-1)
		}
		next = rec.offset + 1
		r, ok := decode(rec.value)
		if !ok || r.partition != partition || !h.invoked[r] {
			h.violate("C2 phantom", "partition %d offset %d: %v of %d bytes was never sent there", partition, rec.offset, r, len(rec.value))
			continue
		}
		h.observe(r, position{partition, rec.offset})
		if first, dup := found[r]; dup {
			h.duplicate(r, first, rec.offset)
			continue // its order was judged at its first place
		}
		found[r] = rec.offset
		if before, any := last[r.producer]; any && r.seq < before {
			h.violate("C6 order", "partition %d offset %d: producer %d wrote %d after %d", partition, rec.offset, r.producer, r.seq, before)
		}
		last[r.producer] = r.seq
	}
	if next != end {
		h.violate("C8 gap", "partition %d: ends at %d, its last record is %d", partition, end, next-1)
	}
	h.lost(partition, start, found)
}

func (h *history) duplicate(r id, first, second int64) {
	if h.idempotent[r.producer] {
		h.violate("C5 duplicate", "%v at offsets %d and %d", r, first, second)
	} else {
		h.duplicates[r.partition]++
	}
}

// lost checks that what was acknowledged, and what any reader has seen, is there.
func (h *history) lost(partition int32, start int64, found map[id]int64) {
	for r, at := range h.acked {
		if at.partition != partition || at.offset < start {
			continue
		}
		if offset, ok := found[r]; !ok {
			h.violate("C1 lost", "%v was acknowledged at %v", r, at)
		} else if offset > at.offset {
			h.violate("C4 inconsistent", "%v was acknowledged at %v and is at %d", r, at, offset)
		}
	}
	for at, r := range h.observed {
		if _, ok := found[r]; !ok && at.partition == partition && at.offset >= start {
			h.violate("C1 lost", "%v was seen at %v", r, at)
		}
	}
}

// summary counts the violations by check, in order.
func (h *history) summary() string {
	counts := map[string]int{}
	var names []string
	for _, v := range h.violations {
		if counts[v.check] == 0 {
			names = append(names, v.check)
		}
		counts[v.check]++
	}
	slices.Sort(names)
	out := ""
	for _, n := range names {
		out += fmt.Sprintf(" %s: %d", n, counts[n])
	}
	return out
}
