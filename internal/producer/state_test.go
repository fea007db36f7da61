package producer

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

const (
	start int64 = 1_700_000_000_000 // ms
	idle        = time.Hour
)

// batchOf builds a batch at the given offset; sequence and epoch are as a client sets them.
func batchOf(t testing.TB, base kafka.Offset, id kafka.ProducerID, epoch int16, sequence, count int32, txn bool, at int64) record.Batch {
	t.Helper()
	o := record.NewOptions(base, 0)
	o.ProducerID, o.ProducerEpoch, o.BaseSequence, o.Transactional = id, epoch, sequence, txn
	var b record.Builder
	b.Begin(o)
	for range count {
		b.Add(at, nil, []byte("v"))
	}
	out, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// log is a state with the offsets that a partition would give.
type log struct {
	t     *testing.T
	state *State
	end   kafka.Offset
	now   int64
}

// append checks a batch and, if it is good, replays it.
func (l *log) append(b record.Batch, origin kafka.Origin) string {
	before := l.state.AppendSnapshot(nil)
	dup, isDup, err := l.state.Check(b, origin)
	if !bytes.Equal(before, l.state.AppendSnapshot(nil)) {
		l.t.Fatal("Check changed the state")
	}
	if err != nil {
		ke := (*kerr.Error)(nil)
		if !errors.As(err, &ke) {
			return fmt.Sprintf("UNCLASSIFIED %v\n", err)
		}
		return ke.Message + "\n"
	}
	if isDup {
		return fmt.Sprintf("duplicate of %d-%d\n", dup.BaseOffset, dup.LastOffset)
	}
	done, ended := l.state.Replay(b)
	l.end = b.NextOffset()
	s := fmt.Sprintf("appended at %d-%d\n", b.BaseOffset(), b.LastOffset())
	if ended {
		s += fmt.Sprintf("ended the transaction %d-%d of %d, aborted %v, stable up to %d\n", done.FirstOffset, done.LastOffset, done.ProducerID, done.Aborted, done.LastStableOffset)
	}
	return s
}

// TestScenarios: "produce pid epoch sequence count", "txn …" for a transactional batch whose transaction the coordinator knows, "commit pid epoch coordinator", …
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		l := &log{t: t, state: &State{}, now: start}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				out.WriteString(l.run(strings.Fields(line)))
			}
			return out.String()
		})
	})
}

func (l *log) run(words []string) string {
	n := make([]int64, 8)
	for i, w := range words[1:] {
		fmt.Sscan(w, &n[i])
	}
	id, epoch := kafka.ProducerID(n[0]), int16(n[1])
	switch words[0] {
	case "produce":
		return l.append(batchOf(l.t, l.end, id, epoch, int32(n[2]), int32(n[3]), false, l.now), kafka.FromClient)
	case "produce-txn":
		return l.append(batchOf(l.t, l.end, id, epoch, int32(n[2]), int32(n[3]), true, l.now), kafka.FromClient)
	case "coordinate-txn":
		return l.append(batchOf(l.t, l.end, id, epoch, int32(n[2]), int32(n[3]), true, l.now), kafka.FromCoordinator)
	case "commit", "abort":
		kind := record.Commit
		if words[0] == "abort" {
			kind = record.Abort
		}
		b := record.AppendEndTxnMarker(nil, l.end, 0, l.now, id, epoch, kind, int32(n[2]))
		return l.append(b, kafka.FromCoordinator)
	case "replicate":
		return l.append(batchOf(l.t, l.end, id, epoch, int32(n[2]), int32(n[3]), false, l.now), kafka.FromReplication)
	case "later":
		l.now += n[0] * 1000
		return ""
	case "expire":
		return fmt.Sprintf("%d expired\n", l.state.Expire(l.now, idle))
	case "unstable":
		return fmt.Sprintf("first unstable offset %d\n", l.state.FirstUnstableOffset(kafka.Offset(n[0])))
	case "watermark":
		l.state.SetHighWatermark(kafka.Offset(n[0]))
		return ""
	case "reload":
		s, err := ParseSnapshot(l.state.AppendSnapshot(nil), l.end, l.now, idle)
		if err != nil {
			l.t.Fatal(err)
		}
		l.state = s
		return ""
	case "show":
		var out strings.Builder
		for _, p := range l.state.Producers(nil) {
			fmt.Fprintf(&out, "%d: epoch %d last sequence %d coordinator %d transaction from %d\n", p.ProducerID, p.ProducerEpoch, p.LastSequence, p.CoordinatorEpoch, p.TxnStart)
		}
		return out.String()
	}
	l.t.Fatalf("unknown command %v", words)
	return ""
}

func TestJavaSnapshot(t *testing.T) {
	want, err := os.ReadFile("testdata/java.snapshot")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSnapshot(want, 130, start, 1000*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.AppendSnapshot(nil); !bytes.Equal(got, want) {
		t.Errorf("got %x\nwant %x", got, want)
	}
	producers := s.Producers(nil)
	wantProducers := []Active{
		{1000, 0, 9, 1700000000000, -1, kafka.NoOffset},
		{1001, 5, 2147483647, 1700000000500, 3, 120},
		{1002, 2, kafka.NoSequence, 1700000000600, 8, kafka.NoOffset},
	}
	if !reflect.DeepEqual(producers, wantProducers) || s.EndOffset() != 130 || s.FirstUnstableOffset(130) != 120 {
		t.Errorf("%+v, end %d", producers, s.EndOffset())
	}
	if s, err := ParseSnapshot(want, 130, 1700000000000+time.Hour.Milliseconds(), time.Hour); err != nil || s.Len() != 2 {
		t.Errorf("one of three has expired: %d, %v", s.Len(), err)
	}
}

func TestCorruptSnapshots(t *testing.T) {
	good, err := os.ReadFile("testdata/java.snapshot")
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := ParseSnapshot(good[:n], 0, 0, idle); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		bad := bytes.Clone(good)
		bad[n] ^= 4
		if _, err := ParseSnapshot(bad, 0, 0, idle); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d changed: %v", n, err)
		}
	}
}

