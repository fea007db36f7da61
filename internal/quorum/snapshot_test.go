package quorum

import (
	"context"
	"errors"
	"fmt"
	"path"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// grown is a node that has stopped after it made sixty topics and some snapshots.
func grown(t *testing.T) (*vfs.Mem, Config, *node) {
	t.Helper()
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	cfg.SnapshotBytes = 2000
	n := run(t, cfg)
	n.join()
	for i := range 60 {
		n.create(fmt.Sprintf("topic-%d", i))
	}
	n.close()
	return fs, cfg, n
}

func TestSnapshots(t *testing.T) {
	fs, cfg, n := grown(t)
	ids, err := metalog.ListSnapshots(fs, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 || len(ids) > 2 {
		t.Fatalf("%d snapshots are kept: %v", len(ids), ids)
	}
	newest, ok := n.LatestSnapshot()
	if !ok || newest != ids[len(ids)-1] {
		t.Fatalf("the newest snapshot is %v, on disk are %v", newest, ids)
	}
	file, err := n.OpenSnapshot(newest)
	if err != nil || file.Size() == 0 {
		t.Fatalf("open it: %v", err)
	}
	file.Close()
	if _, err := n.OpenSnapshot(SnapshotID{EndOffset: 1, Epoch: 1}); !errors.Is(err, kerr.SnapshotNotFound) {
		t.Fatalf("open one that is not there: %v", err)
	}

	want := dump(n.Image())
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(e.Image()); got != want {
		t.Fatalf("from snapshot and log:\n%s\nwant\n%s", got, want)
	}
}

// TestSnapshotWithoutLog: the log was lost, as when an operator copies a snapshot alone: the state is there, and the
// log goes on where the snapshot ends.
func TestSnapshotWithoutLog(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	n := run(t, cfg)
	n.join()
	n.create("foo")
	image := n.Image()
	n.close()

	other := vfs.NewMem()
	if err := vfs.MkdirAll(other, cfg.Dir); err != nil {
		t.Fatal(err)
	}
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	if err := metalog.WriteSnapshot(other, cfg.Dir, id, 1, 1, metalog.Voters{}, image.Records); err != nil {
		t.Fatal(err)
	}
	cfg.FS = other
	n = run(t, cfg)
	n.join()
	n.create("bar")
	if leader, epoch := n.Leader(); leader != 1 || epoch <= image.Epoch {
		t.Fatalf("leader %d of epoch %d", leader, epoch)
	}
	n.close()
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if e.Image().Topics.Len() != 2 || e.log.LogStartOffset() != id.EndOffset {
		t.Fatalf("%d topics, log start %d", e.Image().Topics.Len(), e.log.LogStartOffset())
	}
}

// A voter stopped between the moment that it had fetched a snapshot and the one in which it gives up its own log for it.
func TestSnapshotOfAnotherHistory(t *testing.T) {
	fs, cfg, _ := grown(t)
	ids, err := metalog.ListSnapshots(fs, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	theirs := ids[len(ids)-1]
	text, err := vfs.ReadFile(fs, path.Join(cfg.Dir, theirs.String()))
	if err != nil {
		t.Fatal(err)
	}
	own := vfs.NewMem()
	cfg = testConfig(own, "/data")
	n := run(t, cfg)
	n.join()
	for i := range 100 {
		n.create(fmt.Sprintf("mine-%d", i))
	}
	n.close()
	leaders := SnapshotID{EndOffset: theirs.EndOffset, Epoch: theirs.Epoch + 1}
	if err := vfs.WriteFile(own, path.Join(cfg.Dir, leaders.String()), text); err != nil {
		t.Fatal(err)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if b := e.Bounds(); b.LogStartOffset != leaders.EndOffset || b.LogEndOffset != leaders.EndOffset || e.Image().Offset != leaders.EndOffset-1 {
		t.Errorf("the log is %+v and the image at %d, the snapshot ends at %d", b, e.Image().Offset, leaders.EndOffset)
	}
}

func TestSnapshotDamaged(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	n := run(t, cfg)
	n.join()
	image := n.Image()
	n.close()
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	if err := metalog.WriteSnapshot(fs, cfg.Dir, id, 1, 1, metalog.Voters{}, image.Records); err != nil {
		t.Fatal(err)
	}
	name := cfg.Dir + "/" + id.String()
	whole, err := vfs.ReadFile(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 75, len(whole) / 2, len(whole) - 80, len(whole)} {
		if err := vfs.WriteFile(fs, name, whole[:len(whole)-cut]); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(cfg); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut by %d: %v", cut, err)
		}
	}
	for at := 0; at < len(whole); at += 13 {
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 0x10
		if err := vfs.WriteFile(fs, name, flipped); err != nil {
			t.Fatal(err)
		}
		_, err := Open(cfg)
		if err == nil && at >= 16 { // base offset and epoch lie outside the CRC and change nothing here
			e, _, _ := metalog.LoadSnapshot(fs, cfg.Dir, id)
			if e == nil || dump(e) != dump(image) {
				t.Fatalf("a flipped bit at %d was not noticed", at)
			}
		}
	}
}

// TestSubscribe: changes come in order, each from the image before, and no answer comes before its change.
func TestSubscribe(t *testing.T) {
	fs := vfs.NewMem()
	n := run(t, testConfig(fs, "/data"))
	seen := make(chan metadata.Change, 1000)
	n.Subscribe(func(c metadata.Change) { seen <- c })
	n.join()
	n.create("foo")
	n.create("bar")
	if err := n.Wait(context.Background(), n.Image().Offset); err != nil {
		t.Fatal(err)
	}
	n.close()
	close(seen)
	var last *metadata.Image
	created := 0
	for c := range seen {
		if last != nil && c.Delta.Base() != last {
			t.Fatalf("a change from offset %d follows the image of %d", c.Delta.Base().Offset, last.Offset)
		}
		last = c.Image
		for _, topic := range c.Delta.Topics() {
			if topic.Before == nil {
				created++
			}
		}
	}
	if created != 2 || last != n.Image() {
		t.Fatalf("%d topics were created in the changes", created)
	}
	if err := n.Wait(context.Background(), n.Image().Offset+1); !errors.Is(err, ErrStopped) {
		t.Fatalf("wait after the end: %v", err)
	}
}
