package partition

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// moving is a world with a mover.
type moving struct {
	*world
	mover *mover
}

func newMoving(t *testing.T, fs vfs.FS, dirs ...string) *moving {
	t.Helper()
	w := &moving{world: newWorld(t, fs, dirs...)}
	w.mover = &mover{m: w.m}
	if err := fs.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	w.apply(&schema.FeatureLevelRecord{Name: "metadata.version", FeatureLevel: 33}) // one that has directories
	return w
}

func (w *moving) reopen(clean bool) {
	w.t.Helper()
	w.open(clean)
	w.mover = &mover{m: w.m}
}

// placed makes a topic of one partition in a directory.
func (w *moving) placed(name string, dir int) *Partition {
	w.t.Helper()
	w.apply(&schema.TopicRecord{Name: name, TopicID: topicID(name)}, &schema.PartitionRecord{
		TopicID: topicID(name), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []kafka.UUID{w.dirs[dir].ID},
	})
	return w.get(name, 0)
}

// note has the metadata follow what the controller would be told.
func (w *moving) note() int {
	w.t.Helper()
	all := w.m.Misplaced()
	for _, p := range all {
		w.apply(&schema.PartitionChangeRecord{TopicID: p.Topic, PartitionID: p.Partition, Leader: -2, Directories: []kafka.UUID{p.Directory}})
	}
	return len(all)
}

// TestTheControllerIsToldAgain: what could not be told is kept, unless there is newer news of the replica.
func TestTheControllerIsToldAgain(t *testing.T) {
	m := &Manager{misplaced: map[Placement]kafka.UUID{}}
	a, b := Placement{Topic: topicID("a"), Directory: kafka.UUID{1}}, Placement{Topic: topicID("b"), Directory: kafka.UUID{1}}
	m.misplaced[a.replica()] = kafka.UUID{2}
	m.StillMisplaced([]Placement{a, b})
	if m.misplaced[a.replica()] != (kafka.UUID{2}) || m.misplaced[b.replica()] != b.Directory {
		t.Errorf("%v", m.misplaced)
	}
}

// settle steps and notes until no move is left.
func (w *moving) settle() {
	w.t.Helper()
	for range 1000 {
		w.mover.step(w.now)
		w.note()
		w.now = w.now.Add(100 * time.Millisecond)
		if len(w.m.moves) == 0 {
			return
		}
	}
	w.t.Fatal("the move does not end")
}

func (w *moving) alter(p *Partition, dir string) {
	w.t.Helper()
	if err := w.m.AlterDir(p.id, dir); err != nil {
		w.t.Fatal(err)
	}
}

