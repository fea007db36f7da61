package commitlog

import (
	"fmt"
	"path"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// sized returns a batch of one record whose size is about n bytes.
func sized(b *testing.B, n int) record.Batch {
	var builder record.Builder
	builder.Begin(record.NewOptions(0, 0))
	builder.Add(testStart.UnixMilli(), nil, make([]byte, max(1, n-record.HeaderSize-10)))
	out, err := builder.AppendTo(nil)
	must(b, err)
	return record.Batch(out)
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{100, 4 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := DefaultConfig()
			c.RetentionBytes, c.DeleteDelay = 0, 0
			l, _, err := Open(vfs.OS{}, path.Join(b.TempDir(), "t-0"), options(c))
			must(b, err)
			batch := sized(b, size)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				batch.SetBaseOffset(l.LogEndOffset())
				a, err := l.Append(batch, testStart)
				must(b, err)
				if a.Rolled {
					b.StopTimer()
					_, err = l.Retain(testStart, l.LogEndOffset())
					must(b, err)
					_, err = l.Reap(testStart)
					must(b, err)
					b.StartTimer()
				}
			}
			l.Abandon()
		})
	}
}

func BenchmarkReadTail(b *testing.B) {
	l, _, err := Open(vfs.OS{}, path.Join(b.TempDir(), "t-0"), options(DefaultConfig()))
	must(b, err)
	batch := sized(b, 200)
	for range 10000 {
		batch.SetBaseOffset(l.LogEndOffset())
		_, err := l.Append(batch, testStart)
		must(b, err)
	}
	b.Run("tail", func(b *testing.B) { benchRead(b, l, l.LogEndOffset()-1, l.LogEndOffset()) })
	b.Run("below", func(b *testing.B) { benchRead(b, l, l.LogEndOffset()-2, l.LogEndOffset()-1) })
	b.Run("middle", func(b *testing.B) { benchRead(b, l, 5000, l.LogEndOffset()) })
}

func benchRead(b *testing.B, l *Log, from, upTo kafka.Offset) {
	b.ReportAllocs()
	for b.Loop() {
		s, err := l.Read(from, 1<<20, upTo, true)
		must(b, err)
		s.Release()
	}
}

func BenchmarkOpenClean(b *testing.B) {
	dir := b.TempDir()
	const n = 1000
	o := options(DefaultConfig())
	o.Cache = segment.NewCache(100, 1<<20)
	batch := sized(b, 200)
	for i := range n {
		l, _, err := Open(vfs.OS{}, path.Join(dir, fmt.Sprintf("t-%d", i)), o)
		must(b, err)
		for range 10 {
			batch.SetBaseOffset(l.LogEndOffset())
			_, err = l.Append(batch, testStart)
			must(b, err)
		}
		must(b, l.Close(testStart))
	}
	o.Clean = true
	b.ReportAllocs()
	for b.Loop() {
		for i := range n {
			l, _, err := Open(vfs.OS{}, path.Join(dir, fmt.Sprintf("t-%d", i)), o)
			must(b, err)
			if l.LogEndOffset() != 10 {
				b.Fatal(l.LogEndOffset())
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "us/log")
}

// BenchmarkOpenUnsynced opens a log of 100 MiB in batches of 16 KiB of which nothing was synced: after the process died, and after the machine did.
func BenchmarkOpenUnsynced(b *testing.B) {
	dir := path.Join(b.TempDir(), "t-0")
	l, _, err := Open(vfs.OS{}, dir, options(DefaultConfig()))
	must(b, err)
	batch := sized(b, 16<<10)
	for l.Size() < 100<<20 {
		batch.SetBaseOffset(l.LogEndOffset())
		_, err := l.Append(batch, testStart)
		must(b, err)
	}
	size := l.Size()
	l.Abandon()
	for _, written := range []bool{true, false} {
		b.Run(fmt.Sprintf("written=%v", written), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				o := options(DefaultConfig())
				o.Written = written
				l, _, err := Open(vfs.OS{}, dir, o)
				must(b, err)
				l.Abandon()
			}
		})
	}
}
