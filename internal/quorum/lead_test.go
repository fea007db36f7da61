package quorum

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// ends runs an engine that can't lead and returns why it stopped. A command that waits for it hears of it too.
func ends(t *testing.T, e *Engine) error {
	t.Helper()
	n := start(t, e)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := n.Submit(ctx, controller.CreateTopics{Request: topicsRequest("foo")}); !errors.Is(err, ErrStopped) {
		t.Fatalf("a command of an engine that can't lead: %v", err)
	}
	return <-n.done
}

// TestActivationFails: a leader that can't write what an epoch begins with stops, with the reason.
func TestActivationFails(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	bad := []schema.MetadataRecord{&schema.RemoveTopicRecord{TopicID: nodeDirectory}} // of a topic that never was
	if err := metalog.WriteBootstrap(fs, cfg.Dir, metalog.Voters{}, bad, 1000); err != nil {
		t.Fatal(err)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := ends(t, e); err == nil || !strings.Contains(err.Error(), "activate the controller of epoch 1") {
		t.Fatalf("run: %v", err)
	}
}

// TestMembershipNotWritten: the membership counts as written when it is committed, and not before.
func TestMembershipNotWritten(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	cfg.Voters = nil
	members := metalog.Voters{KRaft: 1, Set: []Voter{{ID: 1, Directory: nodeDirectory}}}
	if err := metalog.WriteBootstrap(fs, cfg.Dir, members, controller.DefaultBootstrap(), 1000); err != nil {
		t.Fatal(err)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	// A controller that is ahead of the log refuses what the log is to get next.
	ahead := metadata.NewDelta(metadata.Empty()).Apply(1000, 1, 1)
	e.loader = metadata.NewLoader(ahead)
	e.leader = &leadership{epoch: 1, next: 1}
	e.leader.controller = controller.New(e.controllerConfig(), e.loader.Fork(), e.cfg.Now())
	if err := e.activate(e.cfg.Now()); err == nil {
		t.Fatal("a membership that could not be written goes unnoticed")
	}
	if e.members.Last().InLog {
		t.Fatal("the membership counts as written")
	}
	e.leader = nil
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	n := run(t, cfg)
	n.join()
	n.close()
	if !n.members.Last().InLog {
		t.Fatal("the membership was written and does not count")
	}
}

// TestClose: an engine that never ran elects nobody, writes nothing, and gives its files back.
func TestClose(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	n := run(t, cfg)
	n.join()
	_, epoch := n.Leader()
	n.close()
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	end := e.log.LogEndOffset()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Submit(context.Background(), controller.Expire{}); !errors.Is(err, ErrStopped) {
		t.Fatalf("a command after the end: %v", err)
	}
	n = run(t, cfg)
	n.join()
	if _, now := n.Leader(); now != epoch+1 {
		t.Fatalf("epoch %d after %d: the engine that never ran was elected", now, epoch)
	}
	n.close()
	if n.log.LogEndOffset() <= end {
		t.Fatal("nothing was written after the engine that never ran")
	}
}
