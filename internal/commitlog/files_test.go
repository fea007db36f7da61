package commitlog

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

func TestFolderNames(t *testing.T) {
	id := kafka.UUID{0xab, 15: 1}
	long := strings.Repeat("x", 249)
	f := func(name, topic string, partition int32, kind FolderKind) {
		t.Helper()
		p, k := ParseFolder(name)
		if k != kind || kind != Other && p != (kafka.TopicPartition{Topic: topic, Partition: partition}) {
			t.Errorf("%s: %v of kind %d", name, p, k)
		}
	}
	f("a-0", "a", 0, Partition)
	f("a-b-12", "a-b", 12, Partition)
	f("__cluster_metadata-0", "__cluster_metadata", 0, Partition)
	f("a", "", 0, Other)
	f("a-", "", 0, Other)
	f("-1", "", 0, Other)
	f("a--1", "a-", 1, Partition)
	f("a-+1", "", 0, Other)
	f("a-99999999999", "", 0, Other)
	f("a b-1", "", 0, Other)
	f("a-1-delete", "", 0, Other)
	f("a-1.x-delete", "", 0, Other)
	f("a-1.ab000000000000000000000000000001-delete", "a", 1, Deleted)
	f("a-1.ab000000000000000000000000000001-stray", "a", 1, Stray)
	f("a-1.ab000000000000000000000000000001-future", "a", 1, Future)
	f(DeletedName(kafka.TopicPartition{Topic: "a", Partition: 1}, id), "a", 1, Deleted)
	f(StrayName(kafka.TopicPartition{Topic: "a", Partition: 1}, id), "a", 1, Stray)
	f(DeletedName(kafka.TopicPartition{Topic: long, Partition: 10}, id), long[:255-43], 10, Deleted)
	if n := len(DeletedName(kafka.TopicPartition{Topic: long, Partition: 10}, id)); n != 255 {
		t.Errorf("a name of %d bytes", n)
	}
}

func TestRetire(t *testing.T) {
	disk := vfs.NewCrash()
	must(t, vfs.MkdirAll(disk, "/d/a-1"))
	p := kafka.TopicPartition{Topic: "a", Partition: 1}
	name, err := Retire(disk, "/d", p.String(), p, kafka.UUID{1})
	must(t, err)
	names, err := disk.CrashClone(nil, 0).List("/d")
	must(t, err)
	if len(names) != 1 || names[0] != path.Base(name) {
		t.Fatal(names)
	}
}

func TestDamageFile(t *testing.T) {
	disk := vfs.NewMem()
	want := addDamage(addDamage(addDamage(nil, Damage{10, 12, 0}), Damage{5, 6, 0}), Damage{12, 15, 0})
	if !slices.Equal(want, []Damage{{5, 6, 0}, {10, 15, 0}}) {
		t.Fatal(want)
	}
	must(t, writeDamage(disk, "/", want))
	got, err := readDamage(disk, "/")
	must(t, err)
	if !slices.Equal(got, want) {
		t.Fatal(got)
	}
	must(t, writeDamage(disk, "/", nil))
	if got, err := readDamage(disk, "/"); got != nil || err != nil {
		t.Fatal(got, err)
	}
}

func FuzzFolderFiles(f *testing.F) {
	f.Add([]byte("0\n1\n3 4 0\n"), "a-1.ab000000000000000000000000000001-delete")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		list, err := parseDamage(b)
		if err != nil && !errors.Is(err, checkpoint.ErrMalformed) {
			t.Fatal(err)
		}
		disk := vfs.NewMem()
		if err == nil && len(list) > 0 {
			must(t, writeDamage(disk, "/", list))
			if again, err := readDamage(disk, "/"); err != nil || !slices.Equal(again, list) {
				t.Fatalf("%v becomes %v, %v", list, again, err)
			}
		}
		must(t, vfs.WriteFile(disk, "/"+truncationFile, b))
		if to, ok, err := readTruncation(disk, "/"); to < 0 || !ok || err != nil {
			t.Fatal(to, ok, err)
		}
		if p, kind := ParseFolder(name); kind == Partition {
			if again, kind := ParseFolder(p.String()); again != p || kind != Partition {
				t.Fatalf("%q is %v, and that is %v", name, p, again)
			}
		}
	})
}

