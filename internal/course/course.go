package course

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// Place is where a controller can be reached. ID is kafka.NoNode where only the address is known.
type Place struct {
	ID      kafka.NodeID
	Address string // host:port
}

// End is where an epoch ends, or a snapshot; exclusive.
type End struct {
	Epoch  kafka.LeaderEpoch
	Offset kafka.Offset
}

// Answer is what counts of an answer to Fetch.
type Answer struct {
	Code   int16 // 0 or the first error, of the request or of the partition
	Leader kafka.NodeID
	Epoch  kafka.LeaderEpoch
	Places []Place // where leaders are
	// Diverging and Snapshot are nil in most answers.
	Diverging, Snapshot *End
}

// Act is what an answer leads to.
type Act int8

// The acts.
const (
	Ask     Act = iota // nothing was gained: ask again
	Append             // append the records, and replay up to the high watermark
	Cut                // cut the log where the leader's parts from it
	Install            // fetch the snapshot
	Refuse             // these are controllers of another cluster
)

// Course is what is known of the quorum. Make it with New.
type Course struct {
	epoch  kafka.LeaderEpoch
	leader kafka.NodeID // who is asked
	named  kafka.NodeID // who leads epoch, reached or not
	given  []Place      // by the configuration
	voters []Place      // by the log
	told   []Place      // by answers
	turn   int          // of those who may know the leader
	vain   int          // how many were asked since something was gained
}

// New starts from the newest epoch of the log and the places of the configuration, of which there is one at least.
func New(epoch kafka.LeaderEpoch, given []Place) *Course {
	return &Course{epoch: epoch, leader: kafka.NoNode, named: kafka.NoNode, given: given}
}

// Voters takes in where the log says that the voters are.
func (c *Course) Voters(places []Place) { c.voters = places }

// Leader is who leads, kafka.NoNode while nobody is known, and the newest epoch.
func (c *Course) Leader() (kafka.NodeID, kafka.LeaderEpoch) { return c.leader, c.epoch }

// Find returns where a controller is. What a leader's answer said counts most, and the configuration least.
func (c *Course) Find(id kafka.NodeID) (Place, bool) {
	for _, places := range [][]Place{c.told, c.voters, c.given} {
		if i := slices.IndexFunc(places, func(p Place) bool { return p.ID == id }); i >= 0 && id != kafka.NoNode {
			return places[i], true
		}
	}
	return Place{}, false
}

// Whom returns who is to be asked: the leader, or in turn those who may know it. Rest says that all were asked in vain: let some time pass first.
func (c *Course) Whom() (p Place, rest bool) {
	all := c.all()
	rest = c.vain >= len(all)
	if rest {
		c.vain = 0
	}
	if p, ok := c.Find(c.leader); ok {
		return p, rest
	}
	return all[c.turn%len(all)], rest
}

// all are the places, each once.
func (c *Course) all() []Place {
	var all []Place
	for _, p := range slices.Concat(c.voters, c.given) {
		if !slices.ContainsFunc(all, func(o Place) bool { return o.Address == p.Address }) {
			all = append(all, p)
		}
	}
	return all
}

// Failed says that somebody could not be asked, or did not answer in time. It reports whether the leader is not known any more.
func (c *Course) Failed(p Place) bool {
	c.vain++
	c.turn++
	lead, ok := c.Find(c.leader)
	if !ok || lead.Address != p.Address {
		return false
	}
	c.leader = kafka.NoNode
	return true
}

// Took takes in an answer, and returns what it leads to.
func (c *Course) Took(from Place, a Answer) Act {
	learned := c.learn(a)
	if a.Code == 0 && a.Epoch == c.epoch && a.Leader == c.leader && c.leader != kafka.NoNode {
		c.vain = 0
		switch {
		case a.Diverging != nil:
			return Cut
		case a.Snapshot != nil:
			return Install
		}
		return Append
	}
	if a.Code == kerr.InconsistentClusterID.Code {
		c.Failed(from)
		return Refuse
	}
	if !learned { // else somebody, or the same with the right epoch, may be asked at once
		c.Failed(from)
	}
	return Ask
}

// learn takes in who leads, and reports whether that is news.
func (c *Course) learn(a Answer) bool {
	for _, p := range a.Places {
		c.told = append(slices.DeleteFunc(c.told, func(o Place) bool { return o.ID == p.ID }), p)
	}
	switch {
	case a.Epoch < c.epoch, a.Epoch == c.epoch && (a.Leader == kafka.NoNode || c.leader != kafka.NoNode || c.named != kafka.NoNode && a.Leader != c.named):
		return false
	}
	c.epoch, c.leader, c.named = a.Epoch, a.Leader, a.Leader
	return a.Leader != kafka.NoNode
}

// String shows the state for tests and logs.
func (c *Course) String() string {
	return fmt.Sprintf("leader %d in epoch %d, %d asked in vain", c.leader, c.epoch, c.vain)
}
