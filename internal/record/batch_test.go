package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// golden returns a batch that Apache Kafka 4.4.0's own builder made: java-<codec> are 200 records as javaRecord gives them.
func golden(t testing.TB, name string) Batch {
	t.Helper()
	b, err := os.ReadFile("testdata/golden/" + name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	batch, rest, err := Next(b)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%s: %v, %d bytes left", name, err, len(rest))
	}
	return batch
}

// javaRecord is record j of the golden batches.
func javaRecord(j int) (timestamp int64, key, value []byte, headers []Header) {
	timestamp = 1700000000000 + int64(j*7%31)
	if j%3 != 0 {
		key = fmt.Appendf(nil, "key-%d", j%10)
	}
	if j%11 != 5 {
		value = bytes.Repeat(fmt.Appendf(nil, "the value of record %d ", j), 1+j%4)
	}
	if j%50 == 0 {
		headers = []Header{{"trace", fmt.Appendf(nil, "t%d", j)}, {"none", nil}}
	}
	return timestamp, key, value, headers
}

var codecs = []compress.Codec{compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd}

func TestJavaBatches(t *testing.T) {
	for _, c := range codecs {
		b := golden(t, "java-"+c.String())
		if err := b.CheckCRC(); err != nil {
			t.Errorf("%s: %v", c, err)
		}
		if got, want := b.String(), fmt.Sprintf("batch 100-299 epoch 9 count 200 codec %s producer 4711/3 sequence 17 size %d", c, len(b)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if b.LastSequence() != 216 || b.NextOffset() != 300 || b.BaseTimestamp() != 1700000000000 || b.MaxTimestamp() != 1700000000030 ||
			b.IsTransactional() != (c == compress.Zstd) || b.IsControl() || b.HasDeleteHorizon() || b.TimestampType() != kafka.CreateTime {
			t.Errorf("%s: header is read wrong", c)
		}
		walkJava(t, b)
	}
}

func walkJava(t *testing.T, b Batch) {
	t.Helper()
	var w Walker
	defer w.Close()
	w.Reset(b, 1<<20)
	j := 0
	for ; w.Next(); j++ {
		timestamp, key, value, headers := javaRecord(j)
		r := &w.Record
		if r.OffsetDelta != int32(j) || r.Timestamp != timestamp || !same(r.Key, key) || !same(r.Value, value) {
			t.Fatalf("%s record %d: %+v", b.Codec(), j, r)
		}
		i := 0
		for k, v := range r.Headers() {
			if string(k) != headers[i].Key || !same(v, headers[i].Value) {
				t.Fatalf("record %d header %d: %s=%s", j, i, k, v)
			}
			i++
		}
		if i != len(headers) {
			t.Fatalf("record %d has %d headers", j, i)
		}
	}
	if w.Err() != nil || j != 200 {
		t.Fatalf("%s: %d records, %v", b.Codec(), j, w.Err())
	}
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func TestBuilderWritesJavasBytes(t *testing.T) {
	o := NewOptions(100, 9)
	o.ProducerID, o.ProducerEpoch, o.BaseSequence = 4711, 3, 17
	var b Builder
	for _, c := range codecs {
		o.Codec, o.Transactional = c, c == compress.Zstd
		b.Begin(o)
		for j := range 200 {
			timestamp, key, value, headers := javaRecord(j)
			b.Add(timestamp, key, value, headers...)
		}
		got, err := b.AppendTo([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		batch, rest, err := Next(got[6:])
		if err != nil || len(rest) > 0 || batch.CheckCRC() != nil {
			t.Fatalf("%s: %v", c, err)
		}
		walkJava(t, batch)
		if want := golden(t, "java-"+c.String()); c == compress.None && !bytes.Equal(batch, want) {
			t.Errorf("bytes differ from Java's")
		}
	}
}

func TestControlBatches(t *testing.T) {
	f := func(name string, built []byte) {
		t.Helper()
		if want := golden(t, name); !bytes.Equal(built, want) {
			t.Errorf("%s:\n got %x\nwant %x", name, built, []byte(want))
		}
	}
	f("java-commit", AppendEndTxnMarker(nil, 42, 7, 1700000000000, 4711, 3, Commit, 12))
	f("java-abort", AppendEndTxnMarker(nil, 43, 7, 1700000000000, 4711, 3, Abort, 12))
	change := golden(t, "java-leader-change")
	var w Walker
	defer w.Close()
	w.Reset(change, 0)
	if !w.Next() {
		t.Fatal(w.Err())
	}
	if kind, err := ParseControlKey(w.Record.Key); kind != LeaderChange || err != nil {
		t.Errorf("control type %d, %v", kind, err)
	}
	f("java-leader-change", AppendControl(nil, 0, 5, 1700000000000, LeaderChange, w.Record.Value))

	m, ok := ParseEndTxnMarker(golden(t, "java-commit"))
	if want := (EndTxnMarker{Commit, 12, 1700000000000}); !ok || m != want {
		t.Errorf("marker %+v, %v", m, ok)
	}
	if _, ok := ParseEndTxnMarker(change); ok {
		t.Error("a leader change is no marker")
	}
}

func TestAppendTime(t *testing.T) {
	want := golden(t, "java-append-time")
	var b Builder
	b.Begin(NewOptions(5, 1))
	b.Add(1700000000000, []byte("k"), []byte("v"))
	got, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := Batch(got)
	batch.setMaxTimestamp(kafka.LogAppendTime, 1700000000999)
	if !bytes.Equal(batch, want) || batch.CheckCRC() != nil {
		t.Errorf("got %x, want %x", got, []byte(want))
	}
	var w Walker
	defer w.Close()
	w.Reset(batch, 0)
	if !w.Next() || w.Record.Timestamp != 1700000000999 {
		t.Errorf("record has timestamp %d", w.Record.Timestamp)
	}
}

func TestPatchesLieOutsideTheCRC(t *testing.T) {
	b := golden(t, "java-none")
	b.SetBaseOffset(1 << 40)
	b.SetLeaderEpoch(77)
	if err := b.CheckCRC(); err != nil || b.LastOffset() != 1<<40+199 || b.LeaderEpoch() != 77 {
		t.Errorf("%s: %v", b, err)
	}
	b[HeaderSize] ^= 1
	if err := b.CheckCRC(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestNext(t *testing.T) {
	good := golden(t, "java-none")
	f := func(what string, b []byte, want error) {
		t.Helper()
		if _, rest, err := Next(b); !errors.Is(err, want) || len(rest) != len(b) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	f("nothing", nil, ErrShort)
	f("11 bytes", good[:11], ErrShort)
	f("16 bytes", good[:16], ErrShort)
	f("all but one byte", good[:len(good)-1], ErrShort)
	sized := func(length int32, magic byte) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[8:], uint32(length))
		b[16] = magic
		return b
	}
	f("negative length", sized(-1, 2), ErrCorrupt)
	f("length 13", sized(13, 2), ErrCorrupt)
	f("length of less than a header", sized(48, 2), ErrCorrupt)
	f("length past 2 GiB", sized(math.MaxInt32, 2), ErrCorrupt)
	f("magic 3", sized(100, 3), ErrCorrupt)
	f("magic -1", sized(100, 255), ErrCorrupt)
	for _, name := range []string{"java-magic0", "java-magic1"} {
		b, err := os.ReadFile("testdata/golden/" + name + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		f(name, b, ErrLegacy)
	}
	two := append(bytes.Clone(good), good...)
	first, rest, err := Next(two)
	if err != nil || len(first) != len(good) || len(rest) != len(good) {
		t.Errorf("two batches: %d and %d bytes, %v", len(first), len(rest), err)
	}
}

func TestSequencesWrap(t *testing.T) {
	if got := AddSequence(math.MaxInt32-1, 3); got != 1 {
		t.Errorf("got %d", got)
	}
	if got := SubSequence(1, 3); got != math.MaxInt32-1 {
		t.Errorf("got %d", got)
	}
}

// TestLargeRecordsAcrossChunks walks records that are longer than a chunk of the codecs, both keeping and skimming them.
func TestLargeRecordsAcrossChunks(t *testing.T) {
	value := []byte(strings.Repeat("a longer value than a chunk holds; ", 10_000))
	for _, c := range codecs {
		o := NewOptions(0, 0)
		o.Codec = c
		var b Builder
		b.Begin(o)
		for i := range 5 {
			b.Add(int64(i), []byte("k"), value[:len(value)-i], Header{"h", value})
		}
		got, err := b.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, skim := range []bool{false, true} {
			var w Walker
			w.Reset(got, 1<<30)
			w.skim = skim
			n := 0
			for ; w.Next(); n++ {
				r := &w.Record
				if r.KeySize != 1 || r.ValueSize != len(value)-n || r.Timestamp != int64(n) || !skim && !bytes.Equal(r.Value, value[:len(value)-n]) {
					t.Fatalf("%s skim %v record %d: sizes %d and %d", c, skim, n, r.KeySize, r.ValueSize)
				}
			}
			if w.Err() != nil || n != 5 {
				t.Errorf("%s skim %v: %d records, %v", c, skim, n, w.Err())
			}
			w.Close()
		}
	}
}

func TestWalkRefusesLies(t *testing.T) {
	f := func(what string, change func(Batch)) {
		t.Helper()
		for _, c := range codecs {
			b := golden(t, "java-"+c.String())
			change(b)
			var w Walker
			w.Reset(b, 1<<20)
			for w.Next() {
			}
			if w.Err() == nil {
				t.Errorf("%s, %s: not noticed", what, c)
			}
			w.Close()
		}
	}
	f("one record too many", func(b Batch) { binary.BigEndian.PutUint32(b[57:], 201) })
	f("one record too few", func(b Batch) { binary.BigEndian.PutUint32(b[57:], 199) })
	f("a negative count", func(b Batch) { binary.BigEndian.PutUint32(b[57:], 1<<31) })
	f("2³¹-1 records", func(b Batch) { binary.BigEndian.PutUint32(b[57:], math.MaxInt32) })
}

func FuzzWalk(f *testing.F) {
	for _, c := range codecs {
		f.Add([]byte(golden(f, "java-"+c.String())))
	}
	f.Add([]byte(golden(f, "java-commit")))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, rest, err := Next(b)
		if err != nil {
			return
		}
		if len(batch)+len(rest) != len(b) || batch.Size() != len(batch) {
			t.Fatalf("%d bytes became %d and %d", len(b), len(batch), len(rest))
		}
		var kept, skimmed Walker
		defer kept.Close()
		defer skimmed.Close()
		kept.Reset(batch, 1<<20)
		skimmed.Reset(batch, 1<<20)
		skimmed.skim = true
		for kept.Next() {
			if !skimmed.Next() {
				t.Fatalf("skimming stopped: %v", skimmed.Err())
			}
			k, s := &kept.Record, &skimmed.Record
			if k.OffsetDelta != s.OffsetDelta || k.Timestamp != s.Timestamp || k.KeySize != s.KeySize || k.ValueSize != s.ValueSize || k.HeaderCount < 0 {
				t.Fatalf("%+v and %+v", k, s)
			}
			for range k.Headers() {
			}
		}
		if skimmed.Next() || (kept.Err() == nil) != (skimmed.Err() == nil) {
			t.Fatalf("keeping: %v; skimming: %v", kept.Err(), skimmed.Err())
		}
		ParseEndTxnMarker(batch)
	})
}
