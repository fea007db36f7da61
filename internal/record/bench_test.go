package record

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ottla/ottla/internal/compress"
)

// events are records of about 1 KiB of JSON, as telemetry and orders look: names repeat, numbers don't.
func events(n int) [][]byte {
	r := rand.New(rand.NewPCG(7, 24))
	words := []string{"checkout", "payment", "eu-west-1", "mobile", "retry", "customer", "warehouse", "accepted", "pending", "basket"}
	all := make([][]byte, n)
	for i := range all {
		b := fmt.Appendf(nil, `{"id":"%016x","time":%d,"kind":%q,"items":[`, r.Uint64(), 1700000000000+r.Int64N(1<<24), words[r.IntN(len(words))])
		for len(b) < 980 {
			b = fmt.Appendf(b, `{"sku":"%08x","name":%q,"count":%d,"price":%d.%02d},`, r.Uint32(), words[r.IntN(len(words))], r.IntN(20), r.IntN(500), r.IntN(100))
		}
		all[i] = append(b[:len(b)-1], "]}"...)
	}
	return all
}

// BenchmarkValidateEvents checks a batch of 256 KiB of JSON; MB/s are of uncompressed records.
func BenchmarkValidateEvents(b *testing.B) {
	values := events(256)
	for _, headersOnly := range []bool{false, true} {
		for _, c := range codecs {
			r := rules()
			r.Now, r.TrustCompressed = 1700000000000, headersOnly
			o := NewOptions(0, -1)
			o.Codec, o.Level = c, compress.DefaultLevel
			var build Builder
			build.Begin(o)
			size := 0
			for _, v := range values {
				build.Add(r.Now, nil, v)
				size += len(v)
			}
			batch, err := build.AppendTo(nil)
			if err != nil {
				b.Fatal(err)
			}
			name := "full/"
			if headersOnly {
				name = "header/"
			}
			b.Run(name+c.String(), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Validate(batch, r); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(batch))/float64(size), "stored/raw")
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(size)*(1<<30), "s/GiB")
			})
		}
	}
}
