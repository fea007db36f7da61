package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

const self = kafka.NodeID(1)

// world is a manager on a file system in memory, with a clock and a metadata log of its own.
type world struct {
	t       testing.TB
	fs      vfs.FS
	m       *Manager
	now     time.Time
	image   *metadata.Image
	offset  kafka.Offset
	config  func(c *Config)
	ids     byte
	dirs    []Dir
	failed  []string
	options func(*Options)
}

func newWorld(t testing.TB, fs vfs.FS, dirs ...string) *world {
	w := &world{t: t, fs: fs, now: time.UnixMilli(1_700_000_000_000), image: metadata.Empty()}
	for i, path := range dirs {
		if err := fs.Mkdir(path); err != nil {
			t.Fatal(err)
		}
		w.dirs = append(w.dirs, Dir{Path: path, ID: kafka.UUID{0: 0xd0, 15: byte(i + 1)}})
	}
	w.open(false)
	return w
}

func defaultConfig() Config {
	c := Config{
		Log: commitlog.DefaultConfig(), MinInSyncReplicas: 1, MaxMessageBytes: 1 << 20, MaxDecompressed: 1 << 30, Level: compress.DefaultLevel,
		Deletable: true, FlushInterval: -1, TimestampBefore: -1, TimestampAfter: time.Hour,
	}
	return c
}

// open starts the manager on what is on disk; the image is applied as at a start.
func (w *world) open(clean bool) {
	w.t.Helper()
	for i := range w.dirs {
		w.dirs[i].Clean = clean
	}
	o := Options{
		Self: self, FS: w.fs, Dirs: w.dirs, Template: commitlog.Options{Cache: segment.NewCache(100, 1<<20)},
		Now:   func() time.Time { return w.now },
		NewID: func() kafka.UUID { w.ids++; return kafka.UUID{0: 0xaa, 15: w.ids} },
		TopicConfig: func(topic string, overrides map[string]string) Config {
			c := defaultConfig()
			c.Compacted = overrides["cleanup.policy"] == "compact"
			c.Deletable = !c.Compacted
			if overrides["message.timestamp.type"] == "LogAppendTime" {
				c.TimestampType = kafka.LogAppendTime
			}
			if w.config != nil {
				w.config(&c)
			}
			return c
		},
		DirFailed: func(d Dir, last bool, err error) {
			w.failed = append(w.failed, fmt.Sprintf("%s last=%v", d.Path, last))
		},
	}
	if w.options != nil {
		w.options(&o)
	}
	var err error
	if w.m, err = Open(o); err != nil {
		w.t.Fatal(err)
	}
	delta := metadata.NewDelta(metadata.Empty())
	w.image.Records(func(r metadata.Record) bool {
		if err := delta.Replay(r.Body); err != nil {
			w.t.Fatal(err)
		}
		return true
	})
	w.m.Apply(delta, w.image)
}

// apply commits metadata records.
func (w *world) apply(records ...schema.MetadataRecord) {
	w.t.Helper()
	delta := metadata.NewDelta(w.image)
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
		w.offset++
	}
	w.image = delta.Apply(w.offset, 1, w.now.UnixMilli())
	w.m.Apply(delta, w.image)
}

func topicID(name string) kafka.TopicID {
	return kafka.UUID{0: 0x70, 1: name[0], 15: name[len(name)-1]}
}

// create makes a topic of n partitions, led by this node alone.
func (w *world) create(name string, n int32) {
	w.t.Helper()
	records := []schema.MetadataRecord{&schema.TopicRecord{Name: name, TopicID: topicID(name)}}
	for i := range n {
		records = append(records, &schema.PartitionRecord{
			TopicID: topicID(name), PartitionID: i, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []kafka.UUID{{}},
		})
	}
	w.apply(records...)
}

func (w *world) configure(topic, key, value string) {
	w.apply(&schema.ConfigRecord{ResourceType: int8(metadata.TopicResource), ResourceName: topic, Name: key, Value: &value})
}

