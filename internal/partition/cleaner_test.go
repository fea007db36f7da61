package partition

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

func cleanerConfig() CleanerConfig {
	return CleanerConfig{Enabled: true, Threads: 1, KeyBytes: 1 << 20, KeyLoad: 0.9, BufferBytes: 64 << 10, BytesPerSecond: 1e300, Backoff: 15 * time.Second}
}

// compactedWorld is a world with small segments whose topics may be compacted.
func compactedWorld(t testing.TB, fs vfs.FS, dirs ...string) *world {
	w := newWorld(t, fs, dirs...)
	w.config = func(c *Config) {
		c.Log.SegmentBytes, c.Log.Compacted, c.Log.DeleteOld = 2000, c.Compacted, !c.Compacted
		c.Log.RetentionAge, c.Log.DeleteDelay = -1, 0
		c.Compaction.MinDirtyRatio, c.Compaction.DeleteRetention, c.Compaction.MaxLag = 0.5, time.Hour, -1
		c.TimestampAfter = -1
	}
	w.open(true)
	return w
}

// keyed builds a batch of a record for each key.
func keyed(t testing.TB, value string, keys ...string) []byte {
	t.Helper()
	var b record.Builder
	b.Begin(record.NewOptions(0, -1))
	for _, key := range keys {
		b.Add(1_700_000_000_000, []byte(key), []byte(value))
	}
	out, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fill overwrites few keys until the log has about so many segments.
func (w *world) fill(p *Partition, segments int) {
	w.t.Helper()
	for i := range segments * 10 {
		if _, err := w.append(p, keyed(w.t, fmt.Sprintf("%d %0150d", i, i), fmt.Sprint("k", i%5))); err != nil {
			w.t.Fatal(err)
		}
	}
}

// latest reads a whole partition into a table.
func latest(t testing.TB, p *Partition) map[string]string {
	t.Helper()
	table := map[string]string{}
	next := p.LogStartOffset()
	for next < p.HighWatermark() {
		b, _, err := read(t, p, consumer(next))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			break
		}
		for {
			batch, rest, err := record.Next(b)
			if err != nil {
				break
			}
			var r record.Walker
			r.Reset(batch, 1<<20)
			for r.Next() {
				table[string(r.Record.Key)] = string(r.Record.Value)
			}
			next, b = batch.NextOffset(), rest
		}
	}
	return table
}

// untilIdle steps the cleaner until it has nothing to do.
func untilIdle(c *cleaner, now time.Time) (steps int) {
	for c.step(now) != c.config.Backoff {
		steps++
	}
	return steps
}

func TestTheDirtiestLogIsCleanedFirst(t *testing.T) {
	w := compactedWorld(t, vfs.NewMem(), "/a")
	for _, name := range []string{"few", "much", "not"} {
		w.create(name, 1)
		if name != "not" {
			w.configure(name, "cleanup.policy", "compact")
		}
	}
	few, much, not := w.get("few", 0), w.get("much", 0), w.get("not", 0)
	w.fill(few, 3)
	c := newCleaner(w.m, cleanerConfig())
	untilIdle(c, w.now)
	w.fill(few, 1)
	w.fill(much, 6)
	w.fill(not, 3)
	before := []string{fmt.Sprint(latest(t, few)), fmt.Sprint(latest(t, much))}
	sizes := []int64{few.Size(), much.Size(), not.Size()}
	c.step(w.now)
	if c.p != much {
		t.Fatalf("%v is cleaned first", c.p)
	}
	untilIdle(c, w.now)
	if much.Size() > sizes[1]/2 || not.Size() != sizes[2] {
		t.Errorf("sizes of %d became %d and %d", sizes, much.Size(), not.Size())
	}
	if after := []string{fmt.Sprint(latest(t, few)), fmt.Sprint(latest(t, much))}; !slices.Equal(after, before) {
		t.Errorf("readers see %v, saw %v", after, before)
	}
	text, err := vfs.ReadFile(w.fs, "/a/"+checkpoint.Cleaner)
	if err != nil || !strings.Contains(string(text), fmt.Sprintf("\nmuch 0 %d\n", much.log().Cleaned())) {
		t.Errorf("the checkpoint is %q, %v", text, err)
	}
	w.close()
	w.open(true)
	if got := w.get("much", 0).log().Cleaned(); got == 0 || got != much.log().Cleaned() {
		t.Errorf("after the restart the log is clean below %d, was below %d", got, much.log().Cleaned())
	}
	if steps := untilIdle(newCleaner(w.m, cleanerConfig()), w.now); steps != 0 {
		t.Errorf("clean logs are cleaned again, in %d steps", steps)
	}
}

