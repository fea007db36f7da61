package commitlog

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

var compactSeeds = flag.Uint64("compact-seeds", 120, "number of seeds of TestCompactionModel and, a fortieth, of TestCompactionCrashes")

// retention is delete.retention.ms of the model.
const retention = 30 * time.Second

// written is a record as it was appended.
type written struct {
	keyed
	offset  kafka.Offset
	txn     *openTxn  // nil without a transaction
	cleaned time.Time // when a cleaning first passed its batch
}

// openTxn is a transaction of the model.
type openTxn struct{ ended, aborted bool }

// compactModel runs random operations on a log and its cleanings, and knows what readers must see.
type compactModel struct {
	t     testing.TB
	name  string
	whole bool // no records are deleted: then all producers must be known for ever
	rng   *rand.Rand
	disk  *vfs.Mem
	fs    vfs.FS
	log   *Log
	now   time.Time
	point kafka.Offset // recovery point checkpoint
	saved kafka.Offset // cleaner checkpoint

	all       []*written
	sequences map[kafka.ProducerID]int32
	epochs    map[kafka.ProducerID]int16
	txns      map[kafka.ProducerID]*openTxn

	cleanings, dropped int
}

func newCompactModel(t testing.TB, seed uint64) *compactModel {
	m := &compactModel{
		t: t, name: fmt.Sprintf("seed %d", seed), whole: seed%2 == 0, rng: rand.New(rand.NewPCG(seed, 3)), disk: vfs.NewCrash(), now: testStart,
		sequences: map[kafka.ProducerID]int32{}, epochs: map[kafka.ProducerID]int16{}, txns: map[kafka.ProducerID]*openTxn{},
	}
	m.fs = m.disk
	must(t, vfs.MkdirAll(m.disk, "/d"))
	m.open()
	return m
}

func (m *compactModel) options(clean bool) Options {
	c := compacted()
	c.SegmentBytes = 700
	o := options(c)
	o.Config.ProducerIdle = 1000 * time.Hour
	o.RecoveryPoint, o.Cleaned, o.Clean, o.Now = m.point, m.saved, clean, m.now
	o.Config.Compacted = false // what a start does not know must not matter
	return o
}

func (m *compactModel) open() {
	l, report, err := Open(m.fs, "/d/t-0", m.options(false))
	must(m.t, err)
	if report.LostBytes > 0 || report.Damage != nil {
		m.t.Fatalf("%s: lost %d bytes, damage %v: %v", m.name, report.LostBytes, report.Damage, report.Cut)
	}
	m.log = l
}

func (m *compactModel) step() {
	switch n := m.rng.IntN(20); {
	case n < 10:
		m.append()
	case n < 12:
		m.endTxn()
	case n < 13:
		must(m.t, m.log.Roll(m.now))
	case n < 14:
		m.now = m.now.Add(time.Duration(m.rng.IntN(40)) * time.Second)
	case n < 15:
		m.deleteRecords()
	case n < 16:
		m.reopen()
	default:
		m.clean()
		m.check(m.log)
	}
}

// append appends a batch of one to four records: plain, of an idempotent producer, or of a transaction.
func (m *compactModel) append() {
	o := record.NewOptions(m.log.LogEndOffset(), 0)
	o.Codec = compress.Codec(m.rng.IntN(5))
	var txn *openTxn
	if id := kafka.ProducerID(m.rng.IntN(6)); id < 4 {
		o.ProducerID, o.ProducerEpoch, o.BaseSequence = id, m.epochs[id], m.sequences[id]
		if id < 2 { // transactional
			if m.txns[id] == nil {
				m.txns[id] = &openTxn{}
			}
			txn, o.Transactional = m.txns[id], true
		}
	}
	var b record.Builder
	b.Begin(o)
	n := m.rng.IntN(4) + 1
	for i := range n {
		w := &written{offset: o.BaseOffset + kafka.Offset(i), txn: txn}
		w.key, w.value, w.tombstone = fmt.Sprint("key", m.rng.IntN(9)), fmt.Sprint("value", w.offset), m.rng.IntN(4) == 0
		value := []byte(w.value)
		if w.tombstone {
			w.value, value = "", nil
		}
		b.Add(m.now.UnixMilli()+int64(m.rng.IntN(2000)), []byte(w.key), value, record.Header{Key: "h", Value: []byte("x")})
		m.all = append(m.all, w)
	}
	m.sequences[o.ProducerID] += int32(n)
	m.write(b.AppendTo(nil))
}

