package quorum

import (
	"errors"
	"fmt"
	"io"
	"path"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// copied is a mirror in a test, which takes from a node.
type copied struct {
	*Mirror
	t   testing.TB
	fs  *vfs.Mem
	cfg MirrorConfig
}

func mirrorOf(t *testing.T, snapshotBytes int64) *copied {
	t.Helper()
	cfg := testConfig(vfs.NewMem(), "/data")
	c := &copied{t: t, fs: cfg.FS.(*vfs.Mem), cfg: MirrorConfig{
		FS: cfg.FS, Dir: cfg.Dir, Voters: cfg.Voters, LogConfig: cfg.LogConfig, Cache: cfg.Cache, SnapshotBytes: snapshotBytes,
	}}
	c.open()
	return c
}

func (c *copied) open() {
	c.t.Helper()
	var err error
	if c.Mirror, err = OpenMirror(c.cfg, time.Unix(0, 0)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *copied) reopen() {
	c.t.Helper()
	if err := c.Close(time.Unix(0, 0)); err != nil {
		c.t.Fatal(err)
	}
	c.open()
}

// follow takes all of the node's log, or its snapshot and what is behind it.
func (c *copied) follow(n *Engine) {
	c.t.Helper()
	now := time.Unix(1, 0)
	if end, _ := c.End(); end < n.Bounds().LogStartOffset {
		id, _ := n.LatestSnapshot()
		if _, err := c.Install(id, func(w io.Writer) error { return writeBytes(n, id, w) }, now); err != nil {
			c.t.Fatal(err)
		}
	}
	for {
		end, _ := c.End()
		if end >= n.Bounds().HighWatermark {
			break
		}
		batches, err := readBatches(n.log, end, 1000)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, b := range batches {
			c.take(b)
		}
	}
	c.commit(n.Bounds().HighWatermark)
	if err := c.Snapshot(now); err != nil {
		c.t.Fatal(err)
	}
}

func writeBytes(n *Engine, id SnapshotID, w io.Writer) error {
	s, err := n.OpenSnapshot(id)
	if err != nil {
		return err
	}
	defer s.Close()
	b := make([]byte, s.Size())
	if _, err := s.ReadAt(b, 0); err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (c *copied) take(b record.Batch) {
	c.t.Helper()
	if err := c.Append(b, time.Unix(1, 0)); err != nil {
		c.t.Fatal(err)
	}
}

// commit returns how many changes were posted.
func (c *copied) commit(end kafka.Offset) (posted int) {
	c.t.Helper()
	if err := c.Commit(end, time.Unix(1, 0), func(metadata.Change) { posted++ }); err != nil {
		c.t.Fatal(err)
	}
	return posted
}

func (c *copied) is(want string) {
	c.t.Helper()
	if got := dump(c.Image()); got != want {
		c.t.Fatalf("the image is\n%s\nwant\n%s", got, want)
	}
}

// TestMirror: a copy has the image and the bytes of its original, shows nothing before it is committed, and knows after a restart nothing that it was
// not told is committed.
func TestMirror(t *testing.T) {
	n := run(t, testConfig(vfs.NewMem(), "/data"))
	n.join()
	n.create("a", "b")
	c := mirrorOf(t, 0)
	c.follow(n.Engine)
	c.is(dump(n.Image()))
	end, _ := c.End()
	c.reopen()
	if again, _ := c.End(); again != end || c.Bounds().HighWatermark != 0 {
		t.Fatalf("after a restart %+v, end %d", c.Bounds(), end)
	}
	c.is(dump(metadata.Empty()))
	if n := c.commit(end - 1); n == 0 {
		t.Fatal("nothing is committed")
	}
	c.commit(end + 100)
	c.is(dump(n.Image()))
	n.close()
}

// TestMirrorOfAnEarlierLeader: what was never committed goes when the leader's log parts from the copy, what was stays, and a leader that has it not has
// another log.
func TestMirrorOfAnEarlierLeader(t *testing.T) {
	n := run(t, testConfig(vfs.NewMem(), "/data"))
	n.join()
	c := mirrorOf(t, 0)
	c.follow(n.Engine)
	committed, epoch := c.End()
	image := dump(c.Image())
	n.create("never")
	for end, _ := c.End(); end < n.Bounds().LogEndOffset; end, _ = c.End() {
		batches, err := readBatches(n.log, end, 1000)
		if err != nil {
			t.Fatal(err)
		}
		c.take(batches[0])
	}
	n.close()
	c.is(image)
	if err := c.Cut(epoch, committed, time.Unix(2, 0)); err != nil {
		t.Fatal(err)
	}
	if end, _ := c.End(); end != committed {
		t.Fatalf("ends at %d, want %d", end, committed)
	}
	if err := c.Cut(epoch, committed-1, time.Unix(2, 0)); !errors.Is(err, ErrOtherLog) {
		t.Fatalf("cut what was committed: %v", err)
	}
}

// TestMirrorInstalls: a copy that is too far behind takes the snapshot, drops its own log, and writes snapshots itself.
func TestMirrorInstalls(t *testing.T) {
	_, cfg, _ := grown(t)
	cfg.SnapshotBytes = 0 // it writes no more
	n := run(t, cfg)
	n.join()
	c := mirrorOf(t, 2000)
	c.follow(n.Engine)
	c.is(dump(n.Image()))
	c.reopen()
	c.commit(n.Bounds().HighWatermark)
	c.is(dump(n.Image()))
	for i := range 60 {
		n.create(fmt.Sprint("more-", i))
		c.follow(n.Engine)
	}
	if kept, err := metalog.ListSnapshots(c.fs, c.cfg.Dir); err != nil || c.Bounds().LogStartOffset == 0 || len(kept) > 2 {
		t.Errorf("%+v, snapshots %v, %v", c.Bounds(), kept, err)
	}
	c.reopen()
	c.commit(n.Bounds().HighWatermark)
	c.is(dump(n.Image()))
	old := SnapshotID{EndOffset: 1, Epoch: 1}
	if _, err := c.Install(old, nil, time.Unix(2, 0)); !errors.Is(err, ErrOtherLog) {
		t.Errorf("a snapshot of the past: %v", err)
	}
	n.close()
}

// TestMirrorDamaged: what can't be read of a copy is left out, and had again.
func TestMirrorDamaged(t *testing.T) {
	_, cfg, _ := grown(t)
	cfg.SnapshotBytes = 0 // it writes no more
	n := run(t, cfg)
	n.join()
	c := mirrorOf(t, 0)
	c.follow(n.Engine)
	id := c.snapshots.Newest()
	name := path.Join(c.cfg.Dir, id.String())
	b, err := vfs.ReadFile(c.fs, name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := vfs.WriteFile(c.fs, name, b); err != nil {
		t.Fatal(err)
	}
	c.reopen()
	if end, _ := c.End(); end != 0 {
		t.Fatalf("without a snapshot the copy ends at %d", end)
	}
	c.follow(n.Engine)
	c.is(dump(n.Image()))
	batches, err := readBatches(n.log, n.Bounds().LogStartOffset, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(batches[0], time.Unix(2, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a batch that is there already: %v", err)
	}
	broken := append(record.Batch{}, batches[0]...)
	broken[len(broken)-1] ^= 1
	if err := c.Append(broken, time.Unix(2, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a broken batch: %v", err)
	}
	if err := c.Append(batches[0][:20], time.Unix(2, 0)); err != nil {
		t.Errorf("half a batch: %v", err)
	}
	n.close()
}