// kinds lists the folders of a directory, ids left out.
func (w *moving) kinds(dir string) string {
	w.t.Helper()
	var out []string
	for _, name := range w.folders(dir) {
		if dot := strings.IndexByte(name, '.'); dot >= 0 {
			name = name[:dot] + name[dot+33:]
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestMove(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b")
	p := w.placed("t", 0)
	for i := range 5 {
		if _, err := w.append(p, data(t, 2, idempotent(int32(2*i)))); err != nil {
			t.Fatal(err)
		}
	}
	w.apply(&schema.PartitionChangeRecord{TopicID: topicID("t"), Leader: 1, ISR: []int32{1}}) // an epoch without a record
	if _, err := p.DeleteRecords(3); err != nil {
		t.Fatal(err)
	}
	want := w.values(p)
	w.alter(p, "/b")
	if dir, size, lag, ok := p.Moving(); dir != w.dirs[1].ID || size != 0 || lag != 10 || !ok {
		t.Errorf("before the first step: %v, %d bytes, %d behind, %v", dir, size, lag, ok)
	}
	w.mover.step(w.now)
	if _, size, lag, ok := p.Moving(); size == 0 || lag != 0 || !ok {
		t.Errorf("after a step: %d bytes, %d behind, %v", size, lag, ok)
	}
	if got := w.kinds("/a") + ", " + w.kinds("/b"); got != "t-0, t-0-future" {
		t.Errorf("while it is copied: %s", got)
	}
	w.mover.step(w.now)
	if got := w.m.misplaced; !maps.Equal(got, map[Placement]kafka.UUID{{Topic: topicID("t")}: w.dirs[1].ID}) || p.Dir() != w.dirs[0].ID {
		t.Errorf("caught up: %v in %s", got, p.Dir())
	}
	if _, err := w.append(p, data(t, 2, idempotent(10))); err != nil { // while the controller thinks
		t.Fatal(err)
	}
	epoch, _ := p.EpochEnd(-1, 1, false)
	w.note()
	w.mover.step(w.now) // the record
	w.mover.step(w.now) // the swap
	if _, _, _, ok := p.Moving(); ok || p.Dir() != w.dirs[1].ID {
		t.Fatalf("not swapped: in %s", p.Dir())
	}
	if got := w.kinds("/a") + ", " + w.kinds("/b"); got != "t-0-delete, t-0" {
		t.Errorf("after the swap: %s", got)
	}
	if got := w.values(p); got != want+" 10+2" || p.LogStartOffset() != 3 || p.HighWatermark() != 12 {
		t.Errorf("moved: %s from %d to %d", got, p.LogStartOffset(), p.HighWatermark())
	}
	if again, _ := p.EpochEnd(-1, 1, false); again != epoch {
		t.Errorf("epoch 1 ends at %v, before at %v", again, epoch)
	}
	if r, err := w.append(p, data(t, 2, idempotent(10))); err != nil || !r.Duplicate {
		t.Errorf("a retry after the move: %+v, %v", r, err)
	}
	w.mustAppend(p, 1)
	w.now = w.now.Add(2 * time.Minute)
	w.m.step(w.now)
	if got := w.kinds("/a"); got != "" {
		t.Errorf("left behind: %s", got)
	}
	w.reopen(false) // the process dies
	if p = w.get("t", 0); p.LogStartOffset() != 3 || p.LogEndOffset() != 13 || p.Dir() != w.dirs[1].ID || len(w.m.Misplaced()) != 0 {
		t.Errorf("after a restart: %s in %s", p, p.Dir())
	}
}

func TestMoveIsGivenUp(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b", "/c")
	p := w.placed("t", 0)
	w.mustAppend(p, 5)
	w.alter(p, "/b")
	w.mover.step(w.now)
	w.alter(p, "/b") // once more changes nothing
	w.mover.step(w.now)
	w.note() // the metadata says /b
	w.alter(p, "/a")
	w.settle()
	if got := w.kinds("/a") + ", " + w.kinds("/b"); got != "t-0, t-0-delete" || w.m.notedIn(p) != w.dirs[0].ID {
		t.Errorf("%s; the metadata says %s", got, w.m.notedIn(p))
	}
	w.alter(p, "/b")
	w.mover.step(w.now)
	w.alter(p, "/c") // another one on the way
	w.settle()
	if got := w.kinds("/a") + ", " + w.kinds("/b") + ", " + w.kinds("/c"); got != "t-0-delete, t-0-delete t-0-delete, t-0" || w.m.notedIn(p) != w.dirs[2].ID {
		t.Errorf("%s; the metadata says %s", got, w.m.notedIn(p))
	}
	w.alter(p, "/a")
	w.mover.step(w.now)
	w.apply(&schema.RemoveTopicRecord{TopicID: topicID("t")})
	w.settle()
	if got := w.kinds("/a") + ", " + w.kinds("/c"); got != "t-0-delete t-0-delete, t-0-delete" {
		t.Errorf("after the topic: %s", got)
	}
}

func TestMoveErrors(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b", "/c")
	w.placed("t", 0)
	w.m.o.Cordoned = func(dir string) bool { return dir == "/c" }
	w.apply(&schema.TopicRecord{Name: "elsewhere", TopicID: topicID("elsewhere")},
		&schema.PartitionRecord{TopicID: topicID("elsewhere"), Replicas: []int32{2}, ISR: []int32{2}, Leader: 2, Directories: []kafka.UUID{{9}}})
	f := func(topic, dir string, want error) {
		t.Helper()
		if err := w.m.AlterDir(kafka.TopicPartition{Topic: topic}, dir); !errors.Is(err, want) {
			t.Errorf("%s to %s: %v, want %v", topic, dir, err, want)
		}
	}
	f("t", "/d", kerr.LogDirNotFound)
	f("t", "/b/", kerr.LogDirNotFound)
	f("t", "/c", kerr.InvalidReplicaAssignment)
	f("none", "/b", kerr.UnknownTopicOrPartition)
	f("elsewhere", "/b", kerr.ReplicaNotAvailable)
	f(strings.Repeat("x", 214), "/b", kerr.InvalidTopicException)
	f(strings.Repeat("x", 213), "/b", kerr.UnknownTopicOrPartition)
	// What was asked for too early holds when the partition comes.
	w.create("none", 1)
	w.mustAppend(w.get("none", 0), 1)
	if got := w.kinds("/b"); got != "none-0" {
		t.Errorf("in /b: %s", got)
	}
	w.m.dirs[2].fail(syscall.EIO)
	f("t", "/c", kerr.KafkaStorageError)
	f("t", "/b", kerr.KafkaStorageError) // the directory that failed may have a future log of it
	f("t", "/a", nil)
	w.m.dirs[0].fail(syscall.EIO)
	f("t", "/b", kerr.KafkaStorageError)
}

func TestMoveRate(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b")
	p := w.placed("t", 0)
	for range 20 {
		w.mustAppend(p, 100)
	}
	size, begin := p.Size(), w.now
	w.m.SetMoveRate(0)
	w.alter(p, "/b")
	if w.mover.step(w.now) != stallLimit || w.mover.step(w.now.Add(time.Hour)) != stallLimit {
		t.Error("a rate of 0 does not hold the move up")
	}
	w.m.SetMoveRate(size / 10)
	for range 100 {
		wait := w.mover.step(w.now)
		if _, _, lag, _ := p.Moving(); lag == 0 {
			break
		}
		w.now = w.now.Add(wait)
	}
	if took := w.now.Sub(begin); took < 9*time.Second || took > 11*time.Second {
		t.Errorf("took %v for 10 s", took)
	}
	w.m.SetMoveRate(math.MaxInt64)
	w.settle()
}

// TestMoveRateRaised: a rate that was set by mistake is undone by setting another one.
func TestMoveRateRaised(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b")
	p := w.placed("t", 0)
	for range 20 {
		w.mustAppend(p, 100)
	}
	w.m.SetMoveRate(1)
	w.alter(p, "/b")
	for range 3 {
		w.mover.step(w.now)
	}
	_, _, before, _ := p.Moving()
	w.m.SetMoveRate(math.MaxInt64)
	w.mover.step(w.now)
	if _, _, after, _ := p.Moving(); before == 0 || after >= before {
		t.Errorf("%d behind at the low rate, %d at the high one", before, after)
	}
	w.settle()
}

// TestMoveOfABusyLog moves while records come and go.
func TestMoveOfABusyLog(t *testing.T) {
	w := newMoving(t, vfs.NewMem(), "/a", "/b")
	w.config = func(c *Config) { c.Log.SegmentBytes = 2000 }
	p := w.placed("t", 0)
	for i := range 40 {
		w.mustAppend(p, 10)
		if i == 20 {
			w.alter(p, "/b")
			w.m.SetMoveRate(1)
		}
		if i > 20 {
			w.mover.step(w.now)
			w.now = w.now.Add(time.Hour)
		}
		if i == 30 {
			if _, err := p.DeleteRecords(305); err != nil { // beyond what was copied, within a batch
				t.Fatal(err)
			}
			if err := p.retain(w.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.m.SetMoveRate(math.MaxInt64)
	w.settle()
	if p.Dir() != w.dirs[1].ID || p.LogStartOffset() != 305 || p.LogEndOffset() != 400 || !strings.HasPrefix(w.values(p), "300+10 310+10") {
		t.Errorf("%s in %s: %s", p, p.Dir(), w.values(p))
	}
	w.reopen(false)
	if p = w.get("t", 0); p.LogStartOffset() != 305 || p.LogEndOffset() != 400 {
		t.Errorf("after a restart: %s", p)
	}
}

// TestMoveToABadDirectory has the new directory fail at each operation in turn: the partition stays where it is, or is offline in the new one
// if that fails after the swap.
func TestMoveToABadDirectory(t *testing.T) {
	for nth := 1; ; nth++ {
		seen, armed := 0, false
		faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
			if armed && strings.HasPrefix(op.Name, "/b") {
				if seen++; seen >= nth {
					return syscall.EIO
				}
			}
			return nil
		})
		w := newMoving(t, faulty, "/a", "/b")
		p := w.placed("t", 0)
		w.mustAppend(p, 5)
		armed = true
		w.alter(p, "/b")
		w.settle()
		if seen < nth {
			if p.Dir() != w.dirs[1].ID || nth < 10 {
				t.Errorf("%d operations, in %s", nth, p.Dir())
			}
			return
		}
		_, err := w.append(p, data(t, 1))
		if p.Dir() == w.dirs[0].ID && err != nil || p.Dir() == w.dirs[1].ID && !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("operation %d: in %s, %v", nth, p.Dir(), err)
		}
		w.note()
		if noted := w.m.notedIn(p); noted != p.Dir() || p.move.Load() != nil {
			t.Errorf("operation %d: in %s, and the metadata says in %s", nth, p.Dir(), noted)
		}
		if w.m.dirs[0].failure() != nil || w.m.dirs[1].failure() == nil {
			t.Errorf("operation %d: failed are %s", nth, w.failed)
		}
	}
}

func TestMoveWaitsForSpace(t *testing.T) {
	full := true
	faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
		if full && op.Kind == "write" && strings.HasPrefix(op.Name, "/b/") && strings.HasSuffix(op.Name, ".log") {
			return vfs.ErrNoSpace
		}
		return nil
	})
	w := newMoving(t, faulty, "/a", "/b")
	p := w.placed("t", 0)
	w.mustAppend(p, 5)
	w.alter(p, "/b")
	if wait := w.mover.step(w.now); wait != fullPause || len(w.failed) != 0 {
		t.Fatalf("waits %v, %v", wait, w.failed)
	}
	full = false
	w.now = w.now.Add(fullPause)
	w.settle()
	if p.Dir() != w.dirs[1].ID || p.LogEndOffset() != 5 {
		t.Errorf("%s in %s", p, p.Dir())
	}
}

// TestMoveCrash cuts the power, or kills the process, before each operation on the disk of a whole move, and goes on from there. What was
// synced, and after the death of a process all, is there once and in one directory, and the move ends.
func TestMoveCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, keep := range []int{0, 50, 100} {
		type point struct {
			disk  *vfs.Mem
			image int // records applied
			end   kafka.Offset
		}
		disk := vfs.NewCrash()
		var points []point
		var p *Partition
		var w *moving
		armed := false
		faulty := vfs.NewFaulty(disk, func(op vfs.Op) error {
			if armed && op.Kind != vfs.OpRead {
				points = append(points, point{disk.CrashClone(rng, keep), int(w.offset), p.LogEndOffset()})
			}
			return nil
		})
		w = newMoving(t, faulty, "/a", "/b")
		p = w.placed("t", 0)
		for range 4 {
			w.mustAppend(p, 3)
		}
		if _, err := p.DeleteRecords(4); err != nil {
			t.Fatal(err)
		}
		w.m.flush(w.m.sorted())
		w.m.writeRecoveryPoints()
		before := w.image
		armed = true
		w.alter(p, "/b")
		w.mover.step(w.now)
		w.mover.step(w.now)
		w.mustAppend(p, 2)
		w.note()
		after := w.image
		w.settle()
		armed = false
		if len(points) < 20 {
			t.Fatalf("only %d operations", len(points))
		}
		for i, at := range points {
			if t.Failed() {
				return
			}
			v := &moving{world: &world{t: t, fs: at.disk, now: w.now, dirs: w.dirs, image: before, offset: w.offset}}
			if at.image == int(w.offset) {
				v.image = after
			}
			v.reopen(false)
			p := v.get("t", 0)
			if p.LogStartOffset() != 4 || p.LogEndOffset() < 12 || keep == 100 && p.LogEndOffset() != at.end {
				t.Errorf("keep %d, operation %d: %s in %s, was %d", keep, i, p, p.Dir(), at.end)
			}
			want := p.LogEndOffset()
			v.note()
			v.settle2()
			v.mustAppend(p, 1)
			if p.LogEndOffset() != want+1 || p.LogStartOffset() != 4 || v.m.notedIn(p) != p.Dir() || v.logs() != 1 {
				t.Errorf("keep %d, operation %d: %s in %s, noted in %s, folders %s and %s", keep, i, p, p.Dir(), v.m.notedIn(p), v.kinds("/a"), v.kinds("/b"))
			}
		}
	}
}