// TestInterruptedCompaction opens folders as a crash of Kafka's compaction leaves them.
func TestInterruptedCompaction(t *testing.T) {
	old1 := slices.Concat(batchOf(t, 0, 2, 0, 1), batchOf(t, 2, 2, 0, 1))
	old2 := batchOf(t, 4, 3, 0, 1)
	active := batchOf(t, 10, 1, 0, 1)
	clean := batchOf(t, 2, 5, 0, 1) // what compaction kept: 2 to 6, in the segment at 0
	name := func(base kafka.Offset, suffix string) string {
		return segment.FileName(base, segment.LogSuffix+suffix)
	}
	f := func(what string, want []byte, files map[string][]byte) {
		t.Helper()
		disk := vfs.NewMem()
		must(t, disk.Mkdir("/t-0"))
		files[name(10, "")] = active
		for n, b := range files {
			must(t, vfs.WriteFile(disk, "/t-0/"+n, b))
		}
		o := options(small())
		o.Config.Compacted = true
		l, _ := openTest(t, disk, o)
		if got := readAll(t, l, 0, 1000); !bytes.Equal(got, append(bytes.Clone(want), active...)) {
			t.Fatalf("%s: read %d bytes", what, len(got))
		}
		names, err := disk.List("/t-0")
		must(t, err)
		for _, n := range names {
			if !strings.HasSuffix(n, ".log") {
				t.Fatalf("%s: %s is left", what, n)
			}
		}
	}
	all := slices.Concat(old1, old2)
	f("while it writes", all, map[string][]byte{name(0, ""): old1, name(4, ""): old2, name(0, ".cleaned"): clean[:40]})
	f("while it renames", all, map[string][]byte{name(0, ""): old1, name(4, ""): old2, name(0, ".cleaned"): clean, name(4, ".swap"): old2})
	f("before it removes", clean, map[string][]byte{name(0, ""): old1, name(4, ""): old2, name(0, ".swap"): clean})
	f("while it removes", clean, map[string][]byte{name(0, ".deleted"): old1, name(4, ""): old2, name(0, ".swap"): clean})
	f("before the last rename", clean, map[string][]byte{name(0, ".deleted"): old1, name(4, ".deleted"): old2, name(0, ".swap"): clean})
}

// TestProducersSurvive restarts between batches of idempotent producers and transactions.
func TestProducersSurvive(t *testing.T) {
	disk := vfs.NewMem()
	l, _ := openTest(t, disk, options(small()))
	for i := range 40 {
		appendTxn(t, l, i, 0)
		want := l.Producers().AppendSnapshot(nil)
		aborted, err := l.AbortedTxns(0, l.LogEndOffset())
		must(t, err)
		o := options(small())
		switch i % 4 {
		case 0:
			must(t, l.Close(testStart))
			o.Clean = true
		case 1:
			l.Abandon()
		case 2:
			o.RecoveryPoint, err = l.Flush()
			must(t, err)
			l.Abandon()
		case 3:
			continue
		}
		l, _ = openTest(t, disk, o)
		if got := l.Producers().AppendSnapshot(nil); !bytes.Equal(got, want) {
			t.Fatalf("after %d: %x, want %x", i, got, want)
		}
		again, err := l.AbortedTxns(0, l.LogEndOffset())
		must(t, err)
		if !slices.Equal(again, aborted) {
			t.Fatalf("after %d: aborted %v, want %v", i, again, aborted)
		}
	}
	aborted, err := l.AbortedTxns(0, l.LogEndOffset())
	must(t, err)
	if len(aborted) != 6 {
		t.Fatalf("%d aborted transactions", len(aborted))
	}
}

// TestOddTransactionIndex: an index of transactions that makes no sense is damage to who wants committed records, and nothing to others.
func TestOddTransactionIndex(t *testing.T) {
	disk := vfs.NewMem()
	l, _ := openTest(t, disk, options(small()))
	for i := range 40 {
		appendTxn(t, l, i, 0)
	}
	must(t, l.Close(testStart))
	names, err := disk.List("/t-0")
	must(t, err)
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, segment.TxnIndexSuffix) })
	must(t, vfs.WriteFile(disk, "/t-0/"+names[i], []byte("no index")))
	base, _ := segment.ParseFileName(names[i], segment.TxnIndexSuffix)
	o := options(small())
	o.Clean = true
	l, _ = openTest(t, disk, o)
	if _, _, err := l.ReadCommitted(base, 1000, l.LogEndOffset(), true); !errors.Is(err, kerr.CorruptMessage) {
		t.Errorf("committed records: %v", err)
	}
	s, err := l.Read(base, 1000, l.LogEndOffset(), true)
	must(t, err)
	s.Release()
	for i := range 40 { // what is noted since hides nothing
		appendTxn(t, l, i, 0)
	}
	if _, _, err := l.ReadCommitted(base, 1000, l.LogEndOffset(), true); !errors.Is(err, kerr.CorruptMessage) {
		t.Errorf("committed records after more of them: %v", err)
	}
	_, err = l.Flush()
	must(t, err)
	l.Abandon()
	o.Clean = false
	l, _ = openTest(t, disk, o)
	s, _, err = l.ReadCommitted(base, 1000, l.LogEndOffset(), true)
	if err != nil {
		t.Errorf("after a recovery from the beginning on: %v", err)
	}
	s.Release()
}

