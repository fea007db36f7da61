package purgatory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// bubble runs f with a purgatory whose clock stands still while anybody is busy.
func bubble(t *testing.T, f func(t *testing.T, p *Purgatory)) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPurgatory(time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		f(t, p)
		cancel()
		<-done
	})
}

func TestProduceWaitsForEveryPartition(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a, b Watchers
		calls := 0
		w := New(Each, 2, 0, time.Now().Add(time.Minute), func(bool) { calls++ })
		w.Watch(&a, HighWatermark, 9)
		w.Watch(&b, HighWatermark, 4)
		p.Start(w)
		a.Advance(20, 9, 9, 100, nil)
		b.Advance(20, 5, 5, 100, nil)
		if calls != 0 {
			t.Fatal("completed though one high watermark is not above its offset")
		}
		b.Advance(30, 6, 6, 100, nil)
		a.Advance(20, 10, 10, 0, nil)
		a.Advance(20, 11, 11, 0, nil)
		if calls != 1 {
			t.Fatalf("called back %d times", calls)
		}
		if p.Len() != 0 || a.first != nil || b.first != nil {
			t.Error("a completed wait is still listed")
		}
	})
}

// A bound of readers does not stand for what is synced, nor the other way round.
func TestSyncedIsABoundOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a Watchers
		calls := ""
		for _, bound := range []Bound{Synced, LogEnd} {
			w := New(Each, 1, 0, time.Now().Add(time.Minute), func(bool) { calls += fmt.Sprint(bound, " ") })
			w.Watch(&a, bound, 9)
			p.Start(w)
		}
		a.Synced(9)
		a.Synced(8)
		if calls != "" {
			t.Errorf("too early: %s", calls)
		}
		a.Synced(10)
		a.Advance(10, 10, 10, 1, nil)
		if want := fmt.Sprint(Synced, " ", LogEnd, " "); calls != want {
			t.Errorf("called back %q, want %q", calls, want)
		}
	})
}

// A reader is woken when it may read more, neither sooner nor by what others may read.
func TestReadersWaitForTheirBound(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a Watchers
		woken := map[kafka.Isolation]bool{}
		for _, i := range []kafka.Isolation{kafka.LogEnd, kafka.HighWatermark, kafka.Committed} {
			w := New(Bytes, 1, 1, time.Now().Add(time.Minute), func(bool) { woken[i] = true })
			w.Watch(&a, BoundOf(i), 9)
			p.Start(w)
		}
		a.Advance(10, 9, 9, 1, nil)
		if !woken[kafka.LogEnd] || len(woken) != 1 {
			t.Errorf("the log end woke %v", woken)
		}
		a.Advance(10, 10, 9, 0, nil) // a follower has it: nothing new was written
		if !woken[kafka.HighWatermark] || len(woken) != 2 {
			t.Errorf("the high watermark woke %v", woken)
		}
		a.Advance(10, 10, 10, 0, nil)
		if len(woken) != 3 {
			t.Errorf("the last stable offset woke %v", woken)
		}
	})
}

func TestFetchWaitsForBytesFromAnyPartition(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a, b Watchers
		calls := 0
		w := New(Bytes, 2, 1000, time.Now().Add(time.Minute), func(bool) { calls++ })
		w.Watch(&a, HighWatermark, 0)
		w.Watch(&b, HighWatermark, 0)
		p.Start(w)
		a.Advance(1, 1, 1, 400, nil)
		b.Advance(1, 0, 0, 5000, nil) // not visible yet
		a.Advance(2, 2, 2, 400, nil)
		if calls != 0 {
			t.Fatal("800 visible bytes completed a wait for 1000")
		}
		b.Advance(1, 1, 1, 0, nil) // now it is, all of it
		if calls != 1 {
			t.Fatalf("called back %d times", calls)
		}
	})
}

func TestBoundThatPassedBeforeTheWaitCounts(t *testing.T) {
	for _, kind := range []Kind{Each, Bytes} {
		bubble(t, func(t *testing.T, p *Purgatory) {
			var a Watchers
			a.Advance(10, 10, 10, 1, nil)
			called := false
			w := New(kind, 1, 1_000_000, time.Now().Add(time.Minute), func(bool) { called = true })
			w.Watch(&a, HighWatermark, 5)
			p.Start(w)
			if !called {
				t.Errorf("kind %d: the wait sleeps through an append that came before it", kind)
			}
		})
	}
}

func TestNothingToWaitForCompletesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		called := false
		p.Start(New(Each, 0, 0, time.Now().Add(time.Minute), func(bool) { called = true }))
		if !called {
			t.Error("a wait without partitions hangs")
		}
	})
}