// settle2 is settle where there may be nothing to do.
func (w *moving) settle2() {
	if len(w.m.moves) > 0 {
		w.settle()
	}
	w.note()
}

// logs counts the folders that are a partition or will be one.
func (w *moving) logs() int {
	n := 0
	for _, name := range strings.Fields(w.kinds("/a") + " " + w.kinds("/b")) {
		if !strings.HasSuffix(name, "-delete") {
			n++
		}
	}
	return n
}

// TestMoveRestarts stops the node in the middle and goes on after the start, cleanly or not.
func TestMoveRestarts(t *testing.T) {
	for _, clean := range []bool{true, false} {
		w := newMoving(t, vfs.NewMem(), "/a", "/b")
		p := w.placed("t", 0)
		for range 10 {
			w.mustAppend(p, 10)
		}
		w.m.SetMoveRate(100)
		w.alter(p, "/b")
		w.mover.step(w.now)
		_, copied, _, _ := p.Moving()
		if clean {
			w.close()
		}
		w.reopen(clean)
		p = w.get("t", 0)
		w.m.SetMoveRate(0)
		w.mover.step(w.now)
		if _, size, lag, ok := p.Moving(); !ok || size != copied || lag != 90 || p.Dir() != w.dirs[0].ID {
			t.Errorf("clean %v: %d of %d bytes are there, %d behind", clean, size, copied, lag)
		}
		w.m.SetMoveRate(math.MaxInt64)
		w.settle()
		if p.Dir() != w.dirs[1].ID || p.LogEndOffset() != 100 {
			t.Errorf("clean %v: %s in %s", clean, p, p.Dir())
		}
	}
}