// TestRetriesSurvive: however a log was closed, the last batches of a producer are known when it sends them again; a snapshot alone holds only one.
func TestRetriesSurvive(t *testing.T) {
	for name, reopen := range map[string]func(l *Log) Options{
		"clean": func(l *Log) Options {
			must(t, l.Close(testStart))
			o := options(small())
			o.Clean = true
			return o
		},
		"killed": func(l *Log) Options {
			l.Abandon()
			o := options(small())
			o.Written = true
			return o
		},
		"flushed and killed": func(l *Log) Options {
			point, err := l.Flush()
			must(t, err)
			l.Abandon()
			o := options(small())
			o.RecoveryPoint = point
			return o
		},
	} {
		disk := vfs.NewMem()
		l, _ := openTest(t, disk, options(small()))
		var sent [][]byte
		for range 30 {
			b := producerBatch(t, l.LogEndOffset(), 3)
			sent = append(sent, slices.Clone(b))
			_, err := l.Append(b, testStart)
			must(t, err)
			l, _ = openTest(t, disk, reopen(l))
			for i, again := range sent[max(0, len(sent)-producer.Remembered):] {
				if _, known, err := l.Producers().Check(record.Batch(again), kafka.FromClient); !known || err != nil {
					t.Fatalf("%s: of %d batches the one %d from the end is not known: %v", name, len(sent), min(len(sent), producer.Remembered)-i, err)
				}
			}
		}
		must(t, l.TruncateTo(l.LogEndOffset()-2, testStart))
		for _, again := range sent[len(sent)-2-producer.Remembered : len(sent)-2] {
			if _, known, err := l.Producers().Check(record.Batch(again), kafka.FromClient); !known || err != nil {
				t.Fatalf("%s, and cut: a batch is not known: %v", name, err)
			}
		}
	}
}

// TestRetriesSurviveInALongLog: of a segment with a long index only the end is read.
func TestRetriesSurviveInALongLog(t *testing.T) {
	disk := vfs.NewMem()
	o := options(small())
	o.Config.SegmentBytes = 1 << 20
	l, _ := openTest(t, disk, o)
	var sent [][]byte
	for range 2000 {
		b := producerBatch(t, l.LogEndOffset(), 3)
		sent = append(sent, slices.Clone(b))
		_, err := l.Append(b, testStart)
		must(t, err)
	}
	must(t, l.Close(testStart))
	o.Clean = true
	l, _ = openTest(t, disk, o)
	for _, again := range sent[len(sent)-producer.Remembered:] {
		if _, known, err := l.Producers().Check(record.Batch(again), kafka.FromClient); !known || err != nil {
			t.Errorf("a batch is not known: %v", err)
		}
	}
}

// appendTxn appends a batch of a transaction, or in each third step a marker: commit, abort, commit, …
func appendTxn(t *testing.T, l *Log, i int, epoch kafka.LeaderEpoch) {
	t.Helper()
	var out []byte
	var err error
	at := l.LogEndOffset()
	if i%3 == 2 {
		kind := record.Commit
		if i%6 == 5 {
			kind = record.Abort
		}
		out = record.AppendEndTxnMarker(nil, at, epoch, testStart.UnixMilli(), 7, 0, kind, 1)
	} else {
		var b record.Builder
		o := record.NewOptions(at, epoch)
		o.ProducerID, o.ProducerEpoch, o.BaseSequence, o.Transactional = 7, 0, int32(i), true
		b.Begin(o)
		b.Add(testStart.UnixMilli(), nil, bytes.Repeat([]byte("x"), 100))
		out, err = b.AppendTo(nil)
		must(t, err)
	}
	_, err = l.Append(out, testStart)
	must(t, err)
}
