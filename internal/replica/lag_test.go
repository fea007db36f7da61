package replica

import (
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// TestWhoLags: under a load that never ends a follower that has at each fetch what there was at the one before is in sync, however long
// that goes on; one that falls further behind with each fetch is left out when its time is over, and not before; it comes in again when
// it has all.
func TestWhoLags(t *testing.T) {
	const every = 500 * time.Millisecond
	registered := epochs{1: 1, 2: 2, 3: 3}
	s := New(1, 0, 0, registered, Rules{MinISR: 1, MaxLag: 10 * time.Second})
	all := []kafka.NodeID{1, 2, 3}
	now := time.Unix(0, 0)
	s.Become(now, Leadership{Leader: 1, Replicas: all, ISR: all})
	var end, before, slow kafka.Offset
	fetch := func(id kafka.NodeID, at kafka.Offset) Ready {
		t.Helper()
		r, err := s.Fetched(now, Fetch{From: id, Epoch: registered[id], LeaderEpoch: kafka.NoEpoch, LogEnd: at})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	left := time.Duration(0)
	for round := range 200 {
		now = now.Add(every)
		before, end = end, end+100
		s.Appended(now, end)
		fetch(2, before)
		slow += 60
		fetch(3, slow)
		r, next := s.Expire(now)
		if r.Propose == nil {
			if next.IsZero() && s.pending == nil {
				t.Fatalf("round %d: nobody is looked after", round)
			}
			continue
		}
		if left > 0 || slices.ContainsFunc(r.Propose.ISR, func(m Member) bool { return m.ID == 3 }) || len(r.Propose.ISR) != 2 {
			t.Fatalf("round %d: proposed %+v", round, r.Propose)
		}
		left = now.Sub(time.Unix(0, 0))
		s.Altered(now, r.Propose, Leadership{PartitionEpoch: 1, ISR: all[:2]}, nil)
	}
	if left < 10*time.Second || left > 12*time.Second {
		t.Fatalf("the slow one was left out after %v", left)
	}
	if hw := s.HighWatermark(); hw != before {
		t.Fatalf("high watermark %d, the member has %d", hw, before)
	}
	if r := fetch(3, end); r.Propose == nil || r.Propose.Joining != 3 {
		t.Fatalf("one that has all is not wanted: %+v", r)
	}
}
