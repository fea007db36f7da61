package commitlog

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

var (
	testStart = time.UnixMilli(1_700_000_000_000)
	testTP    = kafka.TopicPartition{Topic: "t", Partition: 0}
)

// small is a configuration in which everything happens soon.
func small() Config {
	c := DefaultConfig()
	c.SegmentBytes, c.IndexInterval = 1000, 150
	c.DeleteDelay = time.Second
	return c
}

func options(c Config) Options {
	return Options{Partition: testTP, Config: c, Cache: segment.NewCache(4, 1<<20), Now: testStart}
}

// batchOf returns a batch of n records with a size that depends on its offset.
func batchOf(t testing.TB, base kafka.Offset, n int, epoch kafka.LeaderEpoch, timestamp int64) []byte {
	t.Helper()
	var b record.Builder
	b.Begin(record.NewOptions(base, epoch))
	for i := range n {
		b.Add(timestamp+int64(i), []byte("key"), fmt.Appendf(nil, "value %d of %d at %d", i, n, base))
	}
	out, err := b.AppendTo(nil)
	must(t, err)
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openTest(t testing.TB, f vfs.FS, o Options) (*Log, Report) {
	t.Helper()
	l, report, err := Open(f, "/t-0", o)
	must(t, err)
	return l, report
}

// readAll reads the log from offset on, in reads of at most maxBytes, and returns the bytes.
func readAll(t testing.TB, l *Log, from kafka.Offset, maxBytes int) []byte {
	t.Helper()
	all, err := readLog(l, from, maxBytes)
	must(t, err)
	return all
}

func readLog(l *Log, from kafka.Offset, maxBytes int) ([]byte, error) {
	var all []byte
	for from < l.LogEndOffset() {
		s, err := l.Read(from, maxBytes, l.LogEndOffset(), true)
		if err != nil {
			return all, err
		}
		b := make([]byte, s.Len())
		if n, err := s.ReadAt(b, 0); n != len(b) {
			return all, err
		}
		s.Release()
		if len(b) == 0 {
			break
		}
		for {
			batch, rest, err := record.Next(b)
			if errors.Is(err, record.ErrShort) {
				break
			}
			if err != nil {
				return all, err
			}
			if err := batch.CheckCRC(); err != nil {
				return all, err
			}
			if batch.LastOffset() >= from {
				all = append(all, batch...)
				from = batch.NextOffset()
			}
			b = rest
		}
	}
	return all, nil
}

// fill appends batches of 1, 2, 3, 1, … records until the log ends at or above end, and returns all bytes.
func fill(t testing.TB, l *Log, end kafka.Offset, epoch kafka.LeaderEpoch) []byte {
	t.Helper()
	var all []byte
	for i := 0; l.LogEndOffset() < end; i++ {
		at := l.LogEndOffset()
		b := batchOf(t, at, i%3+1, epoch, testStart.UnixMilli()+int64(at))
		_, err := l.Append(b, testStart)
		must(t, err)
		all = append(all, b...)
	}
	return all
}

func TestAppendAndRead(t *testing.T) {
	l, report := openTest(t, vfs.NewMem(), options(small()))
	if !report.Created || l.LogEndOffset() != 0 || segments(l) != 1 {
		t.Fatalf("a new log: %+v, end %d", report, l.LogEndOffset())
	}
	all := fill(t, l, 100, 3)
	if segments(l) < 5 || l.Size() != int64(len(all)) {
		t.Fatalf("%d segments, %d bytes of %d", segments(l), l.Size(), len(all))
	}
	for _, size := range []int{1, 100, 300, 1000, 1 << 20} {
		if got := readAll(t, l, 0, size); !bytes.Equal(got, all) {
			t.Fatalf("reads of %d bytes give %d bytes of %d", size, len(got), len(all))
		}
	}
	for from := range l.LogEndOffset() {
		s, err := l.Read(from, 1, l.LogEndOffset(), true)
		must(t, err)
		b := make([]byte, s.Len())
		_, err = s.ReadAt(b, 0)
		must(t, err)
		batch, rest, err := record.Next(b)
		must(t, err)
		if batch.BaseOffset() > from || batch.LastOffset() < from || len(rest) > 0 || s.BaseOffset() != batch.BaseOffset() {
			t.Fatalf("offset %d: %s and %d more bytes", from, batch, len(rest))
		}
		s.Release()
	}
}

func TestReadBounds(t *testing.T) {
	l, _ := openTest(t, vfs.NewMem(), options(small()))
	all := fill(t, l, 30, 0)
	end := l.LogEndOffset()
	f := func(from kafka.Offset, maxBytes int, upTo kafka.Offset, atLeastOne bool, want int) {
		t.Helper()
		s, err := l.Read(from, maxBytes, upTo, atLeastOne)
		must(t, err)
		defer s.Release()
		if s.Len() != want {
			t.Fatalf("read %d bytes, want %d", s.Len(), want)
		}
	}
	first, rest, err := record.Next(all)
	must(t, err)
	second, _, err := record.Next(rest)
	must(t, err)
	f(0, 1<<20, 1, false, len(first))
	f(0, 1<<20, 3, false, len(first)+len(second))
	f(0, 1<<20, 2, false, len(first)) // a bound within a batch leaves it out
	f(0, 0, 3, false, 0)
	f(0, 0, 3, true, len(first))
	f(0, 10, 3, false, 10)
	f(1, 1<<20, 3, false, len(second))
	f(2, 1<<20, 3, false, len(second))
	f(3, 1<<20, 3, false, 0)
	f(end, 1<<20, end, true, 0)
	for _, from := range []kafka.Offset{-1, end + 1} {
		if _, err := l.Read(from, 1, end, true); !errors.Is(err, kerr.OffsetOutOfRange) {
			t.Fatalf("offset %d: %v", from, err)
		}
	}
	must(t, l.SetLogStartOffset(5))
	if _, err := l.Read(4, 1, end, true); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Fatal(err)
	}
}