func (w *world) get(name string, index int32) *Partition {
	w.t.Helper()
	p, err := w.m.Get(name, index)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// data builds a client's batch of n records.
func data(t testing.TB, n int, change ...func(*record.Options)) []byte {
	t.Helper()
	o := record.NewOptions(0, -1)
	for _, f := range change {
		f(&o)
	}
	var b record.Builder
	b.Begin(o)
	for i := range n {
		b.Add(1_700_000_000_000+int64(i), []byte("key"), fmt.Appendf(nil, "value %d", i))
	}
	out, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func idempotent(sequence int32) func(*record.Options) {
	return func(o *record.Options) { o.ProducerID, o.ProducerEpoch, o.BaseSequence = 7, 0, sequence }
}

func (w *world) append(p *Partition, batch []byte) (AppendResult, error) {
	return p.Append(AppendRequest{Records: batch, RequiredAcks: -1, Now: w.now})
}

func (w *world) mustAppend(p *Partition, n int) AppendResult {
	w.t.Helper()
	r, err := w.append(p, data(w.t, n))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// read returns the bytes from an offset on.
func read(t testing.TB, p *Partition, r ReadRequest) ([]byte, ReadResult, error) {
	t.Helper()
	if r.MaxBytes == 0 {
		r.MaxBytes = 1 << 20
	}
	res, err := p.Read(r)
	if err != nil {
		return nil, res, err
	}
	defer res.Span.Release()
	b := make([]byte, res.Span.Len())
	if n, err := res.Span.ReadAt(b, 0); n != len(b) {
		t.Fatal(n, err)
	}
	return b, res, nil
}

func consumer(offset kafka.Offset) ReadRequest {
	return ReadRequest{Offset: offset, Isolation: kafka.HighWatermark, CurrentLeaderEpoch: kafka.NoEpoch, LastFetchedEpoch: kafka.NoEpoch, AtLeastOne: true}
}

func TestAppendAndRead(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 2)
	p := w.get("t", 0)
	for i := range 3 {
		r := w.mustAppend(p, 2)
		want := AppendResult{BaseOffset: kafka.Offset(2 * i), End: kafka.Offset(2*i + 2), LogAppendTime: kafka.NoTimestamp, Committed: true, Synced: true}
		if r != want {
			t.Errorf("append %d: %+v, want %+v", i, r, want)
		}
	}
	b, res, err := read(t, p, consumer(2))
	if err != nil || res.HighWatermark != 6 || res.LastStableOffset != 6 || res.LogStartOffset != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	var batches []string
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.CheckCRC(); err != nil {
			t.Error(err)
		}
		batches = append(batches, fmt.Sprint(batch.BaseOffset(), batch.LeaderEpoch(), batch.Count()))
		b = rest
	}
	if got := fmt.Sprint(batches); got != "[2 0 2 4 0 2]" {
		t.Errorf("batches %s", got)
	}
	if b, _, err := read(t, p, consumer(6)); err != nil || len(b) != 0 {
		t.Errorf("at the end: %d bytes, %v", len(b), err)
	}
	for _, o := range []kafka.Offset{-1, 7} {
		if _, _, err := read(t, p, consumer(o)); !errors.Is(err, kerr.OffsetOutOfRange) {
			t.Errorf("offset %d: %v", o, err)
		}
	}
	small := consumer(2)
	small.MaxBytes = 10
	if b, _, err := read(t, p, small); err != nil || len(b) != 95 {
		t.Errorf("at least one batch: %d bytes, %v", len(b), err)
	}
	small.AtLeastOne = false
	if b, _, err := read(t, p, small); err != nil || len(b) != 0 {
		t.Errorf("half a batch: %d bytes, %v", len(b), err)
	}
	small.MaxBytes = -1
	if _, res, err := read(t, p, small); !errors.Is(err, kerr.UnknownServerError) || res.HighWatermark != kafka.NoOffset {
		t.Errorf("negative size: %+v, %v", res, err)
	}
	if other := w.get("t", 1); other.LogEndOffset() != 0 {
		t.Error("the other partition got records")
	}
}

func TestReadIsFenced(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	w.mustAppend(p, 5)
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 0, Leader: 1, ISR: []int32{1}})
	w.mustAppend(p, 5)
	epoch := p.Leadership().LeaderEpoch
	if epoch != 1 {
		t.Fatalf("epoch %d", epoch)
	}
	f := func(what string, change func(*ReadRequest), want error) ReadResult {
		t.Helper()
		r := consumer(5)
		change(&r)
		_, res, err := read(t, p, r)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		return res
	}
	f("current epoch", func(r *ReadRequest) { r.CurrentLeaderEpoch = 1 }, nil)
	f("old epoch", func(r *ReadRequest) { r.CurrentLeaderEpoch = 0 }, kerr.FencedLeaderEpoch)
	f("future epoch", func(r *ReadRequest) { r.CurrentLeaderEpoch = 2 }, kerr.UnknownLeaderEpoch)
	f("fetched the old epoch", func(r *ReadRequest) { r.LastFetchedEpoch = 0 }, nil)
	res := f("diverged", func(r *ReadRequest) { r.Offset, r.LastFetchedEpoch = 7, 0 }, nil)
	if want := (EpochEnd{Epoch: 0, End: 5}); !res.Diverges || res.Diverging != want {
		t.Errorf("diverging %+v, want %+v", res.Diverging, want)
	}
	f("an epoch from nowhere", func(r *ReadRequest) { r.LastFetchedEpoch = 9 }, kerr.OffsetOutOfRange)
	for asked, want := range map[kafka.LeaderEpoch]EpochEnd{0: {0, 5}, 1: {1, 10}, 5: {kafka.NoEpoch, kafka.NoOffset}} {
		if got, err := p.EpochEnd(kafka.NoEpoch, asked, false); err != nil || got != want {
			t.Errorf("end of epoch %d: %+v, %v", asked, got, err)
		}
	}
}

