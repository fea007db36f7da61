package partition

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// folders lists what lies in a directory.
func (w *world) folders(dir string) []string {
	w.t.Helper()
	entries, err := w.fs.ReadDir(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Dir {
			names = append(names, e.Name)
		}
	}
	return names
}

func (w *world) close() {
	w.t.Helper()
	clean, err := w.m.Close()
	if err != nil || len(clean) != len(w.dirs) {
		w.t.Fatalf("%d of %d directories are clean, %v", len(clean), len(w.dirs), err)
	}
}

func (w *world) values(p *Partition) string {
	w.t.Helper()
	b, _, err := read(w.t, p, consumer(p.LogStartOffset()))
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%d+%d", batch.BaseOffset(), batch.Count()))
		b = rest
	}
	return strings.Join(out, " ")
}

func TestRestart(t *testing.T) {
	for _, clean := range []bool{true, false} {
		w := newWorld(t, vfs.NewMem(), "/a", "/b")
		w.create("one", 3)
		w.create("two", 1)
		p := w.get("one", 1)
		w.mustAppend(p, 3)
		if _, err := w.append(p, data(t, 2, idempotent(5))); err != nil {
			t.Fatal(err)
		}
		if _, err := p.DeleteRecords(2); err != nil {
			t.Fatal(err)
		}
		if clean {
			w.close()
		} else {
			w.m.writeHighWatermarks()
			w.m.writeRecoveryPoints()
		}
		before := fmt.Sprint(w.folders("/a"), w.folders("/b"))
		w.open(clean)
		if after := fmt.Sprint(w.folders("/a"), w.folders("/b")); after != before {
			t.Errorf("folders %s, before %s", after, before)
		}
		p = w.get("one", 1)
		if p.LogStartOffset() != 2 || p.LogEndOffset() != 5 || p.HighWatermark() != 5 {
			t.Errorf("clean %v: %s", clean, p)
		}
		again, err := w.append(p, data(t, 2, idempotent(5)))
		if err != nil || !again.Duplicate || again.BaseOffset != 3 {
			t.Errorf("clean %v: the producer is forgotten: %+v, %v", clean, again, err)
		}
		if p.dir() != w.m.dirs[0] && p.dir() != w.m.dirs[1] {
			t.Error("partition without a directory")
		}
	}
}

func TestDeleteTopic(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 2)
	p := w.get("t", 0)
	w.mustAppend(p, 1)
	w.apply(&schema.RemoveTopicRecord{TopicID: topicID("t")})
	if _, err := w.m.Get("t", 0); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Error(err)
	}
	if _, err := w.m.GetByID(topicID("t"), 0); !errors.Is(err, kerr.UnknownTopicID) {
		t.Error(err)
	}
	if _, err := w.append(p, data(t, 1)); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Errorf("append to a deleted partition: %v", err)
	}
	for _, name := range w.folders("/a") {
		if !strings.HasSuffix(name, "-delete") {
			t.Errorf("folder %s", name)
		}
	}
	w.create("t", 1) // the next life has other folders and other bytes
	if w.get("t", 0).LogEndOffset() != 0 {
		t.Error("the new life inherits records")
	}
	w.mustAppend(w.get("t", 0), 1)
	w.now = w.now.Add(time.Minute)
	w.m.Step(w.now)
	if got := w.folders("/a"); len(got) != 1 || got[0] != "t-0" {
		t.Errorf("after the delay: %v", got)
	}
}

