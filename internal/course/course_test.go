package course

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

var (
	one, two, three = Place{1, "a:1"}, Place{2, "b:1"}, Place{3, "c:1"}
	fenced          = kerr.FencedLeaderEpoch.Code
	notLeader       = kerr.NotLeaderForPartition.Code
)

// told is an answer that names a leader and its epoch.
func told(code int16, leader kafka.NodeID, epoch kafka.LeaderEpoch) Answer {
	return Answer{Code: code, Leader: leader, Epoch: epoch}
}

// asks wants a place to be asked next, at once or after a rest.
func asks(t *testing.T, c *Course, want Place, rest bool) {
	t.Helper()
	if got, rested := c.Whom(); got != want || rested != rest {
		t.Errorf("asks %v, rest %v, want %v, %v (%v)", got, rested, want, rest, c)
	}
}

func acts(t *testing.T, c *Course, from Place, a Answer, want Act) {
	t.Helper()
	if got := c.Took(from, a); got != want {
		t.Errorf("act %d, want %d (%v)", got, want, c)
	}
}

// TestFindsTheLeader: a follower says who leads, the leader the epoch, and then its records count.
func TestFindsTheLeader(t *testing.T) {
	c := New(0, []Place{one, two, three})
	asks(t, c, one, false)
	acts(t, c, one, told(fenced, 2, 5), Ask)
	asks(t, c, two, false)
	acts(t, c, two, told(0, 2, 5), Append)
	asks(t, c, two, false)
	acts(t, c, two, Answer{Leader: 2, Epoch: 5, Diverging: &End{4, 10}}, Cut)
	acts(t, c, two, Answer{Leader: 2, Epoch: 5, Snapshot: &End{4, 10}}, Install)
	if leader, epoch := c.Leader(); leader != 2 || epoch != 5 {
		t.Errorf("%v", c)
	}
}

// TestLeaderGoes: all others are asked in turn, at once, and then after a rest, until one knows the next leader. Who still names the one that is
// gone has it tried again, but not without end.
func TestLeaderGoes(t *testing.T) {
	c := New(0, []Place{one, two, three})
	acts(t, c, one, told(0, 1, 3), Append)
	if !c.Failed(one) {
		t.Error("the leader is still known")
	}
	asks(t, c, two, false)
	acts(t, c, two, told(notLeader, 1, 3), Ask)
	asks(t, c, one, false)
	c.Failed(one)
	asks(t, c, three, false)
	acts(t, c, three, told(notLeader, kafka.NoNode, 3), Ask)
	asks(t, c, one, true)
	c.Failed(one)
	asks(t, c, two, false)
	acts(t, c, two, told(fenced, 3, 4), Ask)
	asks(t, c, three, false)
	acts(t, c, three, told(0, 3, 4), Append)
	if c.Failed(one) {
		t.Error("the leader is not known any more because another one failed")
	}
}

// TestDeposedLeader: what a leader of an older epoch says is not taken in, and one that steps down in its epoch leads no more.
func TestDeposedLeader(t *testing.T) {
	c := New(0, []Place{one, two})
	acts(t, c, two, told(0, 2, 7), Append)
	acts(t, c, one, told(0, 1, 6), Ask)
	asks(t, c, two, false)
	acts(t, c, two, told(notLeader, kafka.NoNode, 7), Ask)
	if leader, epoch := c.Leader(); leader != kafka.NoNode || epoch != 7 {
		t.Errorf("%v", c)
	}
	acts(t, c, one, told(notLeader, 1, 7), Ask) // an epoch has one leader
	if leader, _ := c.Leader(); leader != kafka.NoNode {
		t.Errorf("%v", c)
	}
	acts(t, c, one, told(notLeader, 2, 7), Ask)
	asks(t, c, two, true)
}

// TestPlaces: addresses without ids lead to the leader by what it says of itself; the log's voters count more than the configuration, and what an answer
// says more than both.
func TestPlaces(t *testing.T) {
	somebody := Place{kafka.NoNode, "x:1"}
	c := New(0, []Place{somebody})
	asks(t, c, somebody, false)
	acts(t, c, somebody, Answer{Code: fenced, Leader: 2, Epoch: 1, Places: []Place{two}}, Ask)
	asks(t, c, two, false)
	acts(t, c, two, told(0, 2, 1), Append)
	c.Voters([]Place{one, {2, "old:1"}, three})
	asks(t, c, two, false)
	c.Failed(two)
	asks(t, c, Place{2, "old:1"}, false)
	c = New(0, []Place{somebody})
	acts(t, c, somebody, told(0, 4, 1), Append) // it leads, and nobody knows where it is but there
	asks(t, c, somebody, false)
}

// TestForeigners: controllers of another cluster are told apart from those that fail.
func TestForeigners(t *testing.T) {
	c := New(0, []Place{one, two})
	foreign := Answer{Code: kerr.InconsistentClusterID.Code, Leader: kafka.NoNode, Epoch: -1}
	acts(t, c, one, foreign, Refuse)
	asks(t, c, two, false)
	acts(t, c, two, foreign, Refuse)
	asks(t, c, one, true)
}

// TestAnythingMayBeAnswered: whatever comes, in whatever order, the epoch never falls, an epoch has one leader, only that one's records are taken, and
// somebody is always asked, with a rest when all were asked in vain.
func TestAnythingMayBeAnswered(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		places := []Place{one, two, three}
		c := New(0, places)
		leaders := map[kafka.LeaderEpoch]kafka.NodeID{}
		inVain := 0
		for range 200 {
			to, rest := c.Whom()
			if rest {
				inVain = 0
			}
			if inVain > 2*len(places) {
				t.Fatalf("seed %d: asks %d times without a rest", seed, inVain)
			}
			_, before := c.Leader()
			act := Ask
			a := told([]int16{0, fenced, notLeader, kerr.UnknownServerError.Code}[random.IntN(4)], kafka.NodeID(random.IntN(4)-1), before+kafka.LeaderEpoch(random.IntN(3)-1))
			if random.IntN(4) == 0 {
				c.Failed(to)
			} else {
				act = c.Took(to, a)
			}
			leader, epoch := c.Leader()
			if known, ok := leaders[epoch]; epoch < before || ok && leader != kafka.NoNode && leader != known {
				t.Fatalf("seed %d: %v after epoch %d, which %d led", seed, c, before, known)
			}
			if act == Append && (a.Leader != leader || a.Epoch != epoch || a.Code != 0) {
				t.Fatalf("seed %d: takes records from %+v as %v", seed, a, c)
			}
			if leader != kafka.NoNode {
				leaders[epoch] = leader
			}
			if inVain++; act != Ask || epoch > before {
				inVain = 0
			}
		}
	}
}