func TestNotTheLeader(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	first := w.mustAppend(p, 1)
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 0, Leader: -1})
	if _, err := w.append(p, data(t, 1)); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Error(err)
	}
	if _, _, err := read(t, p, consumer(0)); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Error(err)
	}
	if err := p.Acked(first.End, first.LeaderEpoch); !errors.Is(err, kerr.NotLeaderForPartition) {
		t.Error(err)
	}
	any := consumer(0)
	any.AnyReplica = true
	if b, _, err := read(t, p, any); err != nil || len(b) == 0 {
		t.Errorf("a follower may answer consumers: %v", err)
	}
}

func TestMinInSyncReplicas(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.config = func(c *Config) { c.MinInSyncReplicas = 2 }
	w.create("lonely", 1)
	if _, err := w.append(w.get("lonely", 0), data(t, 1)); err != nil {
		t.Errorf("one replica can't be two in sync, as in Kafka: %v", err)
	}
	w.apply(&schema.TopicRecord{Name: "pair", TopicID: topicID("pair")},
		&schema.PartitionRecord{TopicID: topicID("pair"), Replicas: []int32{1, 2}, ISR: []int32{1}, Leader: 1})
	p := w.get("pair", 0)
	r, err := w.append(p, data(t, 1))
	if !errors.Is(err, kerr.NotEnoughReplicas) || r.BaseOffset != kafka.NoOffset || r.LogStartOffset != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := p.Append(AppendRequest{Records: data(t, 1), RequiredAcks: 1, Now: w.now}); err != nil {
		t.Errorf("acks=1 does not care: %v", err)
	}
	if hw := p.HighWatermark(); hw != 0 {
		t.Errorf("high watermark %d: nothing is committed while fewer are in sync than the minimum (KIP-966)", hw)
	}
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("pair"), PartitionID: 0, Leader: -2, ISR: []int32{1, 2}})
	r, err = w.append(p, data(t, 1))
	if err != nil || r.Committed || p.HighWatermark() != 0 {
		t.Errorf("the other replica has not fetched: %+v, high watermark %d, %v", r, p.HighWatermark(), err)
	}
	if err := p.Acked(r.End, r.LeaderEpoch); !errors.Is(err, kerr.RequestTimedOut) {
		t.Error(err)
	}
}

