package record

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// TestOrdinaryRecords: whatever a batch holds, it is found to be what a walk record by record finds, by which the quick one is known to pass
// over nothing and to stop where it should.
func TestOrdinaryRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	quick := 0
	for range 4000 {
		b := mixed(t, r)
		if r.IntN(2) == 0 { // a liar among them
			b[HeaderSize+r.IntN(len(b)-HeaderSize)] ^= byte(1 << r.IntN(8))
			b.sealCRC()
		}
		rules := rules()
		rules.Compacted = r.IntN(3) == 0
		want, good, werr := walked(b, rules)
		got, err := rules.scan(b)
		switch {
		case werr != nil:
			if err == nil || !strings.Contains(err.Error(), werr.Error()) {
				t.Fatalf("scan says %v, a walk %v", err, werr)
			}
			continue
		case (err == nil) != good:
			t.Fatalf("scan says %v, of a batch that is good: %v", err, good)
		case got != want:
			t.Fatalf("scan finds %+v, a walk %+v", got, want)
		}
		var w Walker
		w.Reset(b, math.MaxInt32)
		if oldest, newest := rules.window(); new(scanned).ordinary(&w, oldest, newest, rules.Compacted, 0) > 3 {
			quick++
		}
		w.Close()
	}
	if quick < 500 {
		t.Errorf("only %d batches were ordinary", quick)
	}
}

// mixed is a batch of records of all kinds, most of them ordinary.
func mixed(t *testing.T, r *rand.Rand) Batch {
	t.Helper()
	o := NewOptions(0, -1)
	if r.IntN(4) == 0 {
		o.Codec, o.Level = compress.LZ4, compress.DefaultLevel
	}
	var build Builder
	build.Begin(o)
	now := rules().Now
	for range 1 + r.IntN(20) {
		timestamp := now - r.Int64N(1000)
		if r.IntN(30) == 0 {
			timestamp = now + r.Int64N(1<<34) - 1<<33
		}
		build.Add(timestamp, some(r, 60, 20), some(r, 300, 60), headersOf(r)...)
	}
	b, err := build.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// some are up to so many bytes, now and then none, null, or many.
func some(r *rand.Rand, n, rare int) []byte {
	switch r.IntN(rare) {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return make([]byte, 9000)
	}
	return make([]byte, r.IntN(n))
}

func headersOf(r *rand.Rand) []Header {
	var all []Header
	if r.IntN(5) == 0 {
		for range r.IntN(3) {
			all = append(all, Header{Key: "name", Value: some(r, 10, 5)})
		}
	}
	return all
}

// walked is what scan finds, taken record by record; good says that no record of it is refused.
func walked(b Batch, r *Rules) (s scanned, good bool, err error) {
	s = scanned{maxTimestamp: kafka.NoTimestamp}
	var w Walker
	defer w.Close()
	w.Reset(b, compress.Limit(len(b), math.MaxInt32))
	w.skim = true
	if b.Codec() != compress.None {
		w.maxRecord = r.MaxDecompressed
	}
	good = true
	for index := int32(0); w.Next(); index++ {
		_, code := r.checkRecord(b, &w.Record)
		good = good && code == nil
		s.maxTimestamp = max(s.maxTimestamp, w.Record.Timestamp)
		s.outOfPlace = s.outOfPlace || w.Record.OffsetDelta != index
		s.bytes += int64(w.Record.Size)
	}
	return s, good, w.Err()
}
