package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

var here = kafka.TopicPartition{Topic: "t"}

// good is a history with nothing wrong: two producers, a consumer, two replicas, a group.
func good() *History {
	h := &History{}
	for i, s := range []struct {
		id           ID
		invoked, end time.Duration
	}{{NewID(1, 0, 0), 1, 3}, {NewID(2, 0, 0), 2, 4}, {NewID(1, 0, 1), 5, 6}, {NewID(2, 0, 1), 7, 9}} {
		h.OK(h.Invoke(Send{ID: s.id, Partition: here, Invoked: s.invoked}), s.end, kafka.Offset(i))
	}
	h.Invoke(Send{ID: NewID(1, 0, 2), Partition: here, Invoked: 8}) // nobody knows
	seen := []Seen{{0, NewID(1, 0, 0)}, {1, NewID(2, 0, 0)}, {2, NewID(1, 0, 1)}, {3, NewID(2, 0, 1)}}
	h.Polls = []Poll{{Consumer: 1, Partition: here, From: 0, Records: seen[:2]}, {Consumer: 1, Partition: here, From: 2, Records: seen[2:]}}
	for node := range 2 {
		h.Replicas = append(h.Replicas, Replica{
			Node: node, Partition: here, HighWatermark: 4, Records: slices.Clone(seen), Batches: [][]byte{{1}, {2}, {3}, {4}},
		})
	}
	h.Commits = []Commit{
		{Group: "g", Partition: here, Generation: 1, Offset: 2, Invoked: 1, OK: true, Done: 2},
		{Group: "g", Partition: here, Generation: 2, Offset: 4, Invoked: 3, OK: true, Done: 5},
		{Group: "g", Partition: here, Generation: 2, Offset: 5, Invoked: 6}, // nobody knows
	}
	h.Owned = []Owned{{Group: "g", Generation: 1, Partition: here, Member: "a"}, {Group: "g", Generation: 2, Partition: here, Member: "b"}, {Group: "g", Generation: 2, Partition: here, Member: "b"}}
	h.Fetches = []Fetched{
		{Group: "g", Partition: here, Offset: kafka.NoOffset, Invoked: 0, Done: 1}, {Group: "g", Partition: here, Offset: 4, Invoked: 6, Done: 7},
		{Group: "g", Partition: here, Offset: 5, Invoked: 8, Done: 9},
	}
	return h
}

func TestGoodHistory(t *testing.T) {
	if wrong := good().Check(); len(wrong) > 0 {
		t.Fatalf("found %v in a history with nothing wrong", wrong)
	}
}

// Each check finds what it is for, made by hand, and nothing else does.
func TestBadHistories(t *testing.T) {
	for _, bad := range []struct {
		check, what string
		spoil       func(*History)
	}{
		{"C1", "a replica lacks what was acknowledged", func(h *History) { drop(h, 0) }},
		{"C1", "nobody was told where", func(h *History) { h.Sends[3].Offset = kafka.NoOffset; drop(h, 1) }},
		{"C2", "a record that nobody wrote", func(h *History) { h.Polls[1].Records = append(h.Polls[1].Records, Seen{4, NewID(9, 0, 0)}) }},
		{"C2", "a record of another partition", func(h *History) {
			h.Sends[4].Partition.Partition = 1
			h.Polls[1].Records = append(h.Polls[1].Records, Seen{4, h.Sends[4].ID})
		}},
		{"C4 C5", "an offset with two records", func(h *History) {
			h.Polls[0].Records = []Seen{h.Polls[0].Records[1], h.Polls[0].Records[0]}
			h.Polls[0].Records[0].Offset, h.Polls[0].Records[1].Offset = 0, 1
		}},
		{"C5", "a record at two offsets", func(h *History) {
			for i := range h.Replicas {
				h.Replicas[i].Records = append(h.Replicas[i].Records, Seen{4, NewID(1, 0, 1)})
			}
		}},
		{"C6", "a producer's records out of order", func(h *History) {
			h.Sends[0].ID, h.Sends[2].ID = h.Sends[2].ID, h.Sends[0].ID
			h.Polls = nil
			for i := range h.Replicas {
				r := h.Replicas[i].Records
				r[0].ID, r[2].ID = r[2].ID, r[0].ID
			}
		}},
		{"C7", "later, and before", func(h *History) { h.Sends[0].Invoked, h.Sends[0].Done = 10, 11 }},
		{"C8", "a poll with a gap", func(h *History) { h.Polls = h.Polls[:1]; h.Polls[0].Records[1] = Seen{3, NewID(2, 0, 1)} }},
		{"C9", "a consumer that skips", func(h *History) { h.Polls[1].From, h.Polls[1].Records = 3, h.Polls[1].Records[1:] }},
		{"C9", "a consumer that goes back", func(h *History) { h.Polls = append(h.Polls, h.Polls[0]) }},
		{"C11", "an older offset than was committed", func(h *History) { h.Fetches[1].Offset = 2 }},
		{"C11", "an offset that nobody committed", func(h *History) { h.Fetches[1].Offset = 77 }},
		{"C11", "no offset, after one was committed", func(h *History) { h.Fetches[1].Offset = kafka.NoOffset }},
		{"C12", "a commit of an old generation", func(h *History) {
			h.Commits = append(h.Commits, Commit{Group: "g", Partition: here, Generation: 1, Offset: 3, Invoked: 10, OK: true, Done: 11})
		}},
		{"C23", "two owners", func(h *History) { h.Owned[0].Generation = 2 }},
		{"C18", "replicas with other bytes", func(h *History) { h.Replicas[1].Batches[2] = []byte{9} }},
		{"C18", "replicas with other ends", func(h *History) { h.Replicas[1].LogStart = 1 }},
	} {
		h := good()
		bad.spoil(h)
		var found []string
		for _, v := range h.Check() {
			found = append(found, v.Check)
		}
		slices.Sort(found)
		if got := strings.Join(slices.Compact(found), " "); got != bad.check {
			t.Errorf("%s: found %q, want %s: %v", bad.what, got, bad.check, h.Check())
		}
	}
}

// drop takes the last record from a replica. Its batches are another check's.
func drop(h *History, replica int) { h.Replicas[replica].Records = h.Replicas[replica].Records[:3] }

// One cause has many violations; a few are told.
func TestFewAreTold(t *testing.T) {
	h := good()
	for i := range h.Replicas {
		h.Replicas[i].Records = nil
	}
	if n := len(h.Check()); n != most {
		t.Errorf("%d violations", n)
	}
}