func TestIdempotence(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	first, err := w.append(p, data(t, 3, idempotent(0)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.append(p, data(t, 3, idempotent(0)))
	if err != nil || !again.Duplicate || again.BaseOffset != first.BaseOffset || again.End != first.End || !again.Committed || p.LogEndOffset() != 3 {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := w.append(p, data(t, 1, idempotent(9))); !errors.Is(err, kerr.OutOfOrderSequenceNumber) {
		t.Error(err)
	}
	active, err := p.Producers()
	if err != nil || len(active) != 1 || active[0].LastSequence != 2 {
		t.Errorf("%+v, %v", active, err)
	}
}

func TestRefusedRecords(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	f := func(what string, batch []byte, want error, logStart kafka.Offset) {
		t.Helper()
		r, err := w.append(p, batch)
		if !errors.Is(err, want) || r.LogStartOffset != logStart || r.BaseOffset != kafka.NoOffset {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
	flipped := data(t, 1)
	flipped[len(flipped)-1] ^= 1
	f("bad crc", flipped, kerr.CorruptMessage, kafka.NoOffset)
	f("control", data(t, 1, func(o *record.Options) { o.Control = true }), kerr.InvalidRecord, 0)
	f("huge", data(t, 200_000), kerr.MessageTooLarge, kafka.NoOffset)
	w.config = func(c *Config) { c.Log.SegmentBytes = 100 }
	w.configure("t", "segment.bytes", "100")
	f("more than a segment", data(t, 20), kerr.RecordListTooLarge, kafka.NoOffset)
	if p.LogEndOffset() != 0 {
		t.Error("something was stored")
	}
}

func TestConfigChangesApply(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	w.configure("t", "message.timestamp.type", "LogAppendTime")
	r := w.mustAppend(p, 1)
	if r.LogAppendTime != w.now.UnixMilli() {
		t.Errorf("append time %d", r.LogAppendTime)
	}
	b, _, _ := read(t, p, consumer(0))
	if batch := record.Batch(b); batch.TimestampType() != kafka.LogAppendTime || batch.CheckCRC() != nil {
		t.Error("the batch does not say so")
	}
	w.configure("t", "cleanup.policy", "compact")
	if _, err := p.DeleteRecords(1); !errors.Is(err, kerr.PolicyViolation) {
		t.Error(err)
	}
}

func TestOffsetLookups(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	f := func(timestamp int64, want FoundOffset) {
		t.Helper()
		got, err := p.OffsetFor(OffsetRequest{Timestamp: timestamp, Isolation: kafka.HighWatermark, CurrentLeaderEpoch: kafka.NoEpoch})
		if err != nil || got != want {
			t.Errorf("%d: %+v, want %+v, %v", timestamp, got, want, err)
		}
	}
	const base = 1_700_000_000_000
	f(LatestTimestamp, FoundOffset{0, -1, 0})
	f(EarliestTimestamp, FoundOffset{0, -1, 0})
	f(MaxTimestamp, foundNothing)
	f(base, foundNothing)
	w.mustAppend(p, 10)
	f(LatestTimestamp, FoundOffset{10, -1, 0})
	f(EarliestTimestamp, FoundOffset{0, -1, 0})
	f(MaxTimestamp, FoundOffset{9, base + 9, 0})
	f(base+4, FoundOffset{4, base + 4, 0})
	f(base+10, foundNothing)
	f(0, FoundOffset{0, base, 0})
	f(LatestTieredTimestamp, foundNothing)
	f(EarliestPendingTimestamp, foundNothing)
	if low, err := p.DeleteRecords(6); err != nil || low != 6 {
		t.Fatal(low, err)
	}
	f(EarliestTimestamp, FoundOffset{6, -1, 0})
	f(EarliestLocalTimestamp, FoundOffset{6, -1, 0})
	f(0, FoundOffset{6, base + 6, 0})
}

func TestDeleteRecords(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	w.mustAppend(p, 10)
	for _, bad := range []kafka.Offset{-2, 11} {
		if _, err := p.DeleteRecords(bad); !errors.Is(err, kerr.OffsetOutOfRange) {
			t.Errorf("up to %d: %v", bad, err)
		}
	}
	for _, c := range []struct{ upTo, low kafka.Offset }{{4, 4}, {2, 4}, {-1, 10}} {
		if low, err := p.DeleteRecords(c.upTo); err != nil || low != c.low {
			t.Errorf("up to %d: %d, %v", c.upTo, low, err)
		}
	}
	if _, _, err := read(t, p, consumer(9)); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Errorf("below the log start: %v", err)
	}
}

// A deletion that was kept outlives the process and the machine; many take one write, and what is kept none.
func TestDeletionsAreKept(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 11))
		disk := vfs.NewCrash()
		writes := 0
		w := newWorld(t, vfs.NewFaulty(disk, func(op vfs.Op) error {
			if op.Kind == vfs.OpRename && strings.HasSuffix(op.To, checkpoint.LogStart) {
				writes++
			}
			return nil
		}), "/a")
		if err := disk.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
		w.create("t", 8)
		writes = 0
		for i := range int32(8) {
			w.mustAppend(w.get("t", i), 10)
			if _, err := w.get("t", i).DeleteRecords(kafka.Offset(i)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			for i := range int32(8) {
				if err := w.get("t", i).KeepLogStart(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if writes != 1 {
			t.Errorf("%d writes for 8 partitions", writes)
		}
		w.fs = disk.CrashClone(r, []int{0, 50, 100}[seed%3])
		w.open(false)
		for i := range int32(8) {
			p := w.get("t", i)
			if p.LogStartOffset() != kafka.Offset(i) || p.LogEndOffset() < kafka.Offset(i) {
				t.Fatalf("seed %d: log %d-%d after a deletion up to %d", seed, p.LogStartOffset(), p.LogEndOffset(), i)
			}
		}
	}
}

// A deletion that the disk does not take is none, and is not acknowledged.
func TestDeletionThatIsNotKept(t *testing.T) {
	full := false
	w := newWorld(t, vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
		if full && op.Kind == vfs.OpWrite {
			return vfs.ErrNoSpace
		}
		return nil
	}), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	w.mustAppend(p, 10)
	full = true
	if _, err := p.DeleteRecords(5); err != nil {
		t.Fatal(err)
	}
	if err := p.KeepLogStart(); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("kept on a full disk: %v", err)
	}
	full = false
	if err := p.KeepLogStart(); err != nil {
		t.Errorf("not kept when there is space again: %v", err)
	}
}

func TestWaitsAreWoken(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	purg := purgatory.NewPurgatory(func() time.Time { return w.now })
	woken := 0
	wait := func(bound purgatory.Bound) {
		f := purgatory.New(purgatory.Bytes, 1, 1, w.now.Add(time.Minute), func(bool) { woken++ })
		f.Watch(p.Watchers(), bound, p.LogEndOffset())
		purg.Start(f)
	}
	wait(purgatory.HighWatermark)
	wait(purgatory.LastStable)
	wait(purgatory.LogEnd)
	if woken != 0 {
		t.Fatal("woken by nothing")
	}
	w.mustAppend(p, 1)
	if woken != 3 {
		t.Errorf("an append woke %d of 3", woken)
	}
	wait(purgatory.HighWatermark)
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), PartitionID: 0, Leader: -1})
	if woken != 4 {
		t.Error("lost leadership wakes nobody")
	}
}

