package quorum

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/vfs"
)

// TestCrashAnywhere stops the machine after every change of the disk, with none, half or all of what was not synced
// kept: whatever was answered is there afterwards, and the node goes on.
func TestCrashAnywhere(t *testing.T) {
	disk := vfs.NewCrash()
	var acked []string
	type point struct {
		disk  *vfs.Mem
		acked []string
		op    string
	}
	var points []point
	seed := uint64(1)
	rng := rand.New(rand.NewPCG(seed, 0))
	ops := 0
	var mu sync.Mutex // guards acked, points, ops and rng: snapshots are written beside the loop
	faulty := vfs.NewFaulty(disk, func(op vfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Changes() {
			ops++
			for _, keep := range []int{0, 50, 100} {
				points = append(points, point{disk.CrashClone(rng, keep), slices.Clone(acked), fmt.Sprintf("%d %v keeping %d %%", ops, op, keep)})
			}
		}
		return nil
	})
	cfg := testConfig(faulty, "/data")
	cfg.SnapshotBytes = 3000
	for round := range 3 {
		n := run(t, cfg)
		n.join()
		for i := range 6 {
			name := fmt.Sprintf("t-%d-%d", round, i)
			n.create(name)
			mu.Lock()
			acked = append(acked, name)
			mu.Unlock()
		}
		n.close()
	}
	t.Logf("seed %d, %d crash points", seed, len(points))
	for _, p := range points {
		cfg := testConfig(p.disk, "/data")
		e, err := Open(cfg)
		if err != nil {
			t.Fatalf("after %s: %v", p.op, err)
		}
		for _, name := range p.acked {
			if e.Image().Topics.ByName(name) == nil {
				t.Fatalf("after %s: topic %s was acknowledged and is gone", p.op, name)
			}
		}
		n := start(t, e)
		n.join()
		n.create("after")
		n.close()
	}
}

// TestDiskFails: when an append or a sync fails, nobody is told that a command took effect, and the engine stops.
func TestDiskFails(t *testing.T) {
	for _, kind := range []vfs.OpKind{vfs.OpWrite, vfs.OpSync} {
		t.Run(string(kind), func(t *testing.T) {
			disk := vfs.NewMem()
			faulty := vfs.NewFaulty(disk, nil)
			n := run(t, testConfig(faulty, "/data"))
			n.join()
			n.create("before")
			broken := errors.New("the disk is broken")
			faulty.SetHook(vfs.FailNth(kind, "", 1, true, broken))
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_, err := n.Submit(ctx, controller.CreateTopics{Request: topicsRequest("lost")})
			if !errors.Is(err, ErrStopped) {
				t.Fatalf("the command got %v", err)
			}
			if err := <-n.done; !errors.Is(err, broken) {
				t.Fatalf("Run returned %v", err)
			}
			if _, err := n.Submit(ctx, controller.Expire{}); !errors.Is(err, ErrStopped) {
				t.Fatalf("after the end a command got %v", err)
			}
			again, err := Open(testConfig(disk, "/data"))
			if err != nil {
				t.Fatal(err)
			}
			if again.Image().Topics.ByName("before") == nil {
				t.Fatal("what was acknowledged is gone")
			}
		})
	}
}