// TestFutureWithoutALog starts with the old disk gone: where the metadata has the new directory and all directories are there, what was
// copied is the partition; otherwise nothing is touched.
func TestFutureWithoutALog(t *testing.T) {
	for _, noted := range []bool{true, false} {
		w := newMoving(t, vfs.NewMem(), "/a", "/b")
		p := w.placed("t", 0)
		w.mustAppend(p, 5)
		w.alter(p, "/b")
		w.mover.step(w.now)
		w.mover.step(w.now)
		if noted {
			w.note()
		}
		w.close()
		if err := vfs.RemoveAll(w.fs, "/a/t-0"); err != nil {
			t.Fatal(err)
		}
		w.reopen(true)
		p = w.get("t", 0)
		if want := map[bool]kafka.Offset{true: 5, false: 0}[noted]; p.LogEndOffset() != want {
			t.Errorf("noted %v: %s in %s; %s, %s", noted, p, p.Dir(), w.kinds("/a"), w.kinds("/b"))
		}
	}
	w := newMoving(t, vfs.NewMem(), "/a", "/b")
	p := w.placed("t", 0)
	w.mustAppend(p, 5)
	w.alter(p, "/b")
	w.mover.step(w.now)
	w.mover.step(w.now)
	w.note()
	w.close()
	w.dirs[0].Err = syscall.EIO
	w.reopen(false)
	if _, err := w.m.Get("t", 0); err == nil || w.kinds("/b") != "t-0-future" {
		t.Errorf("with the old directory offline: %v; %s", err, w.kinds("/b"))
	}
}

