package schema

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// controlRecords are the records that have no API key, by name.
var controlRecords = map[string]func() Record{
	"LeaderChangeMessage":  func() Record { return new(LeaderChangeMessage) },
	"SnapshotHeaderRecord": func() Record { return new(SnapshotHeaderRecord) },
	"SnapshotFooterRecord": func() Record { return new(SnapshotFooterRecord) },
	"KRaftVersionRecord":   func() Record { return new(KRaftVersionRecord) },
	"VotersRecord":         func() Record { return new(VotersRecord) },
	"QuorumStateData":      func() Record { return new(QuorumStateData) },
	"ProducerSnapshot":     func() Record { return new(ProducerSnapshot) },
	"TransactionLogKey":    func() Record { return new(TransactionLogKey) },
	"TransactionLogValue":  func() Record { return new(TransactionLogValue) },
}

// everyRecord calls f for each record type, at each version, with a fresh record.
func everyRecord(t *testing.T, f func(t *testing.T, fresh func() Record, v int16)) {
	types := map[string]func() Record{}
	for name, fresh := range controlRecords {
		types[name] = fresh
	}
	for _, key := range MetadataKeys() {
		types[MetadataName(key)] = func() Record { return NewMetadataRecord(key) }
	}
	for _, g := range groupTypes {
		types[fmt.Sprintf("group_%d_key", g.apiKey)] = func() Record { return g.key() }
		types[fmt.Sprintf("group_%d_value", g.apiKey)] = func() Record { return g.value() }
	}
	for name, fresh := range types {
		first, last := fresh().Versions()
		for v := first; v <= last; v++ {
			t.Run(fmt.Sprintf("%s_v%d", name, v), func(t *testing.T) { f(t, fresh, v) })
		}
	}
}

// fill sets every field below v to something random. One in four arrays and pointers stays as it is.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits() + r.IntN(v.Type().Bits())))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Float64:
		v.SetFloat(r.NormFloat64() * 1e5)
	case reflect.String:
		v.SetString(strings.Repeat("é", r.IntN(100)))
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		if r.IntN(4) > 0 {
			n := 1 + r.IntN(3)
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(r, v.Index(i))
			}
		}
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	}
}

// What was written reads back, writes the same bytes again, and prints as JSON that is well formed.
func TestRoundTrip(t *testing.T) {
	everyRecord(t, func(t *testing.T, fresh func() Record, v int16) {
		for seed := range uint64(50) {
			x := fresh()
			fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(x).Elem())
			b := x.AppendTo(nil, v)
			y := fresh()
			if err := y.ReadFrom(b, v); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if again := y.AppendTo(nil, v); !bytes.Equal(b, again) {
				t.Fatalf("seed %d: written again it differs\n%x\n%x", seed, b, again)
			}
			if _, last := x.Versions(); v == last && !reflect.DeepEqual(x, y) && laterFieldsOnly(x) {
				t.Fatalf("seed %d: read back it differs\n%+v\n%+v", seed, x, y)
			}
			if j := y.AppendJSON(nil, v); !json.Valid(j) {
				t.Fatalf("seed %d: %s", seed, j)
			}
		}
	})
}

// laterFieldsOnly reports whether the last version has all fields of x: those of few types went away.
func laterFieldsOnly(x Record) bool {
	switch x.(type) {
	case *QuorumStateData, *OffsetCommitValue:
		return false
	}
	return true
}

// The defaults survive, and cost no bytes where they are tagged.
func TestDefaults(t *testing.T) {
	p := NewPartitionChangeRecord()
	b := p.AppendTo(nil, 2)
	if want := 4 + 16 + 1; len(b) != want {
		t.Fatalf("a change of nothing takes %d bytes, want %d", len(b), want)
	}
	var q PartitionChangeRecord
	if err := q.ReadFrom(b, 2); err != nil || q.Leader != -2 || q.LeaderRecoveryState != -1 || q.ISR != nil {
		t.Fatalf("read %+v, %v", q, err)
	}
	if r := NewRegisterBrokerRecord(); !r.Fenced || r.CordonedLogDirs != nil {
		t.Fatalf("a new registration is %+v", r)
	}
}

// Nothing and null are not the same.
func TestNullOrEmpty(t *testing.T) {
	for _, isr := range [][]int32{nil, {}} {
		p := NewPartitionChangeRecord()
		p.ISR = isr
		var q PartitionChangeRecord
		if err := q.ReadFrom(p.AppendTo(nil, 0), 0); err != nil || (q.ISR == nil) != (isr == nil) {
			t.Fatalf("wrote %#v, read %#v, %v", isr, q.ISR, err)
		}
	}
}