func TestWokenWaitsAreCalledBackWhenTheirWakerHasTime(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a Watchers
		var woken Woken
		const waits = helped + 3
		free, short := 0, 0
		for range waits {
			w := New(Bytes, 1, 1, time.Now().Add(time.Minute), func(f bool) {
				if f {
					free++
				} else {
					short++
				}
			})
			w.Watch(&a, HighWatermark, 0)
			p.Start(w)
		}
		a.Advance(1, 1, 1, 0, &woken)
		a.Advance(2, 2, 2, 100, &woken)
		if free+short != 0 {
			t.Error("waits are called back before their waker says so")
		}
		woken.Run()
		woken.Run()
		if free != helped || short != waits-helped {
			t.Errorf("%d were called back with time to work and %d without, of %d", free, short, waits)
		}
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a Watchers
		start := time.Now()
		var fired []time.Duration
		all := make(chan struct{}, 10)
		for _, d := range []time.Duration{700, 5, 300, 300, 0, -5} {
			w := New(Each, 1, 0, start.Add(d*time.Millisecond), func(bool) {
				fired = append(fired, time.Since(start))
				all <- struct{}{}
			})
			w.Watch(&a, HighWatermark, 1)
			p.Start(w)
		}
		for range 6 {
			<-all
		}
		for i, want := range []time.Duration{0, 0, 5, 300, 300, 700} {
			if fired[i] != want*time.Millisecond {
				t.Errorf("wait %d fired after %v, want %d ms", i, fired[i], want)
			}
		}
		if a.first != nil {
			t.Error("expired waits are still listed at the partition")
		}
	})
}

func TestFailCompletesAll(t *testing.T) {
	bubble(t, func(t *testing.T, p *Purgatory) {
		var a, b Watchers
		calls := 0
		for range 3 {
			w := New(Each, 2, 0, time.Now().Add(time.Minute), func(bool) { calls++ })
			w.Watch(&a, HighWatermark, 5)
			w.Watch(&b, HighWatermark, 5)
			p.Start(w)
		}
		a.Fail()
		b.Advance(9, 9, 9, 9, nil)
		if calls != 3 || p.Len() != 0 || b.first != nil {
			t.Errorf("%d callbacks, %d waits left", calls, p.Len())
		}
	})
}

func TestShutdownCompletesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPurgatory(time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		go p.Run(ctx)
		var a Watchers
		calls := make(chan struct{}, 2)
		wait := func() {
			w := New(Each, 1, 0, time.Now().Add(time.Hour), func(bool) { calls <- struct{}{} })
			w.Watch(&a, HighWatermark, 5)
			p.Start(w)
		}
		wait()
		cancel()
		<-calls
		wait() // a late one does not hang
		<-calls
	})
}

// Many goroutines advance, wait, fail and expire at once; every wait must be called back exactly once.
func TestExactlyOnceUnderLoad(t *testing.T) {
	p := NewPurgatory(time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { defer close(stopped); p.Run(ctx) }()
	watchers := make([]Watchers, 8)
	const waits = 4000
	var callbacks [waits]atomic.Int32
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for i := g; i < waits; i += 4 {
				w := New(Kind(i%2), 3, 50, time.Now().Add(time.Duration(r.IntN(3))*time.Millisecond), func(bool) { callbacks[i].Add(1) })
				for range 3 {
					w.Watch(&watchers[r.IntN(8)], Bound(r.IntN(int(Synced))), kafka.Offset(r.IntN(2000)))
				}
				p.Start(w)
			}
		})
		group.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			for i := range 2000 {
				watchers[r.IntN(8)].Advance(kafka.Offset(i), kafka.Offset(i), kafka.Offset(i), 10, nil)
				if i%500 == 0 {
					watchers[r.IntN(8)].Fail()
				}
			}
		})
	}
	group.Wait()
	cancel()
	<-stopped
	for i := range callbacks {
		if n := callbacks[i].Load(); n != 1 {
			t.Fatalf("wait %d was called back %d times", i, n)
		}
	}
}

func BenchmarkWaitAndWake(b *testing.B) {
	p := NewPurgatory(time.Now)
	var a Watchers
	deadline := time.Now().Add(time.Hour)
	end := kafka.Offset(0)
	b.ReportAllocs()
	for b.Loop() {
		w := New(Bytes, 1, 1, deadline, func(bool) {})
		w.Watch(&a, HighWatermark, end)
		p.Start(w)
		end++
		a.Advance(end+1, end+1, end+1, 100, nil)
	}
}
