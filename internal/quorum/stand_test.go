package quorum

import (
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// trio is three voters whose loops the test steps itself, at a clock of its own. Messages arrive at once.
type trio struct {
	t       *testing.T
	now     time.Time
	engines []*Engine // by id, from 1 on
	down    []bool
}

func startTrio(t *testing.T) *trio {
	t.Helper()
	s := &trio{t: t, now: time.Unix(1000, 0), down: make([]bool, 3)}
	for id := kafka.NodeID(1); id <= 3; id++ {
		cfg := testConfig(vfs.NewMem(), "/data")
		cfg.NodeID, cfg.Voters, cfg.Tick = id, []Voter{{ID: 1}, {ID: 2}, {ID: 3}}, 50*time.Millisecond
		cfg.Now = func() time.Time { return s.now }
		cfg.Send = func(to ReplicaKey, messages [][]byte) { s.send(id, to.ID, messages) }
		e, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		s.engines = append(s.engines, e)
	}
	return s
}

func (s *trio) send(from, to kafka.NodeID, messages [][]byte) {
	if s.down[from-1] || s.down[to-1] || len(s.engines) < 3 {
		return
	}
	if err := s.engines[to-1].Deliver(Voter{ID: from}, ReplicaKey{ID: to}, messages); err != nil {
		s.t.Fatal(err)
	}
}

// elect steps until all that are up know the same leader, and returns it and how long that took.
func (s *trio) elect() (kafka.NodeID, time.Duration) {
	s.t.Helper()
	for began := s.now; s.now.Sub(began) < time.Minute; s.now = s.now.Add(time.Millisecond) {
		var leaders []kafka.NodeID
		for i, e := range s.engines {
			if s.down[i] {
				continue
			}
			if err := e.step(s.now); err != nil {
				s.t.Fatal(err)
			}
			leader, _ := e.Leader()
			leaders = append(leaders, leader)
		}
		if leaders = slices.Compact(leaders); len(leaders) == 1 && leaders[0] != kafka.NoNode && !s.down[leaders[0]-1] {
			return leaders[0], s.now.Sub(began)
		}
	}
	s.t.Fatal("nobody is elected")
	return kafka.NoNode, 0
}

// A new quorum has a leader at once, and again when the others are told that its process has ended; without that word they wait for an
// election timeout, which is ten ticks at least.
func TestStandsAtOnce(t *testing.T) {
	for _, told := range []bool{true, false} {
		s := startTrio(t)
		first, took := s.elect()
		if first != 1 || took > 10*time.Millisecond {
			t.Errorf("node %d leads after %v", first, took)
		}
		s.down[first-1] = true
		for i, e := range s.engines {
			if told && !s.down[i] {
				e.Gone(first)
			}
		}
		second, took := s.elect()
		if quick := took < 100*time.Millisecond; quick != told {
			t.Errorf("told %v: node %d leads after %v", told, second, took)
		}
	}
}

// Word of a node that does not lead, or that leads and lives, changes nothing for good.
func TestFalseWordOfTheLeadersEnd(t *testing.T) {
	s := startTrio(t)
	first, _ := s.elect()
	for _, e := range s.engines {
		e.Gone(first%3 + 1)
	}
	if leader, took := s.elect(); leader != first || took > 0 {
		t.Errorf("node %d leads after %v", leader, took)
	}
	s.engines[first%3].Gone(first) // one of two: the other holds on to the leader
	s.elect()
	_, epoch := s.engines[first-1].Leader()
	for range 2000 {
		s.now = s.now.Add(time.Millisecond)
		s.elect()
	}
	if leader, now := s.engines[first-1].Leader(); leader != first || now != epoch {
		t.Errorf("node %d leads in epoch %d, it was %d in %d", leader, now, first, epoch)
	}
}