// TestSnapshotAndReplayEqualsReplay appends at random and compares a state that came from a snapshot in the middle with one that saw everything.
func TestSnapshotAndReplayEqualsReplay(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var whole, resumed State
		batches := randomBatches(t, r, 60)
		at := r.IntN(len(batches))
		for i, b := range batches {
			whole.Replay(b)
			resumed.Replay(b)
			if i == at {
				s, err := ParseSnapshot(whole.AppendSnapshot(nil), whole.EndOffset(), start, idle)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				resumed = *s
			}
		}
		a, b := whole.AppendSnapshot(nil), resumed.AppendSnapshot(nil)
		if !bytes.Equal(a, b) || whole.EndOffset() != resumed.EndOffset() {
			t.Fatalf("seed %d: the states differ", seed)
		}
		last := whole.EndOffset()
		if u, v := whole.FirstUnstableOffset(last), resumed.FirstUnstableOffset(last); u != v {
			t.Fatalf("seed %d: first unstable offset %d and %d", seed, u, v)
		}
	}
}

// randomBatches are what a leader could have appended: data, transactions and markers of a few producers.
func randomBatches(t *testing.T, r *rand.Rand, n int) []record.Batch {
	var batches []record.Batch
	var end kafka.Offset
	open, sequence, epoch := [4]bool{}, [4]int32{}, [4]int16{}
	for len(batches) < n {
		p := r.IntN(4)
		id := kafka.ProducerID(100 + p)
		var b record.Batch
		switch {
		case open[p] && r.IntN(3) == 0:
			b = record.AppendEndTxnMarker(nil, end, 0, start, id, epoch[p], record.ControlType(r.IntN(2)), 1)
			open[p] = false
		case r.IntN(8) == 0 && !open[p]:
			epoch[p]++
			sequence[p] = 0
			continue
		default:
			count := 1 + r.Int32N(4)
			txn := open[p] || r.IntN(2) == 0
			b = batchOf(t, end, id, epoch[p], sequence[p], count, txn, start)
			sequence[p], open[p] = sequence[p]+count, txn
		}
		batches = append(batches, b)
		end = b.NextOffset()
	}
	return batches
}

func FuzzSnapshot(f *testing.F) {
	good, err := os.ReadFile("testdata/java.snapshot")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		b = reseal(b)
		s, err := ParseSnapshot(b, 7, start, idle)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseSnapshot(s.AppendSnapshot(nil), 7, start, idle)
		if err != nil || !bytes.Equal(again.AppendSnapshot(nil), s.AppendSnapshot(nil)) {
			t.Fatalf("does not survive: %v", err)
		}
	})
}

func BenchmarkCheckAndReplay(b *testing.B) {
	var s State
	batch := batchOf(b, 0, 1, 0, 0, 1, false, start)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		reseq(batch, int32(i))
		if _, dup, err := s.Check(batch, kafka.FromClient); err != nil || dup {
			b.Fatal(err, dup)
		}
		s.Replay(batch)
	}
}

// What is in the log without a gap is a duplicate though it is not remembered any more; what may not be is refused.
func TestForgotten(t *testing.T) {
	s := &State{}
	end := kafka.Offset(0)
	add := func(epoch int16, sequence, count int32) {
		b := batchOf(t, end, 7, epoch, sequence, count, false, start)
		s.Replay(b)
		end = b.NextOffset()
	}
	f := func(epoch int16, sequence, count int32, want kafka.Offset) { // the last offset at which it may be, or kafka.NoOffset
		t.Helper()
		a, ok, err := s.Check(batchOf(t, end, 7, epoch, sequence, count, false, start), kafka.FromClient)
		switch {
		case want == kafka.NoOffset && !errors.Is(err, kerr.OutOfOrderSequenceNumber):
			t.Errorf("%d-%d of epoch %d: %v, %v, %v", sequence, sequence+count-1, epoch, a, ok, err)
		case want != kafka.NoOffset && (!ok || a.BaseOffset != kafka.NoOffset || a.LastOffset != want):
			t.Errorf("%d-%d of epoch %d: %v, %v, %v", sequence, sequence+count-1, epoch, a, ok, err)
		}
	}
	add(0, 100, 1) // a state that knows nothing of it takes any first one
	for i := range int32(8) {
		add(0, 101+2*i, 2)
	}
	f(0, 101, 2, 6) // offsets 7 to 16 are those of the five that are remembered
	f(0, 100, 1, 6)
	f(0, 99, 1, kafka.NoOffset)  // before what is known
	f(0, 106, 3, kafka.NoOffset) // beyond what is forgotten

	snapshot, err := ParseSnapshot(s.AppendSnapshot(nil), end, start, idle)
	if err != nil {
		t.Fatal(err)
	}
	whole := s
	s = snapshot
	f(0, 101, 2, kafka.NoOffset) // a snapshot holds the last batch alone
	s = whole
	add(1, 0, 1)
	f(1, 101, 2, kafka.NoOffset) // another epoch has sequences of its own
	for i := range int32(6) {
		add(1, 5+i, 1) // behind a gap, which only a leader can have let in
	}
	f(1, 5, 1, end-6)
	f(1, 0, 1, kafka.NoOffset)
}
