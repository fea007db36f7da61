package quorum

import (
	"testing"

	"go.etcd.io/raft/v3/raftpb"
)

// A message holds whole batches, and no more than its bound but for the first.
func TestWholeBatchesInAMessage(t *testing.T) {
	batch := func(size, records int) []*raftpb.Entry {
		all := []*raftpb.Entry{{Data: make([]byte, size)}}
		for range records - 1 {
			all = append(all, &raftpb.Entry{})
		}
		return all
	}
	for _, c := range []struct {
		name  string
		sizes []int // of batches of three records
		want  int   // entries
	}{
		{"none", nil, 0},
		{"all that fit", []int{1 << 20, 1 << 20, 1 << 20}, 9},
		{"just as much", []int{maxMessage - 1, 1, 1}, 6},
		{"the first is too large", []int{maxMessage + 1, 1}, 3},
		{"the second is", []int{1, maxMessage, 1}, 3},
	} {
		var entries []*raftpb.Entry
		for _, size := range c.sizes {
			entries = append(entries, batch(size, 3)...)
		}
		if got := len(whole(entries)); got != c.want {
			t.Errorf("%s: %d entries, want %d", c.name, got, c.want)
		}
	}
}
