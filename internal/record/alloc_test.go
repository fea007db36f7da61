//go:build !race

package record

import (
	"errors"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/compress"
)

// The race detector empties pools at random, so that allocations are counted without it.

func TestWalkDoesNotAllocate(t *testing.T) {
	for _, c := range codecs {
		b := golden(t, "java-"+c.String())
		n := testing.AllocsPerRun(100, func() {
			var w Walker
			w.Reset(b, 1<<20)
			for w.Next() {
			}
			w.Close()
		})
		if n > 1 {
			t.Errorf("%s: %v allocations for 200 records", c, n)
		}
	}
}

// TestABombIsBounded validates a batch whose one record inflates past what is allowed.
func TestABombIsBounded(t *testing.T) {
	zeros := make([]byte, 65<<20)
	for _, c := range []compress.Codec{compress.Gzip, compress.Zstd, compress.LZ4} {
		o := NewOptions(0, -1)
		o.Codec = c
		var b Builder
		b.Begin(o)
		b.Add(now, nil, zeros)
		batch, err := b.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		r := rules()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, got := Validate(batch, r)
		runtime.ReadMemStats(&after)
		if len(batch)*1000 < 64<<20 && (!errors.Is(got, compress.ErrTooLarge) || !errors.Is(got, kerr.InvalidRecord)) {
			t.Errorf("%s: %d bytes became %d: %v", c, len(batch), len(zeros), got)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 16<<20 {
			t.Errorf("%s: %d bytes allocated", c, spent)
		}
	}
}

func TestValidateDoesNotAllocate(t *testing.T) {
	r := rules()
	r.Now = 1700000000000
	for _, c := range codecs {
		b := golden(t, "java-"+c.String())
		b.SetBaseOffset(0)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := Validate(b, r); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%s: %v allocations", c, n)
		}
	}
}