// Bytes that Kafka wrote, and what its DumpLogSegments or JSON converter prints for them.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "group" {
				return goldenGroup(t, d)
			}
			b, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			switch d.Cmd {
			case "metadata":
				return goldenMetadata(t, d, b)
			case "body":
				return goldenBody(t, d, b)
			}
			d.Fatalf(t, "no such command")
			return ""
		})
	})
}

func goldenMetadata(t *testing.T, d *datadriven.TestData, b []byte) string {
	rec, v, err := ParseMetadata(b)
	if err != nil {
		return err.Error()
	}
	if again := AppendMetadata(nil, rec, v); !bytes.Equal(again, b) {
		d.Fatalf(t, "written again it is\n%x", again)
	}
	return string(AppendMetadataJSON(nil, rec, v))
}

// goldenGroup has the key in its first line and the value in its second.
func goldenGroup(t *testing.T, d *datadriven.TestData) string {
	var parts [2][]byte
	for i, line := range strings.Split(d.Input, "\n") {
		var err error
		if parts[i], err = hex.DecodeString(line); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	key, err := ParseGroupKey(parts[0])
	if err != nil {
		return err.Error()
	}
	value, v, err := ParseGroupValue(key.APIKey(), parts[1])
	if err != nil {
		return err.Error()
	}
	if again := AppendGroupKey(nil, key); !bytes.Equal(again, parts[0]) {
		d.Fatalf(t, "written again the key is\n%x", again)
	}
	if again := AppendGroupValue(nil, value, v); !bytes.Equal(again, parts[1]) {
		d.Fatalf(t, "written again the value is\n%x", again)
	}
	return fmt.Sprintf("%s\n%s", key.AppendJSON(nil, 0), value.AppendJSON(nil, v))
}

func goldenBody(t *testing.T, d *datadriven.TestData, b []byte) string {
	var name string
	var v int
	d.ScanArgs(t, "of", &name)
	d.ScanArgs(t, "v", &v)
	rec := controlRecords[name]()
	if err := rec.ReadFrom(b, int16(v)); err != nil {
		return err.Error()
	}
	if again := rec.AppendTo(nil, int16(v)); !bytes.Equal(again, b) {
		d.Fatalf(t, "written again it is\n%x", again)
	}
	return string(rec.AppendJSON(nil, int16(v)))
}

// No prefix of a record is a record, and no record has anything after it.
func TestTruncatedAndTrailing(t *testing.T) {
	everyRecord(t, func(t *testing.T, fresh func() Record, v int16) {
		x := fresh()
		fill(rand.New(rand.NewPCG(3, 3)), reflect.ValueOf(x).Elem())
		b := x.AppendTo(nil, v)
		for n := range b {
			if err := fresh().ReadFrom(b[:n], v); !errors.Is(err, ErrShort) && !errors.Is(err, ErrMalformed) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
		if err := fresh().ReadFrom(append(b, 0), v); !errors.Is(err, ErrTrailing) {
			t.Fatalf("one byte more: %v", err)
		}
	})
}

// readAllocs returns how many bytes read allocates, give or take what the runtime has not counted yet. The count is of
// the whole process, and the fuzzing engine is part of it: the least of three readings is read's.
func readAllocs(read func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	least := uint64(math.MaxUint64)
	for range 3 {
		metrics.Read(sample)
		before := sample[0].Value.Uint64()
		read()
		metrics.Read(sample)
		least = min(least, sample[0].Value.Uint64()-before)
	}
	return least
}

// FuzzMetadata reads arbitrary bytes as metadata records: no panic, bounded memory, and what reads can be written
// and read again.
func FuzzMetadata(f *testing.F) {
	for _, key := range MetadataKeys() {
		rec := NewMetadataRecord(key)
		fill(rand.New(rand.NewPCG(uint64(key), 5)), reflect.ValueOf(rec).Elem())
		_, last := rec.Versions()
		f.Add(AppendMetadata(nil, rec, last))
	}
	f.Add([]byte{1, 3, 2, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var rec MetadataRecord
		var v int16
		var err error
		if n := readAllocs(func() { rec, v, err = ParseMetadata(b) }); n > 64*uint64(len(b))+64<<10 {
			t.Fatalf("%d bytes allocated for %d", n, len(b))
		}
		if err != nil {
			return
		}
		out := AppendMetadata(nil, rec, v)
		again, w, err := ParseMetadata(out)
		if err != nil || w != v || !bytes.Equal(AppendMetadata(nil, again, w), out) {
			t.Fatalf("read %+v, wrote %x, read again %+v: %v", rec, out, again, err)
		}
		if j := AppendMetadataJSON(nil, rec, v); !json.Valid(j) {
			t.Fatalf("%s", j)
		}
	})
}
