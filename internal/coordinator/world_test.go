package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/shard"
	"github.com/ottla/ottla/internal/vfs"
)

const (
	self  = kafka.NodeID(1)
	topic = "__notes"
)

var topicID = kafka.UUID{0: 0x70}

// note is a record of the core of the tests.
type note struct{ key, value string }

func (n note) AppendKey(b []byte) []byte { return append(b, n.key...) }

func (n note) AppendValue(b []byte) ([]byte, bool) {
	return append(b, n.value...), n.value != ""
}

// notes is a core that keeps what it is told. Its commands:
type notes struct {
	world *world
	kept  []string // key=value, in order
	alarm time.Time
	due   []shard.Ticket
}

type (
	add   []note                   // writes, and replies how many notes there are
	cut   []note                   // writes, with a cut after each
	list  struct{}                 // replies the notes
	hold  struct{ until chan int } // keeps the loop busy
	await struct{ after time.Duration }
)

func (n *notes) Parse(key, value []byte) (shard.Record, error) {
	n.world.parsing()
	switch string(key) {
	case "newer":
		return nil, nil
	case "damaged":
		return nil, errors.New("what is this")
	}
	return note{string(key), string(value)}, nil
}

func (n *notes) Replay(at kafka.Offset, r shard.Record) error {
	if r.(note).key == "contradiction" {
		return errors.New("that can't be")
	}
	n.kept = append(n.kept, fmt.Sprintf("%d:%s=%s", at, r.(note).key, r.(note).value))
	return nil
}

func (n *notes) Loaded(_ *shard.Turn, image *metadata.Image) {
	n.world.loads++
	n.world.images = append(n.world.images, image)
}

func (n *notes) Refresh(_ *shard.Turn, image *metadata.Image) {
	n.world.images = append(n.world.images, image)
}

func (n *notes) Handle(t *shard.Turn, ticket shard.Ticket, cmd any) {
	switch cmd := cmd.(type) {
	case add:
		for _, r := range cmd {
			t.Write(r)
		}
		t.Reply(ticket, len(n.kept))
	case cut:
		for _, r := range cmd {
			t.Write(r)
			t.Cut()
		}
		t.Reply(ticket, len(n.kept))
	case list:
		t.Reply(ticket, cmp.Or(strings.Join(n.kept, " "), "none"))
	case hold:
		<-cmd.until
		t.Reply(ticket, "held")
	case await:
		n.alarm, n.due = t.Now.Add(cmd.after), append(n.due, ticket)
	}
}

func (n *notes) Deadline() time.Time { return n.alarm }

func (n *notes) Expire(t *shard.Turn) {
	n.world.expiries++
	n.alarm = time.Time{}
	for _, ticket := range n.due {
		t.Reply(ticket, "expired")
	}
	n.due = nil
}

// world is a node with one topic of notes.
type world struct {
	t        *testing.T
	fs       vfs.FS
	m        *partition.Manager
	r        *Runtime
	waits    *purgatory.Purgatory
	image    *metadata.Image
	offset   kafka.Offset
	parsing  func()
	loads    int
	expiries int
	images   []*metadata.Image
}

// bubble runs f in a world of its own, whose clock stands still while anybody is busy. The partition is led by this node, and
// the other replicas have fetched nothing.
func bubble(t *testing.T, replicas []int32, f func(w *world)) {
	bubbleOn(t, vfs.NewMem(), replicas, f)
}

func bubbleOn(t *testing.T, fs vfs.FS, replicas []int32, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, fs: fs, image: metadata.Empty(), parsing: func() {}, waits: purgatory.NewPurgatory(time.Now)}
		if err := fs.Mkdir("/d"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go w.waits.Run(ctx)
		defer cancel()
		w.open()
		w.apply(&schema.TopicRecord{Name: topic, TopicID: topicID}, &schema.PartitionRecord{
			TopicID: topicID, Replicas: replicas, ISR: replicas, Leader: int32(self), Directories: make([]kafka.UUID, len(replicas)),
		})
		synctest.Wait()
		f(w)
		w.r.Stop()
	})
}

