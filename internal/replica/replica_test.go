package replica

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// TestScenarios: each line is an event; the state after it is printed, with what the engine has to do.
//
//	new end high-watermark                              node 1's replica at start; one may lag for 10 s
//	min n                                               min.insync.replicas
//	become leader epoch partition-epoch [isr] [replicas]
//	append end | truncate end | durable up-to (0: all) | followed end leader's-high-watermark
//	fetched node end [broker-epoch [leader-epoch]]
//	holders offset                                      who may serve consumers that are there
//	produce acks | acked | check epoch [leader]
//	at seconds                                          the clock
//	registered node broker-epoch                        -1: it may not be in sync
//	admit node                                          its broker may be in sync now
//	expire
//	altered leader-epoch partition-epoch isr | altered ERROR   the answer to the last proposal
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := &world{epochs: epochs{}, now: time.Unix(0, 0), rules: Rules{MinISR: 1, MaxLag: 10 * time.Second}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.out.Reset()
			for line := range strings.Lines(d.Input) {
				w.step(t, strings.Fields(line))
			}
			fmt.Fprintln(&w.out, w.State)
			return w.out.String()
		})
	})
}

// world is a replica and what is around it.
type world struct {
	*State
	epochs epochs
	now    time.Time
	rules  Rules
	sent   *Proposal
	out    strings.Builder
}

// epochs are those of the brokers that may be in sync.
type epochs map[kafka.NodeID]kafka.BrokerEpoch

func (e epochs) InSyncEpoch(id kafka.NodeID) kafka.BrokerEpoch {
	if epoch, ok := e[id]; ok {
		return epoch
	}
	return kafka.NoBrokerEpoch
}

func (w *world) step(t *testing.T, words []string) {
	s, out := w.State, &w.out
	n := make([]int64, 8)
	for i, word := range words[1:] {
		fmt.Sscan(word, &n[i])
	}
	switch words[0] {
	case "new":
		w.State = New(1, kafka.Offset(n[0]), kafka.Offset(n[1]), w.epochs, w.rules)
	case "min":
		w.rules.MinISR = int(n[0])
		w.then(func() { s.Follow(w.rules) })
	case "at":
		w.now = time.Unix(n[0], 0)
	case "registered":
		w.epochs[kafka.NodeID(n[0])] = kafka.BrokerEpoch(n[1])
	case "become":
		l := Leadership{Leader: kafka.NodeID(n[0]), LeaderEpoch: kafka.LeaderEpoch(n[1]), PartitionEpoch: kafka.PartitionEpoch(n[2])}
		l.ISR, l.Replicas = nodes(words[4]), nodes(words[5])
		w.ready(s.Become(w.now, l))
	case "append":
		w.then(func() { s.Appended(w.now, kafka.Offset(n[0])) })
	case "followed":
		w.then(func() { s.Followed(kafka.Offset(n[0]), kafka.Offset(n[1])) })
	case "fetched":
		f := Fetch{From: kafka.NodeID(n[0]), LogEnd: kafka.Offset(n[1]), Epoch: kafka.NoBrokerEpoch, LeaderEpoch: kafka.NoEpoch}
		if len(words) > 3 {
			f.Epoch = kafka.BrokerEpoch(n[2])
		}
		if len(words) > 4 {
			f.LeaderEpoch = kafka.LeaderEpoch(n[3])
		}
		r, err := s.Fetched(w.now, f)
		if err != nil {
			fmt.Fprintf(out, "  node %d: %s\n", f.From, code(err))
		}
		w.ready(r)
	case "admit":
		w.ready(s.Admit(w.now, kafka.NodeID(n[0])))
	case "holders":
		fmt.Fprintf(out, "offset %d is at %v\n", n[0], s.Holders(w.now, kafka.Offset(n[0])))
	case "expire":
		r, next := s.Expire(w.now)
		w.ready(r)
		if !next.IsZero() {
			fmt.Fprintf(out, "  look again at %v\n", next.Sub(time.Unix(0, 0)))
		}
	case "altered":
		if err := named(words[1]); err != nil {
			w.ready(s.Altered(w.now, w.sent, Leadership{}, err))
			break
		}
		w.ready(s.Altered(w.now, w.sent, Leadership{LeaderEpoch: kafka.LeaderEpoch(n[0]), PartitionEpoch: kafka.PartitionEpoch(n[1]), ISR: nodes(words[3])}, nil))
	case "durable":
		upTo := AllDurable
		if n[0] > 0 {
			upTo = kafka.Offset(n[0])
		}
		w.then(func() { s.SetDurable(upTo) })
	case "truncate":
		s.Truncated(kafka.Offset(n[0]))
	case "produce":
		fmt.Fprintf(out, "produce: %s\n", code(s.CheckAppend(int16(n[0]))))
	case "acked":
		fmt.Fprintf(out, "acked: %s\n", code(s.CheckAcked()))
	case "check":
		l := s.Leadership()
		fmt.Fprintf(out, "epoch %d: %s\n", n[0], code(l.Check(1, kafka.LeaderEpoch(n[0]), len(words) > 2)))
	default:
		t.Fatalf("unknown event %v", words)
	}
}

