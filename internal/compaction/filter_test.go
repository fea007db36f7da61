package compaction

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

var codecs = []compress.Codec{compress.None, compress.Gzip, compress.Snappy, compress.LZ4, compress.Zstd}

// build makes a batch of records «key=value», «key» for a tombstone and «=value» without a key; timestamps rise by one from 1000.
func build(t testing.TB, base kafka.Offset, change func(*record.Options), records ...string) record.Batch {
	t.Helper()
	o := record.NewOptions(base, 3)
	if change != nil {
		change(&o)
	}
	var b record.Builder
	b.Begin(o)
	for i, r := range records {
		k, v, ok := strings.Cut(r, "=")
		var key, value []byte
		if k != "" {
			key = []byte(k)
		}
		if ok {
			value = []byte(v)
		}
		b.Add(1000+int64(i), key, value, record.Header{Key: "h", Value: []byte(r)})
	}
	out, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// show describes what a batch holds.
func show(t testing.TB, b record.Batch) string {
	t.Helper()
	if err := b.CheckCRC(); err != nil {
		t.Fatal(err)
	}
	s := fmt.Sprintf("%d-%d", b.BaseOffset(), b.LastOffset())
	if b.HasDeleteHorizon() {
		s += fmt.Sprintf(" until %d", b.BaseTimestamp())
	}
	var w record.Walker
	defer w.Close()
	w.Reset(b, 1<<20)
	for w.Next() {
		r := &w.Record
		s += fmt.Sprintf(" %d@%d:%s", r.OffsetDelta, r.Timestamp, r.Key)
		if r.ValueSize >= 0 {
			s += "=" + string(r.Value)
		}
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// run indexes batches from offset from on and passes them through a filter at now.
func run(t testing.TB, rules Rules, from kafka.Offset, slots int, all ...record.Batch) (out []record.Batch, end kafka.Offset) {
	t.Helper()
	rules.Keys = NewKeys(make([]byte, slots*SlotBytes), 1, Seeds())
	x := NewIndex(rules.Keys, from, rules.Aborted)
	for _, b := range all {
		if b.LastOffset() < from {
			continue
		}
		more, err := x.Add(b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	rules.End = x.End()
	f := NewFilter(rules)
	var dst []byte
	for _, b := range all {
		var err error
		if dst, _, err = f.Append(dst, b, false); err != nil {
			t.Fatal(err)
		}
	}
	for len(dst) > 0 {
		b, rest, err := record.Next(dst)
		if err != nil {
			t.Fatal(err)
		}
		out, dst = append(out, b), rest
	}
	return out, rules.End
}

func shown(t testing.TB, all []record.Batch) string {
	var lines []string
	for _, b := range all {
		lines = append(lines, show(t, b))
	}
	return strings.Join(lines, "\n")
}

func TestFilter(t *testing.T) {
	for _, c := range codecs {
		codec := func(o *record.Options) { o.Codec = c }
		whole := build(t, 5, codec, "d=5", "e=6")
		f := func(what string, rules Rules, from kafka.Offset, slots int, want string, all ...record.Batch) {
			t.Helper()
			rules.HighWatermark = kafka.NoOffset
			if out, _ := run(t, rules, from, slots, all...); shown(t, out) != want {
				t.Errorf("%s, %s:\n%s\nwant\n%s", c, what, shown(t, out), want)
			}
		}
		f("the latest of each key, at its offset and time", Rules{}, 0, 100, "0-3 1@1001:b=1 3@1003:c=3\n4-4 0@1000:a=4",
			build(t, 0, codec, "a=0", "b=1", "c=2", "c=3"), build(t, 4, codec, "a=4"))
		f("records without a key go", Rules{}, 0, 100, "0-1 1@1001:a=1", build(t, 0, codec, "=0", "a=1"))
		f("nothing below what is dirty is indexed", Rules{}, 2, 100, "0-1 0@1000:a=0 1@1001:a=1\n2-2 0@1000:b=2", build(t, 0, codec, "a=0", "a=1"), build(t, 2, codec, "b=2"))
		f("a full map leaves the rest as it is", Rules{}, 0, 3, "0-4 1@1001:b=1 2@1002:a=2 3@1003:c=3 4@1004:b=4\n5-6 0@1000:d=5 1@1001:e=6",
			build(t, 0, codec, "a=0", "b=1", "a=2", "c=3", "b=4"), whole)
		f("a tombstone gets its time and goes when that has come", Rules{Now: 5000, DeleteRetention: 70}, 0, 100, "0-1 until 5070 1@1001:a",
			build(t, 0, codec, "a=0", "a"))
	}
}

func TestTombstonesGoAfterTheirTime(t *testing.T) {
	first, _ := run(t, Rules{Now: 5000, DeleteRetention: 70}, 0, 100, build(t, 0, nil, "a=0", "a", "b=2"))
	for now, want := range map[int64]string{5069: "0-2 until 5070 1@1001:a 2@1002:b=2", 5070: "0-2 until 5070 2@1002:b=2"} {
		out, _ := run(t, Rules{Now: now, DeleteRetention: 9999}, 0, 100, first...)
		if shown(t, out) != want {
			t.Errorf("at %d: %s, want %s", now, shown(t, out), want)
		}
	}
}

// A batch that loses nothing is the same bytes.
func TestWholeBatchesStayAsTheyAre(t *testing.T) {
	for _, c := range codecs {
		b := build(t, 7, func(o *record.Options) { o.Codec, o.ProducerID, o.ProducerEpoch, o.BaseSequence = c, 4, 5, 6 }, "a=0", "b=1")
		if out, _ := run(t, Rules{}, 0, 100, b); !bytes.Equal(out[0], b) {
			t.Errorf("%s: %s became %s", c, b, out[0])
		}
	}
}

// What stays of a batch keeps all that is not about the records that went.
func TestHeadersStay(t *testing.T) {
	change := func(o *record.Options) {
		o.Codec, o.ProducerID, o.ProducerEpoch, o.BaseSequence, o.Transactional = compress.LZ4, 4, 5, 6, true
		o.TimestampType, o.AppendTime = kafka.LogAppendTime, 7777
	}
	b := build(t, 7, change, "a=0", "b=1", "a=2")
	out, _ := run(t, Rules{}, 0, 100, b)
	got := out[0]
	if got.BaseOffset() != 7 || got.LastOffset() != 9 || got.LeaderEpoch() != 3 || got.ProducerID() != 4 || got.ProducerEpoch() != 5 ||
		got.BaseSequence() != 6 || got.LastSequence() != 8 || got.MaxTimestamp() != 7777 || got.Attributes() != b.Attributes() || got.Count() != 2 {
		t.Errorf("%s %x, was %s %x", got, got.Attributes(), b, b.Attributes())
	}
}

func TestWhatIsKeptWithoutARecord(t *testing.T) {
	producer := func(o *record.Options) {
		o.ProducerID, o.ProducerEpoch, o.BaseSequence, o.Codec = 4, 0, 10, compress.Zstd
	}
	old, newer := build(t, 0, producer, "a=0", "b=1"), build(t, 2, nil, "a=2", "b=3")
	f := func(what string, rules Rules, want string) {
		t.Helper()
		if out, _ := run(t, rules, 0, 100, old, newer); shown(t, out) != want {
			t.Errorf("%s: %s, want %s", what, shown(t, out), want)
		}
	}
	const rest = "2-3 0@1000:a=2 1@1001:b=3"
	f("nothing", Rules{}, rest)
	f("the last batch of a producer", Rules{Producers: map[kafka.ProducerID]LastBatch{4: {Offset: 1}}}, "0-1\n"+rest)
	f("not one before", Rules{Producers: map[kafka.ProducerID]LastBatch{4: {Offset: 9}}}, rest)
	f("what ends at the high watermark", Rules{HighWatermark: 2}, "0-1\n"+rest)
	out, _ := run(t, Rules{HighWatermark: 2}, 0, 100, old, newer)
	if e := out[0]; e.LastSequence() != 11 || e.Codec() != compress.None || e.Size() != record.HeaderSize || e.MaxTimestamp() != 1001 {
		t.Errorf("what is kept is %s", e)
	}
}

func TestTransactions(t *testing.T) {
	txn := func(id kafka.ProducerID) func(*record.Options) {
		return func(o *record.Options) {
			o.ProducerID, o.ProducerEpoch, o.BaseSequence, o.Transactional = id, 0, 0, true
		}
	}
	marker := func(base kafka.Offset, id kafka.ProducerID, kind record.ControlType) record.Batch {
		return record.AppendEndTxnMarker(nil, base, 0, 1000, id, 0, kind, 0)
	}
	aborted := []Aborted{{ProducerID: 1, FirstOffset: 0, LastOffset: 2}}
	all := []record.Batch{
		build(t, 0, txn(1), "a=0"), build(t, 1, txn(2), "a=1", "b=1"), marker(3, 1, record.Abort), marker(4, 2, record.Commit),
	}
	aborted[0].LastOffset = 3
	rules := Rules{Aborted: aborted, Now: 5000, DeleteRetention: 10, HighWatermark: kafka.NoOffset}
	first, _ := run(t, rules, 0, 100, all...)
	// The aborted record goes; its marker stays for this time, and so does that of the transaction that has records.
	if got := offsets(first); got != "1 3 4" {
		t.Fatalf("after the first cleaning: %s", got)
	}
	rules.Aborted = nil // its index has no records to tell of any more
	rules.Now = 6000
	second, _ := run(t, rules, 5, 100, first...)
	if got := offsets(second); got != "1 3 4" || !second[1].HasDeleteHorizon() || second[1].BaseTimestamp() != 6010 {
		t.Fatalf("after the second cleaning: %s", got)
	}
	rules.Now = 6009
	third, _ := run(t, rules, 5, 100, second...)
	rules.Now = 6010
	fourth, _ := run(t, rules, 5, 100, third...)
	if got := offsets(third) + ", " + offsets(fourth); got != "1 3 4, 1 4" {
		t.Errorf("before and after its time: %s", got)
	}
	rules.Producers = map[kafka.ProducerID]LastBatch{1: {Offset: kafka.NoOffset, Epoch: 0}}
	kept, _ := run(t, rules, 5, 100, third...)
	if _, ok := record.ParseEndTxnMarker(kept[1]); !ok {
		t.Error("the last thing that is known of a producer is lost")
	}
}

func offsets(all []record.Batch) string {
	var s []string
	for _, b := range all {
		s = append(s, fmt.Sprint(b.BaseOffset()))
	}
	return strings.Join(s, " ")
}

func TestDamageIsNotRewritten(t *testing.T) {
	b := build(t, 0, nil, "a=0")
	b[len(b)-1]++
	k := NewKeys(make([]byte, 10*SlotBytes), 1, Seeds())
	if _, err := NewIndex(k, 0, nil).Add(b); !errors.Is(err, ErrUnreadable) {
		t.Error(err)
	}
	if _, _, err := NewFilter(Rules{Keys: k, End: 5}).Append(nil, b, false); !errors.Is(err, ErrUnreadable) {
		t.Error(err)
	}
}

// FuzzFilter passes any bytes with a right CRC: no panic, and what comes out is batches within the offsets of what came in.
func FuzzFilter(f *testing.F) {
	for _, c := range codecs {
		b := build(f, 0, func(o *record.Options) { o.Codec = c }, "a=0", "a", "b=1", "b=2")
		f.Add([]byte(b[record.HeaderSize:]), int16(c), int32(3), int32(4), int64(1000))
		f.Add([]byte(b[record.HeaderSize:]), int16(c)|0x70, int32(3), int32(1), int64(7))
	}
	f.Fuzz(func(t *testing.T, records []byte, attributes int16, delta, count int32, base int64) {
		b := forge(t, records, attributes, delta, count, base)
		k := NewKeys(make([]byte, 3*SlotBytes), 1, Seeds())
		x := NewIndex(k, 0, nil)
		if _, err := x.Add(b); err != nil && !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
		out, _, err := NewFilter(Rules{Keys: k, End: x.End(), Now: 1000}).Append(nil, b, true)
		if err != nil {
			if !errors.Is(err, ErrUnreadable) && !errors.Is(err, compress.ErrUnknownCodec) {
				t.Fatal(err)
			}
			return
		}
		got, rest, err := record.Next(out)
		if err != nil || len(rest) > 0 || got.CheckCRC() != nil || got.BaseOffset() != b.BaseOffset() || got.LastOffset() != b.LastOffset() || got.Count() > b.Count() {
			t.Fatalf("%s became %s: %v", b, got, err)
		}
	})
}
