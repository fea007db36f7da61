package partition

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/vfs"
)

func flush(p *Partition) error {
	_, err := p.flush()
	return err
}

// afterSync calls done when what res tells of is synced, or can't be any more.
func (w *world) afterSync(p *Partition, res AppendResult, done func(error)) {
	if res.Synced {
		done(nil)
		return
	}
	wait := purgatory.New(purgatory.Each, 1, 0, w.now.Add(time.Hour), func(bool) { done(p.Synced(res.End)) })
	p.WatchSynced(wait, res.End)
	purgatory.NewPurgatory(time.Now).Start(wait)
}

// synced waits for that.
func (w *world) synced(p *Partition, res AppendResult) error {
	over := make(chan error, 1)
	w.afterSync(p, res, func(err error) { over <- err })
	return <-over
}

// turnstile is a file system on which syncs of logs stand still until they are let through, each with its outcome.
type turnstile struct {
	*vfs.Faulty
	through chan error
	syncs   int
}

func newTurnstile() *turnstile {
	s := &turnstile{through: make(chan error)}
	s.Faulty = vfs.NewFaulty(vfs.NewMem(), func(o vfs.Op) error {
		if o.Kind == vfs.OpSync && strings.HasSuffix(o.Name, ".log") {
			s.syncs++
			return <-s.through
		}
		return nil
	})
	return s
}

// gated returns a world on a turnstile, with flush.messages and a topic of two partitions.
func gated(t *testing.T, every int64) (*world, *turnstile) {
	disk := newTurnstile()
	w := newWorld(t, disk, "/a")
	w.config = func(c *Config) { c.FlushMessages = every }
	w.create("t", 2)
	return w, disk
}

// TestSyncsAreShared: with flush.messages=1 the answers of all appends that come while a sync runs leave after the next one. Until then no reader
// sees them, and appends and reads go on.
func TestSyncsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, disk := gated(t, 1)
		p := w.get("t", 0)
		var log []string
		note := func(what string) {
			synctest.Wait()
			log = append(log, fmt.Sprintf("%s: high watermark %d, end %d, syncs %d", what, p.HighWatermark(), p.LogEndOffset(), disk.syncs))
		}
		appendOne := func() {
			res := w.mustAppend(p, 1)
			if res.Synced || res.Committed {
				t.Errorf("offset %d is acknowledged at once", res.BaseOffset)
			}
			w.afterSync(p, res, func(err error) { log = append(log, fmt.Sprintf("answered %d: %v", res.BaseOffset, err)) })
		}
		appendOne()
		note("one append")
		for range 3 {
			appendOne()
		}
		note("three more")
		if got, _, err := read(t, p, ReadRequest{Isolation: kafka.HighWatermark}); err != nil || len(got) > 0 {
			t.Errorf("a consumer reads %d bytes that are not synced, %v", len(got), err)
		}
		if got, _, err := read(t, p, ReadRequest{Isolation: kafka.LogEnd}); err != nil || len(got) == 0 {
			t.Errorf("a follower reads %d bytes, %v", len(got), err)
		}
		disk.through <- nil
		note("the first sync")
		disk.through <- nil
		note("the second")
		want := `one append: high watermark 0, end 1, syncs 1
three more: high watermark 0, end 4, syncs 1
answered 0: <nil>
the first sync: high watermark 1, end 4, syncs 2
answered 1: <nil>
answered 2: <nil>
answered 3: <nil>
the second: high watermark 4, end 4, syncs 2`
		if got := strings.Join(log, "\n"); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestAFailedSyncAcknowledgesNothing: the directory goes offline, and whoever waits is told so, whether or not its append came before.
func TestAFailedSyncAcknowledgesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, disk := gated(t, 1)
		p, other := w.get("t", 0), w.get("t", 1)
		var errs []error
		var late AppendResult
		for i := range 3 {
			late = w.mustAppend(p, 1)
			if i < 2 {
				w.afterSync(p, late, func(err error) { errs = append(errs, err) })
			}
		}
		synctest.Wait()
		disk.through <- errors.New("the disk is gone")
		synctest.Wait()
		w.afterSync(p, late, func(err error) { errs = append(errs, err) })
		if len(errs) != 3 {
			t.Fatalf("%d answers", len(errs))
		}
		for _, err := range errs {
			if !errors.Is(err, kerr.KafkaStorageError) {
				t.Errorf("answered with %v", err)
			}
		}
		if len(w.failed) != 1 || p.HighWatermark() != 0 {
			t.Errorf("failed %v, high watermark %d", w.failed, p.HighWatermark())
		}
		if _, err := w.append(other, data(t, 1)); !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("the directory takes appends: %v", err)
		}
	})
}

// TestADuplicateWaitsToo: the retry of a batch whose sync runs still is not acknowledged before it.
func TestADuplicateWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, disk := gated(t, 1)
		p := w.get("t", 0)
		for i := range 2 {
			res, err := w.append(p, data(t, 1, idempotent(0)))
			if err != nil || res.Synced || res.Duplicate != (i == 1) {
				t.Errorf("%+v, %v", res, err)
			}
		}
		synctest.Wait()
		disk.through <- nil
		synctest.Wait()
		if res, err := w.append(p, data(t, 1, idempotent(0))); err != nil || !res.Synced || !res.Committed {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

// TestSyncsAreCounted: with flush.messages=3 two of three records are acknowledged at once; the high watermark waits where a sync is owed.
func TestSyncsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, disk := gated(t, 3)
		p := w.get("t", 0)
		var got []string
		for range 5 {
			res := w.mustAppend(p, 1)
			got = append(got, fmt.Sprintf("%v %d", res.Synced, p.HighWatermark()))
		}
		if text := strings.Join(got, ", "); text != "true 1, true 2, false 2, true 2, true 2" {
			t.Error(text)
		}
		synctest.Wait()
		disk.through <- nil
		synctest.Wait()
		if p.HighWatermark() != 5 || disk.syncs != 1 {
			t.Errorf("high watermark %d after %d syncs", p.HighWatermark(), disk.syncs)
		}
	})
}

// TestCrashAtEverySync loses the machine at every change of the disk, while several producers write with flush.messages=1: what was acknowledged is there,
// and what a consumer could see is too.
func TestCrashAtEverySync(t *testing.T) {
	type point struct {
		disk  *vfs.Mem
		acked kafka.Offset
		seen  kafka.Offset
		op    string
	}
	disk := vfs.NewCrash()
	var mu sync.Mutex // guards all that follows
	var points []point
	var acked kafka.Offset
	var p *Partition
	rng := rand.New(rand.NewPCG(20, 0))
	faulty := vfs.NewFaulty(disk, func(op vfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if p != nil && op.Changes() {
			seen := p.HighWatermark()
			for _, keep := range []int{0, 50, 100} {
				points = append(points, point{disk.CrashClone(rng, keep), acked, seen, fmt.Sprintf("%d %v keeping %d %%", len(points), op, keep)})
			}
		}
		return nil
	})
	w := newWorld(t, faulty, "/a")
	if err := disk.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	w.config = func(c *Config) { c.FlushMessages, c.Log.SegmentBytes = 1, 900 }
	w.create("t", 1)
	log := w.get("t", 0)
	mu.Lock()
	p = log
	mu.Unlock()
	var producers sync.WaitGroup
	for range 4 {
		producers.Go(func() {
			for range 10 {
				res, err := w.append(log, data(t, 2))
				if err == nil {
					err = w.synced(log, res)
				}
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				acked = max(acked, res.End)
				mu.Unlock()
			}
		})
	}
	producers.Wait()
	t.Logf("%d crash points", len(points))
	for _, c := range points {
		w.fs, w.now = c.disk, w.now.Add(time.Second)
		w.open(false)
		if end := w.get("t", 0).LogEndOffset(); end < c.acked || end < c.seen {
			t.Fatalf("after %s: %d were acknowledged, %d seen, and %d are there", c.op, c.acked, c.seen, end)
		}
	}
}