// A log with a batch that is not what was written is left alone, and the others are cleaned.
func TestDamageStopsTheCleaningOfItsLogAlone(t *testing.T) {
	fs := vfs.NewMem()
	w := compactedWorld(t, fs, "/a")
	for _, name := range []string{"bad", "good"} {
		w.create(name, 1)
		w.configure(name, "cleanup.policy", "compact")
		w.fill(w.get(name, 0), 5)
	}
	bad, good := w.get("bad", 0), w.get("good", 0)
	file, err := fs.OpenWrite("/a/bad-0/00000000000000000000.log")
	if err == nil {
		_, err = file.WriteAt([]byte{0xff}, 100)
	}
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int64{bad.Size(), good.Size()}
	c := newCleaner(w.m, cleanerConfig())
	untilIdle(c, w.now)
	untilIdle(c, w.now)
	if bad.Size() != sizes[0] || !bad.uncleanable.Load() || good.Size() >= sizes[1] || len(w.failed) > 0 {
		t.Errorf("sizes of %d became %d and %d; failed directories: %v", sizes, bad.Size(), good.Size(), w.failed)
	}
	names, err := fs.List("/a/bad-0")
	if err != nil || slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".cleaned") }) {
		t.Errorf("%q, %v", names, err)
	}
}

// A full disk ends a cleaning, and neither the log nor the directory suffers.
func TestFullDiskEndsACleaning(t *testing.T) {
	disk := vfs.NewMem()
	fs := vfs.NewFaulty(disk, nil)
	w := compactedWorld(t, fs, "/a")
	w.create("t", 1)
	w.configure("t", "cleanup.policy", "compact")
	p := w.get("t", 0)
	w.fill(p, 5)
	size, before := p.Size(), fmt.Sprint(latest(t, p))
	fs.SetHook(vfs.FailNth(vfs.OpWrite, ".cleaned", 1, false, vfs.ErrNoSpace))
	c := newCleaner(w.m, cleanerConfig())
	untilIdle(c, w.now)
	if p.Size() != size || len(w.failed) > 0 {
		t.Errorf("size of %d became %d; failed directories: %v", size, p.Size(), w.failed)
	}
	untilIdle(c, w.now)
	if p.Size() >= size || fmt.Sprint(latest(t, p)) != before {
		t.Errorf("size of %d became %d", size, p.Size())
	}
}

func TestCleanersAreThrottled(t *testing.T) {
	w := compactedWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	w.configure("t", "cleanup.policy", "compact")
	w.fill(w.get("t", 0), 20)
	config := cleanerConfig()
	config.BufferBytes, config.BytesPerSecond = 16<<10, 10_000
	c := newCleaner(w.m, config)
	began := w.now
	for {
		wait := c.step(w.now)
		if wait == config.Backoff {
			break
		}
		w.now = w.now.Add(wait)
	}
	dirty := 19 * 2000.0
	if took := w.now.Sub(began).Seconds(); took < 2*dirty/10_000 || took > 3*dirty/10_000 {
		t.Errorf("%v bytes, read twice, took %v seconds at 10,000 a second", dirty, took)
	}
}

// Cleaners follow the configuration while they run.
func TestCleanersAreReconfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := cleanerConfig()
		config.Enabled = false
		var mu sync.Mutex // guards config
		w := newWorld(t, vfs.NewMem(), "/a")
		w.options = func(o *Options) {
			o.Now = time.Now
			o.Cleaners = func() CleanerConfig {
				mu.Lock()
				defer mu.Unlock()
				return config
			}
		}
		w.config = compactedWorld(t, vfs.NewMem(), "/b").config
		w.open(true)
		w.create("t", 1)
		w.configure("t", "cleanup.policy", "compact")
		p := w.get("t", 0)
		w.now = time.Now()
		w.fill(p, 5)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.m.Run(ctx) }()
		<-time.After(time.Minute)
		if p.log().Cleaned() != 0 {
			t.Error("cleaned though the cleaners are off")
		}
		mu.Lock()
		config.Enabled = true
		mu.Unlock()
		w.apply(&schema.ConfigRecord{ResourceType: int8(metadata.BrokerResource), Name: "log.cleaner.threads", Value: new("1")})
		<-time.After(time.Minute)
		if p.log().Cleaned() == 0 {
			t.Error("not cleaned")
		}
		cancel()
		<-ended
	})
}