// named is the error of a name, nil for a word that is none.
func named(name string) error {
	for n := int16(1); n < 140; n++ {
		if ke, ok := kerr.ErrorForCode(n).(*kerr.Error); ok && ke.Message == name {
			return ke
		}
	}
	return nil
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

func (w *world) rises() { fmt.Fprintf(&w.out, "  high watermark rises to %d\n", w.HighWatermark()) }

// then does what may move the high watermark, and nothing else.
func (w *world) then(do func()) {
	before := w.HighWatermark()
	if do(); w.HighWatermark() != before {
		w.rises()
	}
}

func (w *world) ready(r Ready) {
	out := &w.out
	if r.Moved {
		fmt.Fprintln(out, "  moved: waits look again")
	}
	if r.NewEpoch {
		fmt.Fprintf(out, "  epoch starts at %d\n", r.EpochStart)
	}
	if r.Advanced {
		w.rises()
	}
	if r.Barred {
		fmt.Fprintln(out, "  only its broker keeps it out")
	}
	if p := r.Propose; p != nil {
		w.sent = p
		fmt.Fprintf(out, "  propose in epochs %d and %d:", p.LeaderEpoch, p.PartitionEpoch)
		for _, m := range p.ISR {
			fmt.Fprintf(out, " %d of %d", m.ID, m.Epoch)
		}
		fmt.Fprintln(out)
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
// member of the in-sync set, nor of whoever is proposed for it; what is proposed is not what is.
func TestInvariants(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		registered := epochs{1: 1, 2: 2, 3: 3}
		s := New(1, 10, 5, registered, Rules{MinISR: 1 + r.IntN(3), MaxLag: 10 * time.Second})
		all := []kafka.NodeID{1, 2, 3}
		ends := map[kafka.NodeID]kafka.Offset{}
		end, epoch, now := kafka.Offset(10), kafka.LeaderEpoch(0), time.Unix(0, 0)
		var sent *Proposal
		for step := range 300 {
			before, lead := s.HighWatermark(), s.Leadership()
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			var got Ready
			switch r.IntN(9) {
			case 0, 1:
				if s.Leads() {
					end += kafka.Offset(r.IntN(4))
					s.Appended(now, end)
					got.Advanced = s.HighWatermark() > before
				}
			case 2, 3, 4:
				id := all[1+r.IntN(2)]
				at := ends[id] + kafka.Offset(r.Int64N(int64(end-ends[id])+1))
				var err error
				if got, err = s.Fetched(now, Fetch{From: id, LogEnd: at, Epoch: registered[id], LeaderEpoch: kafka.NoEpoch}); err == nil {
					ends[id] = at
				}
			case 5:
				got, _ = s.Expire(now)
			case 6:
				if sent == nil {
					break
				}
				answer := Leadership{LeaderEpoch: lead.LeaderEpoch, PartitionEpoch: lead.PartitionEpoch + 1}
				for _, m := range sent.ISR {
					answer.ISR = append(answer.ISR, m.ID)
				}
				errs := []error{nil, nil, kerr.IneligibleReplica, kerr.InvalidUpdateVersion, kerr.RequestTimedOut}
				got = s.Altered(now, sent, answer, errs[r.IntN(len(errs))])
			case 8:
				got = s.Admit(now, all[1+r.IntN(2)])
			case 7:
				if r.IntN(4) == 0 {
					epoch++
					clear(ends)
				}
				isr := []kafka.NodeID{1}
				for _, id := range all[1:] {
					if r.IntN(2) == 0 {
						isr = append(isr, id)
					}
				}
				got = s.Become(now, Leadership{Leader: 1, LeaderEpoch: epoch, PartitionEpoch: lead.PartitionEpoch + 1, Replicas: all, ISR: isr})
			}
			if p := got.Propose; p != nil {
				sent = p
				if len(p.ISR) == len(s.Leadership().ISR) {
					t.Fatalf("seed %d step %d: proposed %v, which is what is", seed, step, p.ISR)
				}
			}
			hw := s.HighWatermark()
			if hw < before || hw > end || got.Advanced != (hw > before) {
				t.Fatalf("seed %d step %d: high watermark %d after %d (told: %v), log end %d", seed, step, hw, before, got.Advanced, end)
			}
			count := s.Leadership().ISR
			if s.pending != nil {
				count = append(slices.Clone(count), s.pending.Joining)
			}
			for _, id := range count {
				if id > 1 && hw > before && hw > ends[id] {
					t.Fatalf("seed %d step %d: high watermark %d, but node %d has %d", seed, step, hw, id, ends[id])
				}
			}
		}
	}
}
