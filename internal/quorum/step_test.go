package quorum

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/vfs/vfstest"
)

// stepped is an engine on a clock of the test's, in one goroutine.
type stepped struct {
	*Engine
	*Steps
	t   *testing.T
	now time.Time
}

func openStepped(t *testing.T, cfg Config) *stepped {
	t.Helper()
	s := &stepped{t: t, now: time.UnixMilli(1_000_000)}
	cfg.Now = func() time.Time { return s.now }
	cfg.Go = func(f func()) { f() }
	var err error
	if s.Engine, err = Open(cfg); err != nil {
		t.Fatal(err)
	}
	s.Steps = s.Engine.Steps()
	s.step()
	return s
}

// step lets the engine work until it has nothing to do at this time, which must not take for ever.
func (s *stepped) step() {
	s.t.Helper()
	for range 10 {
		next, err := s.Step(s.now)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(s.written) == 0 && next.After(s.now) {
			return
		}
	}
	s.t.Fatalf("the engine is never done: at %v it wants to work at %v", s.now, s.deadline())
}

func (s *stepped) create(topic string) {
	s.t.Helper()
	answered := false
	s.Steps.Submit(controller.CreateTopics{Request: topicsRequest(topic)}, func(_ any, err error) {
		if answered = true; err != nil {
			s.t.Fatal(err)
		}
	})
	if s.step(); !answered {
		s.t.Fatal("the step did not answer")
	}
}

// wakings counts how often the engine works of its own accord in a span of time.
func (s *stepped) wakings(span time.Duration) int {
	s.t.Helper()
	n := 0
	for end := s.now.Add(span); s.deadline().Before(end); n++ {
		s.now = s.deadline()
		s.step()
	}
	return n
}

// TestSnapshotDue: a snapshot is due when there is something new and enough of it, or after its interval; when it is
// not, the engine does not wake for it.
func TestSnapshotDue(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.SnapshotBytes, cfg.SnapshotInterval = 1<<20, time.Hour
	s := openStepped(t, cfg)
	s.create("foo")
	if at, ok := s.snapshots.Due(s.Image().End()); !ok || !at.Equal(time.UnixMilli(1_000_000).Add(time.Hour)) {
		t.Fatalf("after a little: due %v, %t", at, ok)
	}
	if _, ok := s.LatestSnapshot(); ok {
		t.Fatal("a snapshot was written early")
	}
	if n := s.wakings(2 * time.Hour); n != 1 { // to write it
		t.Errorf("the engine woke %d times, not once", n)
	}
	first, ok := s.LatestSnapshot()
	if at, again := s.snapshots.Due(s.Image().End()); !ok || again {
		t.Fatalf("written %t, due again %v, %t", ok, at, again)
	}
	// Bytes without anything new, however they came about: this made the loop spin.
	s.snapshots.Logged(2 << 20)
	s.step()
	if id, _ := s.LatestSnapshot(); id != first {
		t.Fatalf("the snapshot %v has nothing new", id)
	}
	s.create("bar") // now there is
	if id, _ := s.LatestSnapshot(); id.EndOffset != s.Image().End() {
		t.Fatalf("the newest snapshot is %v, the image ends at %d", id, s.Image().End())
	}
	if err := s.Stop(s.now); err != nil {
		t.Fatal(err)
	}
}

// TestStepsAreTheSame: the engine, stepped, writes the same bytes each time, its snapshots too.
func TestStepsAreTheSame(t *testing.T) {
	once := func() string {
		fs := vfs.NewMem()
		cfg := testConfig(fs, "/data")
		cfg.SnapshotBytes = 1000
		s := openStepped(t, cfg)
		for i := range 30 {
			s.now = s.now.Add(time.Second)
			s.create(fmt.Sprintf("topic-%d", i))
		}
		if err := s.Stop(s.now); err != nil {
			t.Fatal(err)
		}
		return vfstest.Contents(t, fs, cfg.Dir)
	}
	if first, second := once(), once(); first != second {
		t.Fatal("two runs differ")
	}
}

// TestNothingOutlivesRun: Run ends after what it started.
func TestNothingOutlivesRun(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.SnapshotBytes = 1000
	var started atomic.Int32
	hold := make(chan struct{})
	cfg.Go = func(f func()) {
		started.Add(1)
		go func() {
			<-hold
			f()
		}()
	}
	n := run(t, cfg)
	n.join()
	for i := range 10 {
		n.create(fmt.Sprintf("topic-%d", i))
	}
	n.stop()
	select {
	case err := <-n.done:
		t.Fatalf("run ended before the snapshot: %v", err)
	default:
	}
	close(hold)
	if err := <-n.done; err != nil {
		t.Fatal(err)
	}
	if id, ok := n.LatestSnapshot(); !ok || started.Load() != 1 {
		t.Fatalf("%d snapshots were started, the newest is %v", started.Load(), id)
	}
}