func (m *compactModel) write(b []byte, err error) {
	must(m.t, err)
	_, err = m.log.Append(b, m.now)
	must(m.t, err)
}

// endTxn writes a marker; half of them, as those of transactions of version 2, with the next epoch.
func (m *compactModel) endTxn() {
	id := kafka.ProducerID(m.rng.IntN(2))
	txn := m.txns[id]
	if txn == nil {
		return
	}
	kind := record.Commit
	if txn.aborted = m.rng.IntN(2) == 0; txn.aborted {
		kind = record.Abort
	}
	if m.rng.IntN(2) == 0 {
		m.epochs[id]++
		m.sequences[id] = 0
	}
	txn.ended = true
	delete(m.txns, id)
	m.write(record.AppendEndTxnMarker(nil, m.log.LogEndOffset(), 0, m.now.UnixMilli(), id, m.epochs[id], kind, 0), nil)
}

func (m *compactModel) deleteRecords() {
	stable, start := m.lastStable(m.log), m.log.LogStartOffset()
	if m.whole || m.rng.IntN(3) > 0 || stable < start {
		return
	}
	must(m.t, m.log.SetLogStartOffset(start+kafka.Offset(m.rng.Int64N(int64(stable-start)+1))))
	_, err := m.log.Retain(m.now, m.log.LogEndOffset())
	must(m.t, err)
	_, err = m.log.Reap(m.now)
	must(m.t, err)
}

func (m *compactModel) reopen() {
	m.check(m.log)
	m.checkReplay()
	if m.rng.IntN(2) == 0 {
		m.point = m.log.RecoveryPoint()
		must(m.t, m.log.Checkpointed(m.point))
	}
	start := m.log.LogStartOffset()
	m.log.Abandon()
	m.open()
	must(m.t, m.log.SetLogStartOffset(start))
}

// clean cleans with room for one key to plenty.
func (m *compactModel) clean() {
	room := 1 << m.rng.IntN(6)
	cleaned := m.log.Cleaned()
	before := len(contents(m.t, m.log))
	cleanLog(m.t, m.log, room, retention, m.now)
	m.cleaned(cleaned, m.log.Cleaned())
	m.dropped += before - len(contents(m.t, m.log))
	m.cleanings++
	if m.rng.IntN(2) == 0 {
		m.saved = m.log.Cleaned()
	}
}

// cleaned notes for the tombstones below end that a cleaning passed them.
func (m *compactModel) cleaned(_, end kafka.Offset) {
	for _, w := range m.all {
		if w.offset < end && w.cleaned.IsZero() {
			w.cleaned = m.now
		}
	}
}

func (m *compactModel) lastStable(l *Log) kafka.Offset {
	if first := l.Producers().FirstUnstableOffset(l.LogEndOffset()); first != kafka.NoOffset {
		return first
	}
	return l.LogEndOffset()
}

// check compares what a reader of committed records finds with what it must find.
func (m *compactModel) check(l *Log) {
	m.t.Helper()
	m.checkView(l, m.log.LogEndOffset())
	got := contents(m.t, l)
	seen := map[string]kafka.Offset{}
	latest := map[string]*written{}
	byOffset := map[kafka.Offset]*written{}
	stable := m.lastStable(m.log)
	for _, w := range m.all {
		byOffset[w.offset] = w
		if w.offset < stable && !(w.txn != nil && w.txn.aborted) {
			latest[w.key] = w
		}
	}
	for offset, r := range got {
		w := byOffset[offset]
		if w == nil || w.keyed != r {
			m.t.Fatalf("%s: offset %d has %v, was written as %v", m.name, offset, r, w)
		}
		if offset >= l.Cleaned() || offset < l.LogStartOffset() || l != m.log {
			continue
		}
		if w.txn != nil && w.txn.aborted {
			m.t.Fatalf("%s: offset %d of an aborted transaction is left below %d", m.name, offset, l.Cleaned())
		}
		if other, twice := seen[r.key]; twice {
			m.t.Fatalf("%s: %s is at %d and %d, both below %d", m.name, r.key, other, offset, l.Cleaned())
		}
		seen[r.key] = offset
	}
	for _, w := range latest {
		young := w.cleaned.IsZero() || m.now.Before(w.cleaned.Add(retention))
		if _, ok := got[w.offset]; !ok && w.offset >= l.LogStartOffset() && (!w.tombstone || young) {
			m.t.Fatalf("%s: the latest record of %s, %v at %d, is gone", m.name, w.key, w.keyed, w.offset)
		}
	}
}

