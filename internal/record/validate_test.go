package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// now is the broker's clock in these tests, in ms.
const now int64 = 1_700_000_000_000

func rules() *Rules {
	return &Rules{
		Partition: kafka.TopicPartition{Topic: "t", Partition: 0}, Now: now, MaxBatchBytes: 1 << 20, MaxDecompressed: 1 << 30,
		Level: compress.DefaultLevel, Before: -1, After: time.Hour,
	}
}

// TestValidate runs the scenarios: a batch is described, validated under rules, and printed as stored.
func TestValidate(t *testing.T) {
	datadriven.RunTest(t, "testdata/validate.txt", func(t *testing.T, d *datadriven.TestData) string {
		b := describe(t, d)
		switch d.Cmd {
		case "request":
			var version int
			d.ScanArgs(t, "version", &version)
			return outcome(CheckRequest(b, int16(version)))
		case "validate":
			r := rules()
			readRules(t, d, r)
			before := bytes.Clone(b)
			v, err := Validate(b, r)
			if err != nil {
				return outcome(err)
			}
			if err := v.Batch.CheckCRC(); err != nil {
				t.Fatal(err)
			}
			return stored(before, v)
		}
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	})
}

// describe builds the batch of a scenario: a record a line ("key value [at ms] [delta n]", "-" is null), then the header's lies.
func describe(t *testing.T, d *datadriven.TestData) []byte {
	o := NewOptions(0, -1)
	if d.HasArg("codec") {
		var name string
		d.ScanArgs(t, "codec", &name)
		c, err := compress.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Codec = c
	}
	if d.HasArg("producer") {
		o.ProducerID, o.ProducerEpoch = 9, 0
		var sequence int
		d.ScanArgs(t, "producer", &sequence)
		o.BaseSequence = int32(sequence)
	}
	o.Control = d.HasArg("control")
	if d.HasArg("append-time") {
		o.TimestampType, o.AppendTime = kafka.LogAppendTime, now
	}
	var b Builder
	b.Begin(o)
	for line := range strings.Lines(d.Input) {
		var key, value string
		at, delta := now, b.lastDelta+1
		words := strings.Fields(line)
		key, value = words[0], words[1]
		for i := 2; i+1 < len(words); i += 2 {
			switch words[i] {
			case "at":
				var shift int64
				fmt.Sscan(words[i+1], &shift)
				at = now + shift
			case "delta":
				fmt.Sscan(words[i+1], &delta)
			}
		}
		b.AddAt(delta, at, nullable(key), nullable(value))
	}
	batch, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return lie(t, d, batch)
}

func nullable(s string) []byte {
	if s == "-" {
		return nil
	}
	return []byte(s)
}

// lie changes header fields behind the builder's back; the CRC is made to fit unless it is the lie.
func lie(t *testing.T, d *datadriven.TestData, b []byte) []byte {
	fields := map[string]int{"base": atBaseOffset + 4, "last-delta": atLastOffsetDelta, "count": atCount, "length": atLength}
	for name, at := range fields {
		if d.HasArg(name) {
			var v int
			d.ScanArgs(t, name, &v)
			binary.BigEndian.PutUint32(b[at:], uint32(v))
		}
	}
	if d.HasArg("magic") {
		var v int
		d.ScanArgs(t, "magic", &v)
		b[atMagic] = byte(v)
	}
	if d.HasArg("attributes") {
		var v int
		d.ScanArgs(t, "attributes", &v)
		b[atAttributes+1] |= byte(v)
	}
	Batch(b).sealCRC()
	if d.HasArg("flip") {
		b[len(b)-1] ^= 1
	}
	if d.HasArg("garbage") {
		b[len(b)-2] ^= 0x55
		b[HeaderSize+1] ^= 0x55
		Batch(b).sealCRC()
	}
	if d.HasArg("cut") {
		b = b[:len(b)-1]
	}
	if d.HasArg("twice") {
		b = append(b, b...)
	}
	if d.HasArg("tail") {
		b = append(b, b[:20]...)
	}
	if d.HasArg("empty") {
		b = nil
	}
	return b
}

func readRules(t *testing.T, d *datadriven.TestData, r *Rules) {
	r.Compacted = d.HasArg("compacted")
	r.TrustCompressed = d.HasArg("trust-compressed")
	if d.HasArg("topic-append-time") {
		r.TimestampType = kafka.LogAppendTime
	}
	if d.HasArg("max") {
		d.ScanArgs(t, "max", &r.MaxBatchBytes)
	}
	if d.HasArg("max-record") {
		d.ScanArgs(t, "max-record", &r.MaxDecompressed)
	}
	if d.HasArg("before") {
		r.Before = time.Hour
	}
	if d.HasArg("coordinator") {
		r.Origin = kafka.FromCoordinator
	}
	if d.HasArg("to") {
		var name string
		d.ScanArgs(t, "to", &name)
		c, err := compress.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		r.Recompress, r.Codec = true, c
	}
}

