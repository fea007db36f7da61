package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// fate is what became of the transaction that a record was sent in.
type fate int

const (
	settled fate = iota // committed, or without a transaction
	aborted
	undecided
)

// stored is a record that was acknowledged.
type stored struct {
	time   int64
	digest string
	key    string
	epoch  int32 // the leader epoch as the first reader saw it; -1 before
	fate   fate
	txn    string // the transaction, while it is undecided
}

// log is what one partition must hold.
type log struct {
	start   int64 // the first offset that may be read
	records map[int64]*stored
}

// topic is what one topic must hold.
type topic struct {
	compacted  bool
	partitions []*log
}

// model is what all topics must hold.
type model struct{ topics map[string]*topic }

func newModel() *model { return &model{topics: map[string]*topic{}} }

func (m *model) create(name string, partitions int, compacted bool) {
	t := &topic{compacted: compacted}
	for range partitions {
		t.partitions = append(t.partitions, &log{records: map[int64]*stored{}})
	}
	m.topics[name] = t
}

// acknowledged takes in records with the offsets that the server gave them; txn names the transaction that is open.
func (m *model) acknowledged(name string, records []record, offsets []int64, txn string) error {
	for i, r := range records {
		l := m.topics[name].partitions[r.Partition]
		if other := l.records[offsets[i]]; other != nil {
			return fmt.Errorf("%s-%d: offset %d was given to %s and then to another record", name, r.Partition, offsets[i], other.digest)
		}
		s := &stored{time: r.Time, digest: digest(r.Key, r.Value, r.Headers), key: string(r.Key), epoch: -1, txn: txn}
		if txn != "" {
			s.fate = undecided
		}
		l.records[offsets[i]] = s
	}
	return nil
}

// decide ends a transaction.
func (m *model) decide(txn string, f fate) {
	for _, t := range m.topics {
		for _, l := range t.partitions {
			for _, s := range l.records {
				if s.txn == txn && s.fate == undecided {
					s.fate, s.txn = f, ""
				}
			}
		}
	}
}

// deleted takes away what lies below an offset.
func (m *model) deleted(name string, partition int, before int64) {
	l := m.topics[name].partitions[partition]
	l.start = before
	maps.DeleteFunc(l.records, func(offset int64, _ *stored) bool { return offset < before })
}

// seen is a record as a reader saw it.
type seen struct {
	partition int32
	offset    int64
	time      int64
	epoch     int32
	digest    string
}

// UnmarshalJSON reads [partition, offset, time, leader epoch, digest].
func (s *seen) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&s.partition, &s.offset, &s.time, &s.epoch, &s.digest})
}

// reading is what a reader saw of a topic. Bounds are the first offset and the end that the server names, which for a
// reader of what is committed is the last stable offset.
type reading struct {
	Bounds  map[int32][2]int64 `json:"bounds"`
	Records []seen             `json:"records"`
}

// check holds a reading of a topic against the model, and returns what is wrong.
func (m *model) check(name string, r reading, committed bool) []string {
	t := m.topics[name]
	var bad []string
	complain := func(partition int32, format string, args ...any) {
		bad = append(bad, fmt.Sprintf("%s-%d: %s", name, partition, fmt.Sprintf(format, args...)))
	}
	if len(r.Bounds) != len(t.partitions) {
		return []string{fmt.Sprintf("%s has %d partitions, want %d", name, len(r.Bounds), len(t.partitions))}
	}
	last := map[int32]int64{}
	found := make([]map[int64]bool, len(t.partitions))
	for _, s := range r.Records {
		l := t.partitions[s.partition]
		if found[s.partition] == nil {
			found[s.partition], last[s.partition] = map[int64]bool{}, -1
		}
		want := l.records[s.offset]
		switch {
		case s.offset <= last[s.partition]:
			complain(s.partition, "offset %d comes after %d", s.offset, last[s.partition])
		case want == nil:
			complain(s.partition, "offset %d holds %s, which nobody wrote there", s.offset, s.digest)
			continue
		case want.digest != s.digest || want.time != s.time:
			complain(s.partition, "offset %d holds %s of %d, written was %s of %d", s.offset, s.digest, s.time, want.digest, want.time)
		case committed && want.fate != settled:
			complain(s.partition, "offset %d is of a transaction that is not committed", s.offset)
		case want.epoch >= 0 && want.epoch != s.epoch:
			complain(s.partition, "offset %d was of leader epoch %d and is of %d", s.offset, want.epoch, s.epoch)
		}
		want.epoch, last[s.partition] = s.epoch, s.offset
		found[s.partition][s.offset] = true
	}
	for i, l := range t.partitions {
		for _, offset := range l.owed(t.compacted, committed) {
			if !found[i][offset] {
				complain(int32(i), "offset %d (%s) was acknowledged and is lost", offset, l.records[offset].digest)
			}
		}
		if b := r.Bounds[int32(i)]; b[0] != l.start {
			complain(int32(i), "begins at offset %d, want %d", b[0], l.start)
		}
	}
	return bad
}

// owed are the offsets that a reader must see, in order.
func (l *log) owed(compacted, committed bool) []int64 {
	stable := int64(1 << 62)
	newest := map[string]int64{}
	for offset, s := range l.records {
		if s.fate == undecided {
			stable = min(stable, offset)
		}
		newest[s.key] = max(newest[s.key], offset)
	}
	var all []int64
	for offset, s := range l.records {
		if compacted && newest[s.key] != offset || committed && (s.fate != settled || offset >= stable) {
			continue
		}
		all = append(all, offset)
	}
	slices.Sort(all)
	return all
}

// same says what differs in the bounds of two readings.
func sameBounds(name string, before, after reading) []string {
	var bad []string
	for _, p := range slices.SortedFunc(maps.Keys(before.Bounds), cmp.Compare) {
		if before.Bounds[p] != after.Bounds[p] {
			bad = append(bad, fmt.Sprintf("%s-%d: reached from %v, and now from %v", name, p, before.Bounds[p], after.Bounds[p]))
		}
	}
	return bad
}

// place is an offset that was found by time: with -1s, none was.
type place struct{ offset, time, epoch int64 }

// UnmarshalJSON reads [offset, time, leader epoch].
func (p *place) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.offset, &p.time, &p.epoch})
}

// checkTimes holds the places of lookups in each partition against the model: the first record that is as late.
func (m *model) checkTimes(name string, found map[int32][]place) []string {
	var bad []string
	for p, l := range m.topics[name].partitions {
		for i, at := range lookups {
			want := place{-1, -1, -1}
			for _, offset := range slices.Sorted(maps.Keys(l.records)) {
				if s := l.records[offset]; s.time >= at {
					want = place{offset, s.time, int64(s.epoch)}
					break
				}
			}
			if got := found[int32(p)][i]; got != want {
				bad = append(bad, fmt.Sprintf("%s-%d: at time %d is %v, want %v", name, p, at, got, want))
			}
		}
	}
	return bad
}
