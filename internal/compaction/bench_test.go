package compaction

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// BenchmarkCleaning cleans batches of 500 records with values of 190 bytes, lz4, and a third as many keys; figures are of a record.
func BenchmarkCleaning(b *testing.B) {
	const batches, each = 400, 500
	rng := rand.New(rand.NewPCG(1, 2))
	var all []record.Batch
	var builder record.Builder
	value := make([]byte, 190)
	for n := range batches {
		o := record.NewOptions(kafka.Offset(n*each), 0)
		o.Codec = compress.LZ4
		builder.Begin(o)
		for range each {
			for i := range value {
				value[i] = "{\"field\":0123456789abcdef, }"[i%28]
			}
			copy(value[9:], fmt.Sprintf("%016x", rng.Uint64()))
			builder.Add(1000, fmt.Appendf(nil, "key-%08d", rng.IntN(batches*each/3)), value)
		}
		out, err := builder.AppendTo(nil)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, out)
	}
	memory := make([]byte, batches*each*5/4*SlotBytes)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		clear(memory)
		keys := NewKeys(memory, 0.9, Seeds())
		x := NewIndex(keys, 0, nil)
		for _, batch := range all {
			if _, err := x.Add(batch); err != nil {
				b.Fatal(err)
			}
		}
		f := NewFilter(Rules{Keys: keys, End: x.End()})
		for _, batch := range all {
			var err error
			if dst, _, err = f.Append(dst[:0], batch, false); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batches/each, "ns/record")
}