// checkView reads all committed records from the log start on, into a table, as a consumer would.
func (m *compactModel) checkView(l *Log, end kafka.Offset) {
	m.t.Helper()
	if l.LogEndOffset() != end {
		m.t.Fatalf("%s: the log ends at %d, want %d", m.name, l.LogEndOffset(), end)
	}
	stable := m.lastStable(m.log)
	want := map[string]string{}
	for _, w := range m.all {
		if w.offset >= l.LogStartOffset() && w.offset < stable && !(w.txn != nil && w.txn.aborted) {
			apply(want, w.keyed)
		}
	}
	aborted, err := l.AbortedTxns(l.LogStartOffset(), stable)
	must(m.t, err)
	got := map[string]string{}
	for rest := readAll(m.t, l, l.LogStartOffset(), 1<<20); len(rest) > 0; {
		b, next, err := record.Next(rest)
		must(m.t, err)
		rest = next
		if b.IsControl() || b.BaseOffset() >= stable || isAborted(b, aborted) {
			continue
		}
		var w record.Walker
		w.Reset(b, 1<<20)
		for w.Next() {
			if b.BaseOffset()+kafka.Offset(w.Record.OffsetDelta) >= l.LogStartOffset() {
				apply(got, keyed{key: string(w.Record.Key), value: string(w.Record.Value), tombstone: w.Record.ValueSize < 0})
			}
		}
		w.Close()
	}
	if !maps.Equal(got, want) {
		m.t.Fatalf("%s: readers see %v\nwant %v", m.name, got, want)
	}
	// Producers may be of records that were asked to go.
	if got, want := producerStates(l), producerStates(m.log); got != want && l.LogStartOffset() == 0 {
		m.t.Fatalf("%s: producers are\n%s\nwant\n%s", m.name, got, want)
	}
}

func apply(table map[string]string, r keyed) {
	if r.tombstone {
		delete(table, r.key)
	} else {
		table[r.key] = r.value
	}
}

// isAborted decides as a consumer does.
func isAborted(b record.Batch, aborted []segment.Aborted) bool {
	for _, a := range aborted {
		if b.IsTransactional() && a.ProducerID == b.ProducerID() && b.BaseOffset() >= a.FirstOffset && b.LastOffset() <= a.LastOffset {
			return true
		}
	}
	return false
}

// producerStates is what has to be known of producers after any start.
func producerStates(l *Log) string {
	var s strings.Builder
	for _, p := range l.Producers().Producers(nil) {
		fmt.Fprintf(&s, "%d/%d %d %d\n", p.ProducerID, p.ProducerEpoch, p.LastSequence, p.TxnStart)
	}
	return s.String()
}

// checkReplay opens a copy of the log without its snapshots, so that the producers come from the batches alone.
func (m *compactModel) checkReplay() {
	disk := m.disk.CrashClone(m.rng, 100)
	names, err := disk.List("/d/t-0")
	must(m.t, err)
	for _, name := range names {
		if strings.HasSuffix(name, segment.SnapshotSuffix) {
			must(m.t, disk.Remove(path.Join("/d/t-0", name)))
		}
	}
	o := m.options(false)
	o.RecoveryPoint, o.LogStartOffset = 0, m.log.LogStartOffset()
	l, report, err := Open(disk, "/d/t-0", o)
	must(m.t, err)
	if report.LostBytes > 0 {
		m.t.Fatalf("%s: a full scan loses %d bytes: %v", m.name, report.LostBytes, report.Cut)
	}
	m.checkView(l, m.log.LogEndOffset())
}

// TestCompactionModel compacts random logs in random steps. A failure names its seed: -compact-seeds=N runs more of them.
func TestCompactionModel(t *testing.T) {
	cleanings, dropped := 0, 0
	for seed := range *compactSeeds {
		m := newCompactModel(t, seed)
		for range 150 {
			m.step()
		}
		m.checkReplay()
		cleanings, dropped = cleanings+m.cleanings, dropped+m.dropped
	}
	t.Logf("%d cleanings removed %d records", cleanings, dropped)
	if dropped < cleanings {
		t.Error("hardly anything was removed")
	}
}