func TestDeletionResumesAfterRestart(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	w.mustAppend(w.get("t", 0), 1)
	w.apply(&schema.RemoveTopicRecord{TopicID: topicID("t")})
	w.close()
	w.open(true)
	w.now = w.now.Add(time.Minute)
	w.m.Step(w.now)
	if got := w.folders("/a"); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestUnknownPartitions(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	w.apply(&schema.TopicRecord{Name: "far", TopicID: topicID("far")},
		&schema.PartitionRecord{TopicID: topicID("far"), Replicas: []int32{2}, ISR: []int32{2}, Leader: 2})
	f := func(topic string, index int32, byName, byID error) {
		t.Helper()
		if _, err := w.m.Get(topic, index); !errors.Is(err, byName) {
			t.Errorf("%s-%d: %v", topic, index, err)
		}
		if _, err := w.m.GetByID(topicID(topic), index); !errors.Is(err, byID) {
			t.Errorf("%s-%d by id: %v", topic, index, err)
		}
	}
	f("t", 1, kerr.UnknownTopicOrPartition, kerr.UnknownTopicOrPartition)
	f("t", -1, kerr.UnknownTopicOrPartition, kerr.UnknownTopicOrPartition)
	f("far", 0, kerr.NotLeaderForPartition, kerr.NotLeaderForPartition)
	f("none", 0, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID)
}

func TestReassignedAway(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 2)
	w.mustAppend(w.get("t", 0), 1)
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 1, Leader: 2, ISR: []int32{2}, Replicas: []int32{2}, Directories: []kafka.UUID{{}}})
	if got := w.folders("/a"); len(got) != 1 || got[0] != "t-0" {
		t.Errorf("of a partition that had no folder: %v", got)
	}
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 0, Leader: 2, ISR: []int32{2}, Replicas: []int32{2}, Directories: []kafka.UUID{{}}})
	if _, err := w.m.Get("t", 0); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Error(err)
	}
	if got := w.folders("/a"); len(got) != 1 || !strings.HasSuffix(got[0], "-delete") {
		t.Errorf("folders %v", got)
	}
}

// TestStrays restarts with an image that knows less, and one of another life of a topic: what is not known is kept under another name.
func TestStrays(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("known", 1)
	w.mustAppend(w.get("known", 0), 1)
	image := w.image
	w.create("stray", 1)
	w.mustAppend(w.get("stray", 0), 1)
	w.close()
	w.image = image
	w.open(true)
	if _, err := w.m.Get("stray", 0); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Error(err)
	}
	got := w.folders("/a")
	if len(got) != 2 || got[0] != "known-0" || !strings.HasPrefix(got[1], "stray-0.") || !strings.HasSuffix(got[1], "-stray") {
		t.Errorf("folders %v", got)
	}
}

