package metalog

import (
	"errors"
	"io"
	"log/slog"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/vfs/vfstest"
)

// cutLog is a log that notes what is dropped of it.
type cutLog struct {
	start, committed kafka.Offset
	reaped           int
	next             time.Time // that Reap returns
	fails            error
}

func (l *cutLog) SetLogStartOffset(start kafka.Offset) error {
	l.start = max(l.start, start)
	return l.fails
}

func (l *cutLog) Retain(_ time.Time, committed kafka.Offset) (int, error) {
	l.committed = committed
	return 0, l.fails
}

func (l *cutLog) Reap(time.Time) (time.Time, error) {
	l.reaped++
	return l.next, l.fails
}

// kept are the snapshots of a new folder, which write one for each 100 bytes, or each minute.
type kept struct {
	*Snapshots
	t   *testing.T
	fs  *vfs.Mem
	now time.Time
}

const folder = "/m"

func keep(t *testing.T) *kept {
	t.Helper()
	k := &kept{t: t, fs: vfs.NewMem(), now: time.UnixMilli(1_000_000)}
	if err := k.fs.Mkdir(folder); err != nil {
		t.Fatal(err)
	}
	k.open()
	return k
}

func (k *kept) open() {
	k.t.Helper()
	var err error
	k.Snapshots, err = OpenSnapshots(k.fs, folder, Pace{Bytes: 100, Interval: time.Minute}, slog.New(slog.DiscardHandler), k.now)
	if err != nil {
		k.t.Fatal(err)
	}
}

// at is an image with a topic for each of its records.
func at(end kafka.Offset) *metadata.Image {
	d := metadata.NewDelta(metadata.Empty())
	for i := range end {
		if err := d.Replay(&schema.TopicRecord{Name: "t" + string(rune('a'+i)), TopicID: kafka.UUID{1, byte(i)}}); err != nil {
			panic(err)
		}
	}
	return d.Apply(end-1, 1, 0)
}

func (k *kept) write(id SnapshotID) {
	k.t.Helper()
	image := at(id.EndOffset)
	if err := WriteSnapshot(k.fs, folder, id, 1, 2, Voters{KRaft: 1, Set: []Voter{{ID: 7}}}, image.Records); err != nil {
		k.t.Fatal(err)
	}
}

// snapshot writes one of an image that ends at end, which must be due.
func (k *kept) snapshot(end kafka.Offset) {
	k.t.Helper()
	id, due := k.Begin(at(end), k.now)
	if !due {
		k.t.Fatalf("no snapshot is due at %d", end)
	}
	k.write(id)
	if !k.Wrote(id, nil, k.now) {
		k.t.Fatalf("%v is not the newest", id)
	}
}

func (k *kept) names() []SnapshotID {
	k.t.Helper()
	ids, err := ListSnapshots(k.fs, folder)
	if err != nil {
		k.t.Fatal(err)
	}
	return ids
}

func TestDue(t *testing.T) {
	k := keep(t)
	begin := k.now
	if _, due := k.Due(5); due {
		t.Error("a snapshot of nothing is due")
	}
	k.Logged(99)
	if when, due := k.Due(5); !due || !when.Equal(begin.Add(time.Minute)) {
		t.Errorf("after little: %v, %t", when, due)
	}
	if _, due := k.Begin(at(5), begin); due {
		t.Error("begun before its time")
	}
	k.Logged(1)
	if when, due := k.Due(5); !due || !when.Equal(begin) {
		t.Errorf("after much: %v, %t", when, due)
	}
	id, due := k.Begin(at(5), begin)
	if !due || id != (SnapshotID{5, 1}) || !k.Writing() {
		t.Fatalf("%v, %t", id, due)
	}
	k.Logged(30)
	if _, due := k.Due(6); due {
		t.Error("two at once")
	}
	if k.now = k.now.Add(time.Second); !k.Wrote(id, nil, k.now) || k.Newest() != id || k.Writing() {
		t.Errorf("the newest is %v", k.Newest())
	}
	if when, due := k.Due(6); !due || !when.Equal(k.now.Add(time.Minute)) {
		t.Errorf("what was logged meanwhile: %v, %t", when, due)
	}
	if _, due := k.Due(5); due {
		t.Error("a snapshot of what the newest has is due")
	}
}

// TestNotWritten: a disk that is full is not asked again and again, and the snapshot comes when its time has passed.
func TestNotWritten(t *testing.T) {
	k := keep(t)
	k.Logged(1000)
	id, _ := k.Begin(at(5), k.now)
	if k.Wrote(id, errors.New("full"), k.now) || k.Newest() != (SnapshotID{}) {
		t.Fatalf("the newest is %v", k.Newest())
	}
	if when, due := k.Due(5); !due || !when.Equal(k.now.Add(time.Minute)) {
		t.Errorf("due again at %v, %t", when, due)
	}
}