func TestCloseAndOpen(t *testing.T) {
	f := vfs.NewMem()
	l, _ := openTest(t, f, options(small()))
	all := fill(t, l, 50, 1)
	all = append(all, fill(t, l, 100, 4)...)
	end := l.LogEndOffset()
	must(t, l.Close(testStart))
	o := options(small())
	o.Clean, o.RecoveryPoint = true, end
	l, report := openTest(t, f, o)
	if l.LogEndOffset() != end || report.ScannedBytes != 0 || l.RecoveryPoint() != end {
		t.Fatalf("%+v, end %d, want %d", report, l.LogEndOffset(), end)
	}
	if n := o.Cache.OpenFiles(); n != 0 {
		t.Fatalf("%d files open", n)
	}
	all = append(all, fill(t, l, 150, 4)...)
	if got := readAll(t, l, 0, 500); !bytes.Equal(got, all) {
		t.Fatalf("%d bytes of %d", len(got), len(all))
	}
	if e, at := l.EpochEndOffset(1); e != 1 || at != 51 {
		t.Fatal(e, at)
	}
	if e, at := l.EpochEndOffset(3); e != 1 || at != 51 {
		t.Fatal(e, at)
	}
	if e, at := l.EpochEndOffset(4); e != 4 || at != l.LogEndOffset() {
		t.Fatal(e, at)
	}
}

func TestUncleanOpen(t *testing.T) {
	for _, synced := range []bool{false, true} {
		f := vfs.NewMem()
		l, _ := openTest(t, f, options(small()))
		all := fill(t, l, 60, 1)
		o := options(small())
		if synced {
			var err error
			o.RecoveryPoint, err = l.Flush()
			must(t, err)
		}
		all = append(all, fill(t, l, 100, 2)...)
		l.Abandon()
		l2, report := openTest(t, f, o)
		if l2.LogEndOffset() != l.LogEndOffset() || report.LostBytes != 0 || report.Damage != nil {
			t.Fatalf("%+v, end %d, want %d", report, l2.LogEndOffset(), l.LogEndOffset())
		}
		if synced == (report.ScannedBytes == int64(len(all))) {
			t.Fatalf("synced %v: scanned %d bytes of %d", synced, report.ScannedBytes, len(all))
		}
		if got := readAll(t, l2, 0, 500); !bytes.Equal(got, all) {
			t.Fatalf("%d bytes of %d", len(got), len(all))
		}
		if l2.LatestEpoch() != 2 {
			t.Fatalf("latest epoch %d", l2.LatestEpoch())
		}
	}
}

func TestTruncate(t *testing.T) {
	for to := range kafka.Offset(61) {
		f := vfs.NewMem()
		l, _ := openTest(t, f, options(small()))
		all := fill(t, l, 60, 1)
		_, err := l.Flush()
		must(t, err)
		must(t, l.TruncateTo(to, testStart))
		want := prefix(t, all, to)
		if l.Size() != int64(len(want)) || l.LogEndOffset() > to || l.RecoveryPoint() > to {
			t.Fatalf("to %d: end %d, %d bytes, want %d", to, l.LogEndOffset(), l.Size(), len(want))
		}
		want = append(want, fill(t, l, 80, 2)...)
		if got := readAll(t, l, 0, 500); !bytes.Equal(got, want) {
			t.Fatalf("to %d: %d bytes of %d", to, len(got), len(want))
		}
		o := options(small())
		o.RecoveryPoint = 60 // as an old checkpoint says
		l2, report := openTest(t, f, o)
		if got := readAll(t, l2, 0, 500); !bytes.Equal(got, want) || report.Damage != nil {
			t.Fatalf("to %d, after a crash: %d bytes of %d, %+v", to, len(got), len(want), report)
		}
		if e, at := l2.EpochEndOffset(1); to > 0 && (e != 1 || at > to) {
			t.Fatal(to, e, at)
		}
	}
}