// TestFoldersOfOthers: a folder that is only called as a partition is, such as another node's directory, is neither opened nor renamed.
func TestFoldersOfOthers(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.close()
	theirs := []string{
		"/a/node-1/server.properties", "/a/node-1/data/meta.properties", // of a cluster for trying things out
		"/a/node-2/meta.properties", "/a/node-2/00000000000000000000.log", // a log directory
		"/a/thesis-3/chapter.tmp", // anybody's
	}
	for _, name := range theirs {
		if err := vfs.MkdirAll(w.fs, path.Dir(name)); err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(w.fs, name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	w.open(true)
	if got := w.folders("/a"); !slices.Equal(got, []string{"node-1", "node-2", "thesis-3"}) {
		t.Errorf("folders %v", got)
	}
	for _, name := range theirs {
		if b, err := vfs.ReadFile(w.fs, name); err != nil || string(b) != "x" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestMarkerComesBeforeTheFirstRecord(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 2)
	if _, ok, _ := checkpoint.ReadPartition(w.fs, "/a/t-0"); ok {
		t.Error("creating a partition waits for a sync")
	}
	w.mustAppend(w.get("t", 0), 1)
	if id, ok, err := checkpoint.ReadPartition(w.fs, "/a/t-0"); !ok || id != topicID("t") || err != nil {
		t.Errorf("partition.metadata: %v, %v, %v", id, ok, err)
	}
	w.now = w.now.Add(time.Hour)
	w.m.Step(w.now)
	if got := w.folders("/a"); !slices.Equal(got, []string{"t-0"}) {
		t.Errorf("folders %v: a partition without a record needs none", got)
	}
}

// TestFolderWithoutMarker: a process that died, ours or Kafka's, leaves an empty partition without its marker. Kafka would set it aside.
func TestFolderWithoutMarker(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	log, _, err := commitlog.Open(w.fs, "/a/t-0", commitlog.Options{Cache: segment.NewCache(1, 1), Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	log.Abandon()
	w.open(false)
	w.now = w.now.Add(time.Hour)
	w.m.Step(w.now)
	if id, ok, err := checkpoint.ReadPartition(w.fs, "/a/t-0"); !ok || id != topicID("t") || err != nil {
		t.Errorf("partition.metadata: %v, %v, %v", id, ok, err)
	}
}

// TestPartitionWithoutRecords has no file, and is there again after each kind of restart, in the directory where it was.
func TestPartitionWithoutRecords(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a", "/b")
	w.create("t", 4)
	for _, clean := range []bool{true, false} {
		if clean {
			w.close()
		}
		w.open(clean)
		for i := range int32(4) {
			p := w.get("t", i)
			if p.LogStartOffset() != 0 || p.LogEndOffset() != 0 || p.HighWatermark() != 0 || p.Size() != 0 {
				t.Errorf("clean %v: %s", clean, p)
			}
			if b, _, err := read(t, p, consumer(0)); err != nil || len(b) != 0 {
				t.Errorf("clean %v: read %d bytes, %v", clean, len(b), err)
			}
			for _, what := range []int64{0, -100, LatestTimestamp, EarliestTimestamp, MaxTimestamp} {
				if at, err := p.OffsetFor(OffsetRequest{Timestamp: what, CurrentLeaderEpoch: kafka.NoEpoch}); err != nil || at.Timestamp != kafka.NoTimestamp {
					t.Errorf("clean %v: offset for %d: %+v, %v", clean, what, at, err)
				}
			}
		}
		w.now = w.now.Add(time.Hour)
		w.m.Step(w.now)
		if got := fmt.Sprint(w.folders("/a"), w.folders("/b")); got != "[] []" {
			t.Errorf("clean %v: folders %s", clean, got)
		}
	}
}

func TestCheckpointsAreWrittenOnlyWhenTheyChange(t *testing.T) {
	var trace []string
	faulty := vfs.NewFaulty(vfs.NewMem(), nil)
	w := newWorld(t, faulty, "/a")
	w.create("t", 1)
	w.mustAppend(w.get("t", 0), 3)
	for range 20 {
		w.now = w.now.Add(10 * time.Second)
		w.m.Step(w.now)
	}
	written := func(name string) int {
		e, err := w.fs.Stat(path.Join("/a", name))
		if err != nil {
			t.Fatal(err)
		}
		return int(e.Size)
	}
	for _, name := range []string{checkpoint.Replication, checkpoint.RecoveryPoint, checkpoint.LogStart} {
		if written(name) == 0 {
			t.Errorf("%s is empty", name)
		}
		b, err := vfs.ReadFile(w.fs, path.Join("/a", name))
		if err != nil {
			t.Fatal(err)
		}
		trace = append(trace, string(b))
	}
	if got, want := strings.Join(trace, "|"), "0\n1\nt 0 3\n|0\n1\nt 0 3\n|0\n0\n"; got != want {
		t.Errorf("checkpoints %q, want %q", got, want)
	}
}

func TestRetentionRunsByTheClock(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.config = func(c *Config) { c.Log.RetentionAge, c.Log.SegmentAge = time.Hour, time.Minute }
	w.create("t", 1)
	p := w.get("t", 0)
	w.mustAppend(p, 1)
	w.now = w.now.Add(10 * time.Minute)
	w.m.Step(w.now)
	w.mustAppend(p, 1)
	if p.LogStartOffset() != 0 {
		t.Error("removed too early")
	}
	w.now = w.now.Add(3 * time.Hour)
	w.m.Step(w.now)
	if p.LogStartOffset() != 2 {
		t.Errorf("log start offset %d", p.LogStartOffset())
	}
}

// TestFlushByTime flushes what is older than flush.ms, long before the next checkpoint, and no sooner.
func TestFlushByTime(t *testing.T) {
	for _, check := range []time.Duration{0, 3 * time.Second} {
		w := newWorld(t, vfs.NewMem(), "/a")
		w.options = func(o *Options) {
			o.RetentionInterval, o.HighWaterInterval, o.CheckpointInterval, o.FlushCheck = time.Hour, time.Hour, time.Hour, check
		}
		w.config = func(c *Config) { c.FlushInterval = time.Second }
		w.open(true)
		w.create("t", 1)
		p := w.get("t", 0)
		elapsed := time.Duration(0)
		step := func(to time.Duration, flushed kafka.Offset) (next time.Duration) {
			t.Helper()
			w.now, elapsed = w.now.Add(to-elapsed), to
			next = elapsed + w.m.step(w.now)
			if got := p.log().RecoveryPoint(); got != flushed {
				t.Errorf("checked every %v, after %v: flushed up to %d, want %d", check, to, got, flushed)
			}
			return next
		}
		first := step(0, 0)
		if want := max(check, time.Second); first != want {
			t.Errorf("looks again after %v, want %v", first, want)
		}
		w.now, elapsed = w.now.Add(first/2), first/2
		w.mustAppend(p, 3)
		next := step(first/2, 0)
		if next = step(next, map[bool]kafka.Offset{true: 3}[check > 0]); check == 0 {
			if next != first/2+time.Second {
				t.Errorf("looks again after %v", next)
			}
			next = step(next, 3)
		}
		step(next, 3)
	}
}

func TestProducersExpire(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	if _, err := w.append(p, data(t, 1, idempotent(0))); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(25 * time.Hour)
	w.m.Step(w.now)
	if active, err := p.Producers(); err != nil || len(active) != 0 {
		t.Errorf("%v, %v", active, err)
	}
}

// TestNothingIsWrittenAfterADeletion has work on its way while the topic is deleted: it passed the first check and comes to the lock after
// the folder was given away. It must not touch the folder, and the directory must not fail for what is not there.
func TestNothingIsWrittenAfterADeletion(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.config = func(c *Config) { c.Log.RetentionBytes, c.Log.SegmentBytes, c.Log.DeleteDelay = 1, 200, 0 }
	w.create("t", 2)
	fresh, used := w.get("t", 0), w.get("t", 1)
	for range 5 {
		w.mustAppend(used, 3)
	}
	if err := used.retainLocked(w.now); err != nil { // segments are to be renamed
		t.Fatal(err)
	}
	w.apply(&schema.RemoveTopicRecord{TopicID: topicID("t")})
	w.create("t", 2) // the next life, in folders of the same names
	before := fmt.Sprint(w.folders("/a"))
	for _, p := range []*Partition{fresh, used} {
		out := p.write(data(t, 1), AppendRequest{RequiredAcks: -1, Now: w.now}, p.config.Load())
		if !errors.Is(out.err, kerr.NotLeaderForPartition) || out.storage {
			t.Errorf("%s: an append gives %v", p.id, out.err)
		}
		if err := p.deleteLocked(1); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("%s: DeleteRecords gives %v", p.id, err)
		}
		if err := errors.Join(p.retain(w.now), flush(p), p.markIdle(), p.checkpointed(p.log(), 0)); err != nil {
			t.Errorf("%s: duties give %v", p.id, err)
		}
		p.expireProducers(w.now)
		if err := p.readFailure(p.home.Load(), fs.ErrNotExist); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("%s: a read of files that are gone gives %v", p.id, err)
		}
	}
	if len(w.failed) != 0 {
		t.Errorf("failed: %v", w.failed)
	}
	if after := fmt.Sprint(w.folders("/a")); after != before {
		t.Errorf("folders %s, before %s", after, before)
	}
	if _, ok, _ := checkpoint.ReadPartition(w.fs, "/a/t-0"); ok {
		t.Error("the last life marked the folder of the next")
	}
}

// TestCrashKeepsWhatWasFlushed restarts from what a power cut leaves of a file system: with flush.messages=1 all that was acknowledged is there,
// and nothing that was not appended.
func TestCrashKeepsWhatWasFlushed(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		disk := vfs.NewCrash()
		w := newWorld(t, disk, "/a")
		if err := disk.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
		w.config = func(c *Config) { c.FlushMessages, c.Log.SegmentBytes = 1, 400 }
		w.create("t", 1)
		acked := 0
		for range 1 + r.IntN(10) {
			res := w.mustAppend(w.get("t", 0), 1+r.IntN(3))
			if err := w.synced(w.get("t", 0), res); err != nil {
				t.Fatal(err)
			}
			acked = int(res.End)
		}
		w.fs = disk.CrashClone(r, []int{0, 50, 100}[r.IntN(3)])
		w.open(false)
		p := w.get("t", 0)
		if int(p.LogEndOffset()) != acked || int(p.HighWatermark()) != acked {
			t.Fatalf("seed %d: %d acknowledged, log end offset %d, high watermark %d", seed, acked, p.LogEndOffset(), p.HighWatermark())
		}
		w.values(p)
	}
}

func TestRunDoesItsDutiesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, vfs.NewMem(), "/a")
		w.options = func(o *Options) { o.Now = time.Now }
		w.config = func(c *Config) { c.TimestampAfter = -1 }
		w.open(true)
		w.create("t", 1)
		w.now = time.Now()
		w.mustAppend(w.get("t", 0), 2)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.m.Run(ctx) }()
		<-time.After(6 * time.Second) // the bubble's
		synctest.Wait()
		b, err := vfs.ReadFile(w.fs, "/a/"+checkpoint.Replication)
		if err != nil || string(b) != "0\n1\nt 0 2\n" {
			t.Errorf("%q, %v", b, err)
		}
		cancel()
		<-ended
	})
}