// TestCleaningBesideEverything produces, reads, cleans, deletes records and deletes the topic, all at once.
func TestCleaningBesideEverything(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, vfs.OS{}, dir+"/a")
	w.config = compactedWorld(t, vfs.NewMem(), "/b").config
	inner := w.config
	w.config = func(c *Config) {
		inner(c)
		c.Deletable, c.Log.DeleteOld = true, true // compact,delete
	}
	w.open(true)
	for life := range 3 {
		w.create("t", 1)
		w.configure("t", "cleanup.policy", "compact")
		w.beside(w.get("t", 0), life)
		if _, err := os.Stat(dir + "/a/t-0"); err == nil {
			t.Fatal("the folder is still there")
		}
	}
	if len(w.failed) > 0 {
		t.Error(w.failed)
	}
}

// beside has goroutines at work on p for a while, and deletes the topic under them.
func (w *world) beside(p *Partition, life int) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	forever := func(f func(n int) error) {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(n); err != nil && !errors.Is(err, kerr.NotLeaderForPartition) && !errors.Is(err, kerr.OffsetOutOfRange) {
					w.t.Error(err)
					return
				}
			}
		})
	}
	now := w.now
	enough := make(chan struct{})
	forever(func(n int) error {
		if n == 1500 {
			close(enough)
		}
		_, err := p.Append(AppendRequest{Records: keyed(w.t, fmt.Sprintf("%0100d", n), fmt.Sprint("k", n%7)), RequiredAcks: -1, Now: now})
		return err
	})
	c := newCleaner(w.m, CleanerConfig{Threads: 1, KeyBytes: 1 << 16, KeyLoad: 0.9, BufferBytes: 8 << 10, BytesPerSecond: 1e300})
	forever(func(int) error { c.step(now); return nil })
	forever(func(int) error { return p.retain(now) })
	forever(func(int) error { return flush(p) })
	rng := rand.New(rand.NewPCG(uint64(life), 0))
	forever(func(int) error {
		_, err := p.DeleteRecords(p.LogStartOffset() + kafka.Offset(rng.IntN(3)))
		return err
	})
	for range 2 {
		forever(func(int) error { return readThrough(p) })
	}
	<-enough
	w.apply(&schema.RemoveTopicRecord{TopicID: p.TopicID()})
	close(stop)
	all.Wait()
	c.letGo()
}

// readThrough reads a partition once, and checks each batch.
func readThrough(p *Partition) error {
	for next := p.LogStartOffset(); next < p.HighWatermark(); {
		r := consumer(next)
		r.MaxBytes = 4 << 10
		res, err := p.Read(r)
		if err != nil {
			return err
		}
		b := make([]byte, res.Span.Len())
		n, err := res.Span.ReadAt(b, 0)
		res.Span.Release()
		if n != len(b) {
			return err
		}
		if n == 0 {
			return nil
		}
		for len(b) > 0 {
			batch, rest, err := record.Next(b)
			if err != nil {
				break
			}
			if err := batch.CheckCRC(); err != nil {
				return err
			}
			if batch.LastOffset() < next {
				return fmt.Errorf("offset %d was asked for, got %s", next, batch)
			}
			next, b = batch.NextOffset(), rest
		}
	}
	return nil
}

// Who copies a log to another directory must not miss a tombstone: a cleaning ends when a move begins, and none begins until it is over.
func TestAMoveEndsACleaning(t *testing.T) {
	w := compactedWorld(t, vfs.NewMem(), "/a", "/b")
	w.create("t", 1)
	w.configure("t", "cleanup.policy", "compact")
	p := w.get("t", 0)
	w.fill(p, 20)
	config := cleanerConfig()
	config.BufferBytes = 8 << 10
	c := newCleaner(w.m, config)
	for c.work == nil || c.work.Indexing() {
		c.step(w.now)
	}
	to := "/a"
	if p.dir().Path == to {
		to = "/b"
	}
	if err := w.m.AlterDir(p.ID(), to); err != nil {
		t.Fatal(err)
	}
	if c.step(w.now) != config.Backoff || c.p != nil || p.cleaning.Load() || c.step(w.now) != config.Backoff || len(w.failed) > 0 {
		t.Error("the log is cleaned while it is copied")
	}
	names, err := w.fs.List(p.dir().Path + "/t-0")
	if err != nil || slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".cleaned") }) {
		t.Errorf("%q, %v", names, err)
	}
}
