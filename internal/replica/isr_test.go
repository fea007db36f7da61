package replica

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// TestWhoComesIn drives a leader at random while brokers come, go and are fenced: whoever is proposed has asked this leadership as the process that is registered,
// had all up to the high watermark, is not left out since that, and is not silent for longer than it may lag.
func TestWhoComesIn(t *testing.T) {
	admitted := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		registered := epochs{}
		s := New(1, 10, 10, registered, Rules{MinISR: 1, MaxLag: 10 * time.Second})
		now, end, epoch := time.Unix(0, 0), kafka.Offset(10), kafka.LeaderEpoch(0)
		heard, at := map[kafka.NodeID]Fetch{}, map[kafka.NodeID]time.Time{} // in this leadership, and while not in the in-sync set
		process := map[kafka.NodeID]kafka.BrokerEpoch{}
		for step := range 300 {
			now = now.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
			var got Ready
			id, what := kafka.NodeID(2+r.IntN(3)), r.IntN(7)
			switch what {
			case 0:
				if r.IntN(4) == 0 {
					process[id]++
				}
				registered[id] = process[id]
			case 1:
				delete(registered, id)
			case 2:
				end += kafka.Offset(r.IntN(2))
				s.Appended(now, end)
			case 3, 4:
				f := Fetch{From: id, LogEnd: end - kafka.Offset(r.IntN(2)), Epoch: process[id], LeaderEpoch: epoch}
				var err error
				if got, err = s.Fetched(now, f); err == nil {
					heard[id], at[id] = f, now
				}
			case 5:
				got = s.Admit(now, id)
			case 6:
				before := s.Leadership()
				isr := append([]kafka.NodeID{1}, slices.DeleteFunc([]kafka.NodeID{2, 3, 4}, func(kafka.NodeID) bool { return r.IntN(2) == 0 })...)
				if p := s.pending; p != nil && r.IntN(2) == 0 {
					isr = append(slices.Clone(before.ISR), p.Joining)
				}
				if r.IntN(5) == 0 {
					epoch++
					clear(heard)
				}
				for _, was := range before.ISR {
					delete(heard, was)
				}
				got = s.Become(now, Leadership{Leader: 1, LeaderEpoch: epoch, PartitionEpoch: before.PartitionEpoch + 1, Replicas: []kafka.NodeID{1, 2, 3, 4}, ISR: isr})
			}
			p := got.Propose
			if p == nil {
				continue
			}
			f, ok := heard[p.Joining]
			if !ok || f.Epoch != registered[f.From] || f.LogEnd < s.HighWatermark() || slices.Contains(s.Leadership().ISR, f.From) || now.Sub(at[f.From]) > 10*time.Second && f.LogEnd < end {
				t.Fatalf("seed %d step %d: %d is proposed, which was heard of as %+v %v ago: %v", seed, step, p.Joining, f, now.Sub(at[p.Joining]), s)
			}
			if what > 4 {
				admitted++
			}
		}
	}
	if admitted < 100 {
		t.Errorf("%d came in without another fetch", admitted)
	}
}
