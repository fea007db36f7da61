package partition

import (
	"runtime"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// TestBudgetOfAnIdlePartition: what a partition costs that nobody uses, with its part of the image, after a restart: memory, but no open file
// and nothing that runs.
func TestBudgetOfAnIdlePartition(t *testing.T) {
	const n = 10_000
	for _, c := range []struct {
		what    string
		records bool
		most    uint64 // bytes
	}{{"without records", false, 1300}, {"with records", true, 2048}} {
		w := newWorld(t, vfs.NewMem(), "/a")
		for _, topic := range []string{"a", "b", "c", "d"} {
			w.create(topic, n/4)
			for i := range int32(n / 4) {
				if c.records {
					w.mustAppend(w.get(topic, i), 1)
				}
			}
		}
		w.close()
		goroutines := runtime.NumGoroutine()
		w.open(true)
		if got := runtime.NumGoroutine(); got > goroutines {
			t.Errorf("%s: %d goroutines, %d before", c.what, got, goroutines)
		}
		if open := w.m.o.Template.Cache.OpenFiles(); open > 0 {
			t.Errorf("%s: %d open files", c.what, open)
		}
		with := liveBytes()
		runtime.KeepAlive(w)
		w.m, w.image = nil, nil
		without := liveBytes()
		runtime.KeepAlive(w)
		each := (with - without) / n
		t.Logf("%s: %d bytes", c.what, each)
		if each > c.most {
			t.Errorf("%s: %d bytes, at most %d are wanted", c.what, each, c.most)
		}
	}
}

func liveBytes() uint64 {
	var m runtime.MemStats
	for range 2 { // what finalizers and pools let go of takes a second collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