// open starts partitions and coordinators on what is on disk.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.m, err = partition.Open(partition.Options{
		Self: self, FS: w.fs, Dirs: []partition.Dir{{Path: "/d", ID: kafka.UUID{0: 0xd0}, Written: true}},
		Template: commitlog.Options{Cache: segment.NewCache(100, 1<<20)}, Now: time.Now,
		NewID: func() kafka.UUID { return kafka.UUID{0: 0xaa} },
		TopicConfig: func(string, map[string]string) partition.Config {
			return partition.Config{
				Log: commitlog.DefaultConfig(), MinInSyncReplicas: 1, MaxMessageBytes: 1 << 20, MaxDecompressed: 1 << 30,
				Level: compress.DefaultLevel, Deletable: true, FlushInterval: -1, TimestampBefore: -1, TimestampAfter: time.Hour,
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.r = NewRuntime(Options{
		Self: self, Topic: topic, NewCore: func() shard.Core { return &notes{world: w} }, Partitions: w.m, Purgatory: w.waits,
		LoadBytes: 1 << 10, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// reopen is open after the process was killed.
func (w *world) reopen() {
	w.t.Helper()
	w.open()
	delta := metadata.DeltaFromEmpty(w.image)
	w.m.Apply(delta, w.image)
	w.r.Apply(delta, w.image)
	synctest.Wait()
}

func (w *world) apply(records ...schema.MetadataRecord) {
	w.t.Helper()
	delta := metadata.NewDelta(w.image)
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
		w.offset++
	}
	w.image = delta.Apply(w.offset, 1, 0)
	w.m.Apply(delta, w.image)
	w.r.Apply(delta, w.image)
}

// lead makes a node the leader.
func (w *world) lead(id kafka.NodeID) {
	w.t.Helper()
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID, Leader: int32(id)})
	synctest.Wait()
}

// isr makes the in-sync replicas others.
func (w *world) isr(ids ...int32) {
	w.t.Helper()
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID, ISR: ids, Leader: -2})
}

func (w *world) log() *partition.Partition {
	w.t.Helper()
	p, err := w.m.Get(topic, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// asked is a command on its way.
type asked struct {
	w      *world
	mu     sync.Mutex // guards what follows
	answer string
	calls  int
}

func (w *world) submit(cmd any) *asked {
	a := &asked{w: w}
	w.r.Submit(0, cmd, func(resp any, err error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.calls++
		a.answer = fmt.Sprint(resp)
		if err != nil {
			a.answer, _, _ = strings.Cut(err.Error(), ":")
		}
	})
	return a
}

// is checks the answer when all is quiet; "" is none.
func (a *asked) is(want string) {
	a.w.t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answer != want || a.calls != min(len(want), 1) {
		a.w.t.Errorf("answered %q by %d calls, want %q", a.answer, a.calls, want)
	}
}

func (w *world) ask(cmd any, want string) {
	w.t.Helper()
	w.submit(cmd).is(want)
}

// batches are base offset and count of the batches in the log.
func (w *world) batches() string {
	w.t.Helper()
	var all []string
	p := w.log()
	for at := p.LogStartOffset(); at < p.LogEndOffset(); {
		res, err := p.Read(partition.ReadRequest{Offset: at, MaxBytes: 1 << 30, Isolation: kafka.LogEnd, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1})
		if err != nil {
			w.t.Fatal(err)
		}
		rest := make([]byte, res.Span.Len())
		if _, err := res.Span.ReadAt(rest, 0); err != nil {
			w.t.Fatal(err)
		}
		res.Span.Release()
		for len(rest) > 0 {
			var b record.Batch
			if b, rest, err = record.Next(rest); err != nil {
				w.t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%d+%d", b.BaseOffset(), b.Count()))
			at = b.NextOffset()
		}
	}
	return strings.Join(all, " ")
}

// write appends a batch past the coordinator.
func (w *world) write(change func(*record.Options), records ...note) {
	w.t.Helper()
	o := record.NewOptions(0, 0)
	change(&o)
	var b record.Builder
	b.Begin(o)
	for _, r := range records {
		b.Add(time.Now().UnixMilli(), []byte(r.key), []byte(r.value))
	}
	batch, err := b.AppendTo(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.appendRaw(batch)
}

func (w *world) appendRaw(batch []byte) {
	w.t.Helper()
	p := w.log()
	_, err := p.Append(partition.AppendRequest{
		Records: batch, RequiredAcks: -1, Origin: kafka.FromCoordinator, LeaderEpoch: p.Leadership().LeaderEpoch, Now: time.Now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass, and what is due then happen.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func plain(*record.Options) {}

// long is a value of n bytes.
func long(n int) string { return strings.Repeat("x", n) }

func repeated(n int, r note) []note { return slices.Repeat([]note{r}, n) }