// A log that is written to is flushed in the background now and then, so that a crash of the machine leaves little to check.
func TestMuchUnsyncedIsFlushed(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 2)
	p := w.get("t", 0)
	var b record.Builder
	b.Begin(record.NewOptions(0, 0))
	b.Add(w.now.UnixMilli(), nil, make([]byte, 1000<<10))
	batch, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	add := func() {
		record.Batch(batch).SetBaseOffset(0)
		if _, err := w.append(p, batch); err != nil {
			t.Fatal(err)
		}
	}
	for written := len(batch); written < maxUnsynced; written += len(batch) {
		add()
	}
	select {
	case <-w.m.dirty:
		t.Fatal("flushed too early")
	default:
	}
	w.mustAppend(w.get("t", 1), 1)
	add()
	select {
	case dirty := <-w.m.dirty:
		if dirty != p {
			t.Fatalf("%v is to be flushed", dirty)
		}
		if wait := w.m.flushOutOfTurn(p); wait > pointsDelay {
			t.Fatalf("the next step is due in %v", wait)
		}
	default:
		t.Fatal("nothing is to be flushed")
	}
	w.now = w.now.Add(pointsDelay)
	w.m.Step(w.now)
	points, err := checkpoint.ReadOffsets(w.fs, "/a", checkpoint.RecoveryPoint)
	if err != nil || len(points) != 2 || points[0].Offset != p.LogEndOffset() || points[1].Offset != 0 {
		t.Fatalf("recovery points %v, %v; the log ends at %d", points, err, p.LogEndOffset())
	}
}