// TestMoveConcurrently moves a partition to and fro while it is written and read.
func TestMoveConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMoving(t, vfs.NewMem(), "/a", "/b")
		p := w.placed("t", 0)
		w.m.o.Now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { w.m.RunMoves(ctx) })
		all.Go(func() { w.m.Run(ctx) })
		all.Go(func() {
			for range 300 {
				if _, err := w.append(p, data(t, 1)); err != nil {
					t.Error(err)
				}
				<-time.After(10 * time.Millisecond)
			}
			cancel()
		})
		all.Go(func() {
			for ctx.Err() == nil {
				for from := kafka.Offset(0); from < p.HighWatermark(); from += 50 {
					if _, _, err := read(t, p, consumer(from)); err != nil {
						t.Error(err)
					}
				}
				if _, err := p.OffsetFor(OffsetRequest{Timestamp: MaxTimestamp, CurrentLeaderEpoch: -1}); err != nil {
					t.Error(err)
				}
				<-time.After(7 * time.Millisecond)
			}
		})
		moves, at := 0, p.Dir()
		for i := 0; ctx.Err() == nil; i++ {
			if i%10 == 0 {
				w.alter(p, []string{"/b", "/a"}[i/10%2])
			}
			<-time.After(20 * time.Millisecond)
			w.note()
			if p.Dir() != at {
				moves, at = moves+1, p.Dir()
			}
		}
		all.Wait()
		if moves < 3 || p.LogEndOffset() != 300 {
			t.Errorf("%d moves, %s", moves, p)
		}
		for from := kafka.Offset(0); from < 300; from++ {
			if b, _, err := read(t, p, consumer(from)); err != nil || len(b) == 0 {
				t.Errorf("offset %d: %d bytes, %v", from, len(b), err)
			}
		}
		w.close()
	})
}
