// Package check judges what clients of a cluster saw: it takes a history, and says what in it no run of a correct cluster could have led to.
// It knows nothing of the cluster. The checks have the names of the reliability plan, C1 and on; C23 is of its own: a partition has two owners.
//
// For tests (T). Pure: a history in, violations out.
package check

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// ID names a record: no two records that clients wrote have the same one.
type ID uint64

// NewID is the id of the nth record, from 0, of a producer in a partition.
func NewID(producer int, partition int32, n uint32) ID {
	return ID(uint64(producer)<<48 | uint64(uint16(partition))<<32 | uint64(n))
}

// stream is the producer and partition of an id: its records are in the order of their numbers.
func (id ID) stream() ID { return id >> 32 }

// String is producer/partition/number.
func (id ID) String() string {
	return fmt.Sprintf("%d/%d/%d", uint64(id)>>48, uint16(id>>32), uint32(id))
}

// Send is one record that a producer wrote with acks=all.
type Send struct {
	ID        ID
	Partition kafka.TopicPartition
	Invoked   time.Duration
	// OK says that it was acknowledged, at Done; otherwise nobody knows what became of it. Offset is kafka.NoOffset if it was not told.
	OK     bool
	Done   time.Duration
	Offset kafka.Offset
}

// Seen is a record at an offset.
type Seen struct {
	Offset kafka.Offset
	ID     ID
}

// Poll is what a consumer with an assigned partition got when it read from an offset.
type Poll struct {
	Consumer  int
	Partition kafka.TopicPartition
	At        time.Duration
	From      kafka.Offset
	Records   []Seen
}

// Replica is the log of one replica up to the high watermark, when all was calm.
type Replica struct {
	Node          int
	Partition     kafka.TopicPartition
	LogStart      kafka.Offset
	HighWatermark kafka.Offset
	Records       []Seen
	// Batches are the batches as they lie in the log.
	Batches [][]byte
}

// Commit is an offset that a group committed for a partition.
type Commit struct {
	Group      string
	Partition  kafka.TopicPartition
	Member     string
	Generation int32
	Offset     kafka.Offset
	Invoked    time.Duration
	OK         bool
	Done       time.Duration
}

// Fetched is the committed offset that a group was told, kafka.NoOffset for none.
type Fetched struct {
	Group     string
	Partition kafka.TopicPartition
	Offset    kafka.Offset
	Invoked   time.Duration
	Done      time.Duration
}

// Owned is a partition that a member of a group was given in a generation, or member epoch.
type Owned struct {
	Group      string
	Generation int32
	Partition  kafka.TopicPartition
	Member     string
}

// History is what clients did and saw.
type History struct {
	Sends    []Send
	Polls    []Poll
	Replicas []Replica
	Commits  []Commit
	Fetches  []Fetched
	Owned    []Owned
}

// Invoke adds a send and returns its number.
func (h *History) Invoke(s Send) int {
	s.Offset = kafka.NoOffset
	h.Sends = append(h.Sends, s)
	return len(h.Sends) - 1
}

// OK says that a send was acknowledged.
func (h *History) OK(send int, now time.Duration, at kafka.Offset) {
	s := &h.Sends[send]
	s.OK, s.Done, s.Offset = true, now, at
}

// Acknowledged counts the sends that were.
func (h *History) Acknowledged() (n int) {
	for _, s := range h.Sends {
		if s.OK {
			n++
		}
	}
	return n
}

// Violation is something that must not be in a history.
type Violation struct {
	Check string // C1, C2, …
	What  string
}

// String is the check and what broke it.
func (v Violation) String() string { return v.Check + ": " + v.What }

// most bounds the violations of one check that are told: one cause has many.
const most = 3

// judge collects violations.
type judge struct {
	all   []Violation
	count map[string]int
}

func (j *judge) say(check, format string, args ...any) {
	if j.count == nil {
		j.count = map[string]int{}
	}
	if j.count[check]++; j.count[check] <= most {
		j.all = append(j.all, Violation{check, fmt.Sprintf(format, args...)})
	}
}

// Check returns the violations, those of one check together.
func (h *History) Check() []Violation {
	j := &judge{}
	h.offsets(j)
	h.lost(j)
	h.order(j)
	h.polls(j)
	h.replicas(j)
	h.commits(j)
	h.owners(j)
	return j.all
}