// prefix returns the whole batches below the offset end.
func prefix(t testing.TB, all []byte, end kafka.Offset) (p []byte) {
	t.Helper()
	for len(all) > 0 {
		batch, rest, err := record.Next(all)
		must(t, err)
		if batch.NextOffset() > end {
			break
		}
		p = append(p, batch...)
		all = rest
	}
	return p
}

func TestTruncateFully(t *testing.T) {
	f := vfs.NewMem()
	l, _ := openTest(t, f, options(small()))
	fill(t, l, 60, 1)
	must(t, l.TruncateFullyAndStartAt(1000, testStart))
	if l.LogStartOffset() != 1000 || l.LogEndOffset() != 1000 || segments(l) != 1 || l.LatestEpoch() != kafka.NoEpoch {
		t.Fatalf("start %d end %d", l.LogStartOffset(), l.LogEndOffset())
	}
	all := fill(t, l, 1020, 2)
	must(t, l.Close(testStart))
	o := options(small())
	o.Clean, o.LogStartOffset = true, 1000
	l, _ = openTest(t, f, o)
	if got := readAll(t, l, 1000, 100); !bytes.Equal(got, all) {
		t.Fatalf("%d bytes of %d", len(got), len(all))
	}
}

// TestIdleLogIsSmall counts what a log costs that was opened after a clean shutdown and is not used.
func TestIdleLogIsSmall(t *testing.T) {
	const logs, limit = 300, 2 << 10
	dir := t.TempDir()
	o := options(DefaultConfig())
	for i := range logs {
		l, _, err := Open(vfs.OS{}, fmt.Sprintf("%s/t-%d", dir, i), o)
		must(t, err)
		fill(t, l, 10, 1)
		must(t, l.Close(testStart))
	}
	o.Clean, o.Cache = true, segment.NewCache(10, 1<<10)
	kept := make([]*Log, logs)
	before := heap()
	for i := range kept {
		var err error
		kept[i], _, err = Open(vfs.OS{}, fmt.Sprintf("%s/t-%d", dir, i), o)
		must(t, err)
	}
	if per := int64(heap()-before) / logs; per > limit {
		t.Errorf("%d bytes for a log", per)
	} else {
		t.Logf("%d bytes for a log", per)
	}
	if n := o.Cache.OpenFiles(); n != 0 {
		t.Errorf("%d files open", n)
	}
	runtime.KeepAlive(kept)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBigSteps appends batches whose offsets, or whose sum, no index of the active segment can express.
func TestBigSteps(t *testing.T) {
	l, _ := openTest(t, vfs.NewMem(), options(small()))
	var all []byte
	for _, base := range []kafka.Offset{0, 1 << 31, 1<<31 + 5, 1 << 40, 1<<62 + 7} {
		b := batchOf(t, base, 2, 0, 0)
		_, err := l.Append(b, testStart)
		must(t, err)
		all = append(all, b...)
	}
	if segments(l) != 5 || l.LogEndOffset() != 1<<62+9 {
		t.Fatalf("%d segments, end %d", segments(l), l.LogEndOffset())
	}
	if got := readAll(t, l, 0, 100); !bytes.Equal(got, all) {
		t.Fatalf("%d bytes of %d", len(got), len(all))
	}
	// An empty log follows its leader to any offset.
	l, _ = openTest(t, vfs.NewMem(), options(small()))
	_, err := l.Append(batchOf(t, 1<<35, 1, 0, 0), testStart)
	must(t, err)
	if segments(l) != 1 || l.LogEndOffset() != 1<<35+1 {
		t.Fatalf("%d segments, end %d", segments(l), l.LogEndOffset())
	}
	// A step back, and bytes that are no batches, are refused.
	for _, b := range [][]byte{batchOf(t, 5, 1, 0, 0), nil, {1, 2, 3}, batchOf(t, 1<<36, 1, 0, 0)[:70]} {
		if _, err := l.Append(b, testStart); err == nil || l.LogEndOffset() != 1<<35+1 || l.Err() != nil {
			t.Fatalf("%v, end %d", err, l.LogEndOffset())
		}
	}
}

// TestFullDiskAtRoll has no space for another segment, and then has.
func TestFullDiskAtRoll(t *testing.T) {
	f := vfs.NewFaulty(vfs.NewMem(), nil)
	l, _ := openTest(t, f, options(small()))
	all := fill(t, l, 10, 0)
	f.SetHook(vfs.FailNth(vfs.OpCreate, ".log", 1, true, vfs.ErrNoSpace))
	err := l.Roll(testStart)
	if !errors.Is(err, vfs.ErrNoSpace) || errors.Is(err, ErrFenced) {
		t.Fatal(err)
	}
	f.SetHook(nil)
	all = append(all, fill(t, l, 40, 0)...)
	if got := readAll(t, l, 0, 300); !bytes.Equal(got, all) {
		t.Fatalf("%d bytes of %d", len(got), len(all))
	}
}

func segments(l *Log) int { return len(l.list.Load().segments) }
