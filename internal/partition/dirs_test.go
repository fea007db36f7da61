package partition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

func TestPartitionsSpreadOverDirectories(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a", "/b", "/c")
	w.create("t", 7)
	if got := fmt.Sprint(w.folders("/a"), w.folders("/b"), w.folders("/c")); got != "[] [] []" {
		t.Errorf("folders of partitions without a record: %s", got)
	}
	for i := range int32(7) {
		w.mustAppend(w.get("t", i), 1)
	}
	if a, b, c := len(w.folders("/a")), len(w.folders("/b")), len(w.folders("/c")); a+b+c != 7 || max(a, b, c)-min(a, b, c) > 1 {
		t.Errorf("%d, %d and %d", a, b, c)
	}
	w.apply(&schema.TopicRecord{Name: "placed", TopicID: topicID("placed")},
		&schema.PartitionRecord{TopicID: topicID("placed"), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []kafka.UUID{w.dirs[2].ID}})
	w.mustAppend(w.get("placed", 0), 1)
	if !slices.Contains(w.folders("/c"), "placed-0") {
		t.Error("the directory that the metadata names was not used")
	}
	seen := 0
	w.m.All(w.dirs[2].ID, func(p *Partition) {
		if p.Dir() != w.dirs[2].ID {
			t.Error("a partition of another directory")
		}
		seen++
	})
	if seen != len(w.folders("/c")) {
		t.Errorf("%d visited", seen)
	}
}

func TestPlace(t *testing.T) {
	a, b, c := kafka.UUID{1}, kafka.UUID{2}, kafka.UUID{3}
	none := kafka.UnassignedDirectory
	f := func(what string, named kafka.UUID, fresh bool, want int, dirs ...candidate) {
		t.Helper()
		if got := place(dirs, named, fresh); got != want {
			t.Errorf("%s: directory %d, want %d", what, got, want)
		}
	}
	on := func(id kafka.UUID, replicas int64) candidate {
		return candidate{id: id, online: true, replicas: replicas}
	}
	off := func(id kafka.UUID) candidate { return candidate{id: id} }
	f("the one that is named, though it is full", b, false, 1, on(a, 0), on(b, 9))
	f("the emptiest", none, true, 1, on(a, 2), on(b, 1), on(c, 3))
	f("the first of equals", none, true, 0, on(a, 1), on(b, 1))
	f("the emptiest, when one is named that this node does not have", c, false, 1, on(a, 2), on(b, 1))
	f("none, when the named one is offline", a, false, -1, off(a), on(b, 0))
	f("none, when the log may be in the one that is offline", none, false, -1, on(a, 0), off(b))
	f("another one, when there is no log yet", none, true, 0, on(a, 5), off(b))
	f("the one that is named and online, whatever else is offline", a, false, 0, on(a, 5), off(b))
	f("none of those that are offline", none, true, -1, off(a), off(b))
	full := on(a, 0)
	full.cordoned = true
	f("one that is not cordoned", none, true, 1, full, on(b, 9))
	f("one that is not cordoned, whatever the order", none, true, 0, on(b, 9), full)
	f("a cordoned one that is named", a, false, 0, full, on(b, 9))
	f("a cordoned one when there is no other", none, true, 0, full)
	f("none of none", none, true, -1)
}

// TestAFailedDirectoryGoesAlone fails one of two directories on a write.
func TestAFailedDirectoryGoesAlone(t *testing.T) {
	broken := ""
	faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
		if broken != "" && strings.HasPrefix(op.Name, broken) && op.Kind == "write" {
			return syscall.EIO
		}
		return nil
	})
	w := newWorld(t, faulty, "/a", "/b")
	w.create("t", 2)
	var onA, onB *Partition
	w.m.All(w.dirs[0].ID, func(p *Partition) { onA = p })
	w.m.All(w.dirs[1].ID, func(p *Partition) { onB = p })
	w.mustAppend(onA, 1)
	w.mustAppend(onB, 1)
	broken = "/a"
	if _, err := w.append(onA, data(t, 1)); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatal(err)
	}
	if _, err := w.m.Get(onA.id.Topic, onA.id.Partition); !errors.Is(err, kerr.KafkaStorageError) {
		t.Error(err)
	}
	if _, _, err := read(t, onA, consumer(0)); !errors.Is(err, kerr.KafkaStorageError) {
		t.Error(err)
	}
	w.mustAppend(onB, 1)
	if got := fmt.Sprint(w.failed); got != "[/a last=false]" {
		t.Errorf("told: %s", got)
	}
	if s := w.m.Dirs(); s[0].Err == nil || s[1].Err != nil {
		t.Errorf("%+v", s)
	}
	broken = "/b"
	if _, err := w.append(onB, data(t, 1)); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.failed); got != "[/a last=false /b last=true]" {
		t.Errorf("told: %s", got)
	}
	if clean, err := w.m.Close(); len(clean) != 0 || err == nil {
		t.Errorf("%v are clean, %v", clean, err)
	}
}

