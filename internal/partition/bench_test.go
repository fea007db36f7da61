package partition

import (
	"bytes"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

func BenchmarkAppend(b *testing.B) {
	w := newWorld(b, vfs.OS{}, b.TempDir()+"/d")
	w.create("t", 1)
	p := w.get("t", 0)
	batch := data(b, 1)
	original := bytes.Clone(batch)
	b.ReportAllocs()
	for b.Loop() {
		copy(batch, original)
		if _, err := p.Append(AppendRequest{Records: batch, RequiredAcks: -1, Now: w.now}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	w := newWorld(b, vfs.OS{}, b.TempDir()+"/d")
	w.create("t", 1)
	p := w.get("t", 0)
	for range 1000 {
		w.mustAppend(p, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		res, err := p.Read(consumer(500))
		if err != nil {
			b.Fatal(err)
		}
		res.Span.Release()
	}
}

// BenchmarkOpen starts on a directory with a thousand partitions that was shut down cleanly.
func BenchmarkOpen(b *testing.B) {
	w := newWorld(b, vfs.OS{}, b.TempDir()+"/d")
	w.create("t", 1000)
	for i := range int32(1000) {
		w.mustAppend(w.get("t", i), 1)
	}
	for b.Loop() {
		b.StopTimer()
		w.close()
		b.StartTimer()
		w.open(true)
	}
}