// TestManyLogsAreClosedTogether: with one sync of the file system, whose failure keeps the directory from being marked as clean.
func TestManyLogsAreClosedTogether(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var syncs int
		faulty := vfs.NewFaulty(vfs.NewCrash(), nil)
		w := newWorld(t, faulty, "/a")
		w.create("t", manyLogs)
		for i := range int32(manyLogs) {
			w.mustAppend(w.get("t", i), 2)
		}
		faulty.SetHook(func(o vfs.Op) error {
			switch o.Kind {
			case vfs.OpSync:
				syncs++
			case vfs.OpSyncWhole:
				if fails {
					return syscall.EIO
				}
			}
			return nil
		})
		clean, err := w.m.Close()
		if fails != (err != nil) || len(clean) == 1 != !fails {
			t.Fatalf("fails %v: clean %v, %v", fails, clean, err)
		}
		if fails {
			continue
		}
		if syncs > 5 { // of checkpoints
			t.Errorf("%d syncs", syncs)
		}
		w.open(true)
		for i := range int32(manyLogs) {
			if p := w.get("t", i); p.LogEndOffset() != 2 || p.HighWatermark() != 2 || p.log().RecoveryPoint() != 2 {
				t.Errorf("after the restart: %s", p)
			}
		}
	}
}