// TestAMissingDirectoryIsNotReplacedByAnEmptyLog restarts with one of two directories unreadable: its partitions are offline, those that
// come new go to the other one, and when the directory returns its records are there.
func TestAMissingDirectoryIsNotReplacedByAnEmptyLog(t *testing.T) {
	for _, known := range []bool{true, false} { // whether the directory failed while it was read, or before and has not even an id
		broken := ""
		faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
			if broken != "" && strings.HasPrefix(op.Name, broken) {
				return syscall.EIO
			}
			return nil
		})
		w := newWorld(t, faulty, "/a", "/b")
		w.create("t", 2)
		for i := range int32(2) {
			w.mustAppend(w.get("t", i), 1)
		}
		w.close()
		whole := slices.Clone(w.dirs)
		broken = "/a"
		if !known {
			w.dirs[0] = Dir{Path: "/a", Err: syscall.EIO}
		}
		w.open(true)
		if lost := w.offline("t", 2); len(lost) != 1 {
			t.Errorf("known %v: partitions %v are offline, failed %v", known, lost, w.failed)
		}
		w.create("new", 2)
		w.mustAppend(w.get("new", 0), 1)
		w.mustAppend(w.get("new", 1), 1)
		if _, err := w.m.Close(); !errors.Is(err, syscall.EIO) {
			t.Errorf("known %v: closed with %v", known, err)
		}
		broken, w.dirs = "", whole
		w.open(false)
		if lost := w.offline("t", 2); len(lost) != 0 {
			t.Errorf("known %v: partitions %v are offline though the directory is back", known, lost)
		}
	}
}

// offline lists the partitions that a failed directory keeps back; the others have to have one record.
func (w *world) offline(topic string, n int32) (all []int32) {
	w.t.Helper()
	for i := range n {
		p, err := w.m.Get(topic, i)
		switch {
		case errors.Is(err, kerr.KafkaStorageError):
			all = append(all, i)
		case err != nil || p.LogEndOffset() != 1:
			w.t.Errorf("partition %d: %v, %v", i, p, err)
		}
	}
	return all
}

// TestADirectoryThatFailsAtStartServesNothing can't open one log of a directory: the others in it are offline too, and nothing in it is touched.
func TestADirectoryThatFailsAtStartServesNothing(t *testing.T) {
	broken := ""
	touched := ""
	faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
		if broken == "" {
			return nil
		}
		if strings.HasPrefix(op.Name, broken) {
			return syscall.EIO
		}
		if op.Kind == vfs.OpRename && strings.HasPrefix(op.Name, "/a/") {
			touched = op.Name
		}
		return nil
	})
	w := newWorld(t, faulty, "/a", "/b")
	w.create("t", 6)
	for i := range int32(6) {
		w.mustAppend(w.get("t", i), 1)
	}
	w.create("stray", 2)
	onA := slices.DeleteFunc(w.folders("/a"), func(name string) bool { return !strings.HasPrefix(name, "t-") })
	if len(onA) < 2 {
		t.Fatalf("in /a: %v", onA)
	}
	w.close()
	broken = "/a/" + onA[0] + "/"
	w.open(true)
	if lost := w.offline("t", 6); len(lost) != len(onA) {
		t.Errorf("partitions %v are offline of %v", lost, onA)
	}
	if touched != "" {
		t.Errorf("%s was renamed in a failed directory", touched)
	}
}

// TestADirectoryThatFailsWhilePartitionsAreMade: the failure finds no partition in the table yet; what is put into it then is offline.
func TestADirectoryThatFailsWhilePartitionsAreMade(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a", "/b")
	w.options = func(o *Options) {
		config := o.TopicConfig
		o.TopicConfig = func(topic string, overrides map[string]string) Config {
			if topic == "second" {
				w.m.dirs[0].fail(syscall.EIO)
			}
			return config(topic, overrides)
		}
	}
	w.open(true)
	records := func(name string) []schema.MetadataRecord {
		part := &schema.PartitionRecord{TopicID: topicID(name), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []kafka.UUID{w.dirs[0].ID}}
		return []schema.MetadataRecord{&schema.TopicRecord{Name: name, TopicID: topicID(name)}, part}
	}
	own := "7" // so that its configuration is asked for
	set := &schema.ConfigRecord{ResourceType: int8(metadata.TopicResource), ResourceName: "second", Name: "segment.ms", Value: &own}
	w.apply(append(append(records("first"), records("second")...), set)...)
	if p, err := w.m.Get("first", 0); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestAFullDiskRefusesAndRecovers: no space is no failure of the directory.
func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	full := false
	faulty := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op) error {
		if full && op.Kind == "write" {
			return vfs.ErrNoSpace
		}
		return nil
	})
	w := newWorld(t, faulty, "/a")
	w.create("t", 1)
	p := w.get("t", 0)
	w.mustAppend(p, 1)
	full = true
	if _, err := w.append(p, data(t, 1)); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatal(err)
	}
	if _, _, err := read(t, p, consumer(0)); err != nil {
		t.Errorf("reads go on: %v", err)
	}
	full = false
	if r := w.mustAppend(p, 1); r.BaseOffset != 1 || len(w.failed) != 0 {
		t.Errorf("%+v, failed %v", r, w.failed)
	}
}

func TestOpenOnBrokenDirectories(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), "/a")
	_, err := Open(Options{
		Self: self, FS: w.fs, Dirs: []Dir{{Path: "/missing"}}, Now: time.Now, TopicConfig: func(string, map[string]string) Config { return defaultConfig() },
	})
	if err == nil || !strings.Contains(err.Error(), "no log directory is usable") {
		t.Error(err)
	}
}