func outcome(err error) string {
	if err == nil {
		return "ok\n"
	}
	ke := (*kerr.Error)(nil)
	if !errors.As(err, &ke) {
		return fmt.Sprintf("UNCLASSIFIED %v\n", err)
	}
	var bad *InvalidRecordsError
	if !errors.As(err, &bad) {
		return ke.Message + "\n"
	}
	s := fmt.Sprintf("%s: %s\n", ke.Message, bad.Message)
	for _, r := range bad.Records {
		s += fmt.Sprintf("  record %d: %s\n", r.Index, r.Message)
	}
	return s
}

// stored prints what would be appended.
func stored(before []byte, v Validated) string {
	how := "in place"
	if v.Rewritten {
		how = "rewritten"
	} else if !bytes.Equal(before[:len(v.Batch)], v.Batch) {
		how = "patched"
	}
	s := fmt.Sprintf("ok, %s: %s, max timestamp %d (%d)", how, v.Batch.Codec(), v.MaxTimestamp-now, v.Batch.MaxTimestamp()-now)
	if v.Batch.TimestampType() == kafka.LogAppendTime {
		s += ", append time"
	}
	if v.Batch.HasProducerID() {
		s += fmt.Sprintf(", producer %d sequence %d", v.Batch.ProducerID(), v.Batch.BaseSequence())
	}
	s += "\n"
	var w Walker
	defer w.Close()
	w.Reset(v.Batch, 1<<20)
	for w.Next() {
		s += fmt.Sprintf("  %d at %d: %q=%q\n", w.Record.OffsetDelta, w.Record.Timestamp-now, w.Record.Key, w.Record.Value)
	}
	if w.Err() != nil {
		s += fmt.Sprintf("  %v\n", w.Err())
	}
	return s
}

func TestGoldenBatchesAreValid(t *testing.T) {
	for _, c := range codecs {
		b := golden(t, "java-"+c.String())
		b.SetBaseOffset(0)
		r := rules()
		r.Now = 1700000000000
		v, err := Validate(b, r)
		if err != nil || v.Rewritten || v.MaxTimestamp != 1700000000030 {
			t.Errorf("%s: %+v, %v", c, v.MaxTimestamp, err)
		}
	}
}

func TestEveryPairOfCodecsConverts(t *testing.T) {
	for _, from := range codecs {
		for _, to := range codecs {
			b := golden(t, "java-"+from.String())
			b.SetBaseOffset(0)
			r := rules()
			r.Recompress, r.Codec = true, to
			v, err := Validate(b, r)
			if err != nil || v.Rewritten != (from != to) || v.Batch.Codec() != to {
				t.Fatalf("%s to %s: %v", from, to, err)
			}
			if v.Batch.ProducerID() != 4711 || v.Batch.LastSequence() != 216 || v.Batch.IsTransactional() != (from == compress.Zstd) {
				t.Errorf("%s to %s lost the producer: %s", from, to, v.Batch)
			}
			walkJava(t, v.Batch)
		}
	}
}

func FuzzValidate(f *testing.F) {
	for _, c := range codecs {
		b := golden(f, "java-"+c.String())
		b.SetBaseOffset(0)
		f.Add([]byte(b))
	}
	for _, name := range []string{"java-magic0", "java-magic1"} {
		b, err := os.ReadFile("testdata/golden/" + name + ".bin")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		if len(b) >= HeaderSize {
			Batch(b).sealCRC() // or no mutation would come past the CRC
		}
		_ = CheckRequest(b, 3)
		r := rules()
		r.Compacted, r.Recompress, r.Codec = len(b)%2 == 0, len(b)%3 == 0, compress.LZ4
		v, err := Validate(b, r)
		if err != nil {
			if ke := (*kerr.Error)(nil); !errors.As(err, &ke) {
				t.Fatalf("unclassified error %v", err)
			}
			return
		}
		if err := v.Batch.CheckCRC(); err != nil {
			t.Fatal(err)
		}
		r.Recompress = false
		if again, err := Validate(bytes.Clone(v.Batch), r); err != nil || again.Rewritten || !bytes.Equal(again.Batch, v.Batch) {
			t.Fatalf("what was stored is not valid: %v", err)
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	r := rules()
	r.Now = 1700000000000
	for _, c := range codecs {
		batch := golden(b, "java-"+c.String())
		batch.SetBaseOffset(0)
		b.Run(c.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Validate(batch, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var one Builder
	one.Begin(NewOptions(0, -1))
	one.Add(r.Now, nil, make([]byte, 100))
	batch, err := one.AppendTo(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("one record", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Validate(batch, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
