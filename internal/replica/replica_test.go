package replica

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// TestScenarios: each line is an event; the state after it is printed, with what the engine has to do.
//
//	new end high-watermark                              node 1's replica at start
//	become leader epoch partition-epoch [isr] [replicas]
//	append end | fetched node end | truncate end | durable up-to (0: all)
//	produce acks min-isr | acked min-isr | check epoch [leader]
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s *State
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				s = step(t, s, strings.Fields(line), &out)
			}
			fmt.Fprintln(&out, s)
			return out.String()
		})
	})
}

func step(t *testing.T, s *State, words []string, out *strings.Builder) *State {
	n := make([]int64, 8)
	for i, w := range words[1:] {
		fmt.Sscan(w, &n[i])
	}
	switch words[0] {
	case "new":
		return New(1, kafka.Offset(n[0]), kafka.Offset(n[1]))
	case "become":
		l := Leadership{Leader: kafka.NodeID(n[0]), LeaderEpoch: kafka.LeaderEpoch(n[1]), PartitionEpoch: kafka.PartitionEpoch(n[2])}
		l.ISR, l.Replicas = nodes(words[4]), nodes(words[5])
		ready(out, s.Become(l))
	case "append":
		ready(out, s.Appended(kafka.Offset(n[0])))
	case "fetched":
		ready(out, s.Fetched(kafka.NodeID(n[0]), kafka.Offset(n[1])))
	case "durable":
		upTo := AllDurable
		if n[0] > 0 {
			upTo = kafka.Offset(n[0])
		}
		ready(out, s.SetDurable(upTo))
	case "truncate":
		s.Truncated(kafka.Offset(n[0]))
	case "produce":
		fmt.Fprintf(out, "produce: %s\n", code(s.CheckAppend(int16(n[0]), int(n[1]))))
	case "acked":
		fmt.Fprintf(out, "acked: %s\n", code(s.CheckAcked(int(n[0]))))
	case "check":
		l := s.Leadership()
		fmt.Fprintf(out, "epoch %d: %s\n", n[0], code(l.Check(1, kafka.LeaderEpoch(n[0]), len(words) > 2)))
	default:
		t.Fatalf("unknown event %v", words)
	}
	return s
}

// nodes reads a list such as 1,2,3; "-" is empty.
func nodes(s string) []kafka.NodeID {
	var ids []kafka.NodeID
	for _, w := range strings.Split(s, ",") {
		var id kafka.NodeID
		if _, err := fmt.Sscan(w, &id); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func ready(out *strings.Builder, r Ready) {
	if r.Moved {
		fmt.Fprintln(out, "  moved: waits look again")
	}
	if r.NewEpoch {
		fmt.Fprintf(out, "  epoch starts at %d\n", r.EpochStart)
	}
	if r.Advanced {
		fmt.Fprintf(out, "  high watermark rises to %d\n", r.HighWatermark)
	}
}

func code(err error) string {
	ke := (*kerr.Error)(nil)
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &ke):
		return ke.Message
	}
	return "UNCLASSIFIED " + err.Error()
}

// TestInvariants drives a replica at random: in one leadership the high watermark never falls, and it never passes the log end of a
// member of the in-sync set that has fetched.
func TestInvariants(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := New(1, 10, 5)
		all := []kafka.NodeID{1, 2, 3}
		ends := map[kafka.NodeID]kafka.Offset{}
		end, epoch := kafka.Offset(10), kafka.LeaderEpoch(0)
		for step := range 200 {
			before, lead := s.HighWatermark(), s.Leadership()
			switch r.IntN(5) {
			case 0, 1:
				if s.Leads() {
					end += kafka.Offset(r.IntN(4))
					s.Appended(end)
				}
			case 2, 3:
				id := all[1+r.IntN(2)]
				at := kafka.Offset(r.Int64N(int64(end) + 1))
				s.Fetched(id, at)
				ends[id] = at
			case 4:
				isr := []kafka.NodeID{1}
				for _, id := range all[1:] {
					if r.IntN(2) == 0 {
						isr = append(isr, id)
					}
				}
				if r.IntN(4) == 0 {
					epoch++
					clear(ends)
				}
				s.Become(Leadership{Leader: 1, LeaderEpoch: epoch, PartitionEpoch: lead.PartitionEpoch + 1, Replicas: all, ISR: isr})
			}
			hw := s.HighWatermark()
			if hw < before || hw > end {
				t.Fatalf("seed %d step %d: high watermark %d after %d, log end %d", seed, step, hw, before, end)
			}
			for _, id := range s.Leadership().ISR[min(1, len(s.Leadership().ISR)):] {
				if hw > before && hw > ends[id] {
					t.Fatalf("seed %d step %d: high watermark %d, but node %d has %d", seed, step, hw, id, ends[id])
				}
			}
		}
	}
}