// TestOvertaken: one that came from the leader while an older one was written stays the newest.
func TestOvertaken(t *testing.T) {
	k := keep(t)
	k.Logged(1000)
	id, _ := k.Begin(at(5), k.now)
	k.Took(SnapshotID{9, 2}, k.now)
	if k.Wrote(id, nil, k.now) || k.Newest() != (SnapshotID{9, 2}) {
		t.Errorf("the newest is %v", k.Newest())
	}
	if _, due := k.Due(20); due {
		t.Error("due with nothing logged")
	}
}

// TestDrop: two snapshots stay, the log begins where the older one ends, and files go when their time has come.
func TestDrop(t *testing.T) {
	k := keep(t)
	log := &cutLog{}
	for _, end := range []kafka.Offset{3, 6, 9} {
		k.Logged(100)
		k.snapshot(end)
		if err := k.Drop(log, end+1, k.now); err != nil {
			t.Fatal(err)
		}
	}
	if got := k.names(); !slices.Equal(got, []SnapshotID{{6, 1}, {9, 1}}) || log.start != 6 || log.committed != 10 {
		t.Errorf("kept %v, the log begins at %d of %d", got, log.start, log.committed)
	}
	log.next = k.now.Add(time.Minute)
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {time.Second, 1}, {time.Minute, 2}} {
		k.now = k.now.Add(step.pass)
		if err := k.Reap(log, k.now); err != nil || log.reaped != step.want {
			t.Errorf("after %v reaped %d times, %v", step.pass, log.reaped, err)
		}
	}
	if log.next = (time.Time{}); k.Reap(log, k.ReapAt().Add(time.Hour)) != nil || !k.ReapAt().IsZero() {
		t.Errorf("with nothing left to go: %v", k.ReapAt())
	}
	log.fails = errors.New("broken")
	if err := k.Drop(log, 10, k.now); !errors.Is(err, log.fails) {
		t.Errorf("a log that can't be cut: %v", err)
	}
}

// TestLoad: the newest one is loaded with its voters; where it can't be read, the one before it once it is removed.
func TestLoad(t *testing.T) {
	k := keep(t)
	if image, members, err := k.Load(); err != nil || image.End() != 0 || members.KRaft != 0 {
		t.Fatalf("of nothing: %d, %+v, %v", image.End(), members, err)
	}
	k.write(SnapshotID{3, 1})
	k.write(SnapshotID{6, 1})
	k.write(BootstrapID)
	if err := vfs.WriteFile(k.fs, path.Join(folder, SnapshotID{8, 1}.String()+partSuffix), []byte("half")); err != nil {
		t.Fatal(err)
	}
	k.open()
	image, members, err := k.Load()
	if err != nil || image.Topics.Len() != 6 || len(members.Set) != 1 || members.Set[0].ID != 7 {
		t.Fatalf("%d topics, %+v, %v", image.Topics.Len(), members, err)
	}
	newest := path.Join(folder, k.Newest().String())
	whole, err := vfs.ReadFile(k.fs, newest)
	if err == nil {
		err = vfs.WriteFile(k.fs, newest, whole[:len(whole)-1])
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Load(); !errors.Is(err, ErrDamaged) {
		t.Fatalf("one that is cut short: %v", err)
	}
	if err := k.Remove(); err != nil {
		t.Fatal(err)
	}
	if image, _, err := k.Load(); err != nil || image.Topics.Len() != 3 {
		t.Fatalf("%d topics, %v", image.Topics.Len(), err)
	}
	if got := k.names(); !slices.Equal(got, []SnapshotID{BootstrapID, {3, 1}}) {
		t.Errorf("left are %v", got)
	}
}

// TestFetch: a snapshot from elsewhere is there whole, or not at all.
func TestFetch(t *testing.T) {
	k, other := keep(t), keep(t)
	id := SnapshotID{6, 1}
	other.write(id)
	whole, err := vfs.ReadFile(other.fs, path.Join(folder, id.String()))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the connection broke")
	for _, bad := range []func(io.Writer) error{
		func(w io.Writer) error { _, err := w.Write(whole[:50]); return errors.Join(err, broken) },
		func(w io.Writer) error { _, err := w.Write(whole[:len(whole)-9]); return err },
		func(io.Writer) error { return nil },
	} {
		if _, _, err := Fetch(k.fs, folder, id, bad); !errors.Is(err, broken) && !errors.Is(err, ErrDamaged) {
			t.Errorf("part of a snapshot: %v", err)
		}
		if left := vfstest.Contents(t, k.fs, folder); left != "" {
			t.Errorf("left is %q", left)
		}
	}
	image, members, err := Fetch(k.fs, folder, id, func(w io.Writer) error {
		for piece := range slices.Chunk(whole, 40) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || image.Topics.Len() != 6 || members.KRaft != 1 {
		t.Fatalf("%+v, %v", members, err)
	}
	if vfstest.Contents(t, k.fs, folder) != vfstest.Contents(t, other.fs, folder) {
		t.Error("not the same bytes")
	}
	if change := Replaced(at(2), image); change.Image.End() != 6 || len(change.Delta.Topics()) == 0 {
		t.Errorf("the step from one to the other: %d topics, to %d", len(change.Delta.Topics()), change.Image.End())
	}
}