// A write is told that its leadership is over also when that came between the append and the watch.
func TestLostBeforeItIsWatched(t *testing.T) {
	for _, change := range []schema.PartitionChangeRecord{
		{Leader: 2, ISR: []int32{1, 2}}, // another leader
		{Leader: 1},                     // the same, in a new epoch
		{Leader: 2, Replicas: []int32{2}, ISR: []int32{2}, Directories: []kafka.UUID{{}}}, // and the partition leaves this node
	} {
		w := newWorld(t, vfs.NewMem(), "/a")
		w.apply(&schema.TopicRecord{Name: "t", TopicID: topicID("t")}, &schema.PartitionRecord{
			TopicID: topicID("t"), Replicas: []int32{1, 2}, ISR: []int32{1, 2}, Leader: 1, Directories: []kafka.UUID{{}, {}},
		})
		p := w.get("t", 0)
		res, err := p.Append(AppendRequest{Records: data(t, 1), RequiredAcks: -1, Origin: kafka.FromClient, Now: w.now})
		if err != nil || res.Committed {
			t.Fatalf("%+v, %v", res, err)
		}
		change.TopicID = topicID("t")
		w.apply(&change)
		over := false
		wait := purgatory.New(purgatory.Each, 1, 0, w.now.Add(time.Minute), func(bool) { over = true })
		p.WatchAcked(wait, res.End, res.LeaderEpoch)
		purgatory.NewPurgatory(func() time.Time { return w.now }).Start(wait)
		if !over {
			t.Errorf("%+v: it waits on", change)
		}
		if err := p.Acked(res.End, res.LeaderEpoch); !errors.Is(err, kerr.NotLeaderForPartition) {
			t.Errorf("%+v: %v", change, err)
		}
	}
}

// TestConcurrentAppendsAndReads checks that offsets are dense and that bounds never contradict each other.
func TestConcurrentAppendsAndReads(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	const writers, each = 4, 100
	var group sync.WaitGroup
	seen := make([][]kafka.Offset, writers)
	for i := range writers {
		group.Go(func() {
			for range each {
				r, err := p.Append(AppendRequest{Records: data(t, 3), RequiredAcks: -1, Now: w.now})
				if err != nil {
					t.Error(err)
					return
				}
				seen[i] = append(seen[i], r.BaseOffset)
			}
		})
	}
	group.Go(func() {
		next := kafka.Offset(0)
		for next < writers*each*3 {
			res, err := p.Read(consumer(next))
			if err != nil {
				t.Error(err)
				return
			}
			if res.LastStableOffset > res.HighWatermark || res.HighWatermark > res.LogEndOffset {
				t.Errorf("bounds %d %d %d", res.LastStableOffset, res.HighWatermark, res.LogEndOffset)
			}
			var head [61]byte
			if n, _ := res.Span.ReadAt(head[:], 0); n == len(head) {
				if base := kafka.Offset(binary.BigEndian.Uint64(head[:])); base != next {
					t.Errorf("read offset %d at %d", base, next)
					return
				}
				next += 3
			}
			res.Span.Release()
		}
	})
	group.Wait()
	all := map[kafka.Offset]bool{}
	for _, offsets := range seen {
		for i, o := range offsets {
			if all[o] || o%3 != 0 || i > 0 && o <= offsets[i-1] {
				t.Fatalf("offset %d", o)
			}
			all[o] = true
		}
	}
	if len(all) != writers*each {
		t.Errorf("%d appends", len(all))
	}
}