// FuzzCompaction lets the fuzzer choose the seed and the number of steps.
func FuzzCompaction(f *testing.F) {
	f.Add(uint64(1000), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) {
		m := newCompactModel(t, seed)
		for range steps {
			m.step()
		}
		m.check(m.log)
		m.checkReplay()
	})
}

// TestCompactionCrashes cuts the power before each change of the disk that a cleaning makes, and looks at what the next start finds.
func TestCompactionCrashes(t *testing.T) {
	crashes := 0
	for seed := range max(1, *compactSeeds/40) {
		m := newCompactModel(t, seed)
		cut := rand.New(rand.NewPCG(seed, 4))
		for range 80 {
			m.step()
			must(t, m.log.Roll(m.now))
			_, err := m.log.Flush()
			must(t, err)
			crashes += m.cleanAndCrash(cut)
		}
	}
	t.Logf("%d crashes", crashes)
}

func (m *compactModel) cleanAndCrash(cut *rand.Rand) (crashes int) {
	plain := m.log.dir.FS
	start, name := m.log.LogStartOffset(), m.name
	m.log.dir.FS = vfs.NewFaulty(m.disk, func(o vfs.Op) error {
		if !o.Changes() {
			return nil
		}
		for i, keep := range []int{0, 50, 100, 100} {
			crashes++
			m.name = fmt.Sprintf("%s, before %s, keeping %d %%", name, o, keep)
			opt := m.options(false)
			opt.LogStartOffset, opt.Written = start, i == 3 // of a process that died
			l, report, err := Open(m.disk.CrashClone(cut, keep), "/d/t-0", opt)
			if err != nil || report.LostBytes > 0 || report.Damage != nil || report.Odd != nil {
				m.t.Fatalf("%s: %v, %+v", m.name, err, report)
			}
			m.checkView(l, m.log.LogEndOffset())
			l.Abandon()
		}
		m.name = name
		return nil
	})
	m.clean()
	m.log.dir.FS = plain
	m.check(m.log)
	return crashes
}

// TestCompactionFaults fails each change of the disk that a cleaning makes, once. The log goes on, or is fenced; nothing is lost, and the next start finds all.
func TestCompactionFaults(t *testing.T) {
	faults := 0
	for seed := range max(1, *compactSeeds/20) {
		m := newCompactModel(t, seed)
		for range 60 {
			m.step()
		}
		must(t, m.log.Roll(m.now))
		_, err := m.log.Flush()
		must(t, err)
		for nth := 1; m.failNth(nth); nth++ {
			faults++
		}
	}
	t.Logf("%d faults", faults)
	if faults < 20 {
		t.Error("hardly anything failed")
	}
}

// failNth cleans a copy of the log whose nth change of the disk fails, and reports whether there was one.
func (m *compactModel) failNth(nth int) bool {
	disk, failure, n := m.disk.CrashClone(m.rng, 100), errors.New("injected"), 0
	fs := vfs.NewFaulty(disk, nil)
	opt := m.options(false)
	opt.LogStartOffset = m.log.LogStartOffset()
	l, _, err := Open(fs, "/d/t-0", opt)
	must(m.t, err)
	fs.SetHook(func(o vfs.Op) error {
		if o.Changes() {
			n++
		}
		if o.Changes() && n == nth {
			return failure
		}
		return nil
	})
	name := m.name
	m.name = fmt.Sprintf("%s, change %d fails", name, nth)
	defer func() { m.name = name }()
	err = tryClean(l, 100, retention, m.now)
	if n >= nth && !errors.Is(err, failure) {
		m.t.Fatalf("%s: %v", m.name, err)
	}
	m.checkView(l, m.log.LogEndOffset()) // readers see no difference
	l.Abandon()
	l, report, err := Open(disk, "/d/t-0", opt)
	if err != nil || report.LostBytes > 0 || report.Damage != nil {
		m.t.Fatalf("%s: %v, %+v", m.name, err, report)
	}
	m.checkView(l, m.log.LogEndOffset())
	return n >= nth
}
