package quorum

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// maxLearners bounds how many controllers without a vote a leader sends its log to.
const maxLearners = 64

// Introduce is told of a controller that hears of no leader, with the disk and addresses that it says are its own. If this node leads, it sends
// its log there from now on, whether that one is a voter or not: none of the others need to agree, as nobody counts it. The leader is returned
// where it is known, and whether that is this node. One with another disk than the voter of its id follows beside that one, as what the voter promised
// binds it no more.
func (e *Engine) Introduce(v Voter) (leader Voter, here bool, err error) {
	id, _ := e.Leader()
	leader, _ = e.Peer(id)
	leader.ID = id
	if id != e.cfg.NodeID {
		return leader, false, nil
	}
	if e.Shown().KRaftVersion == 0 || v.ID == e.cfg.NodeID {
		return leader, true, fmt.Errorf("%w: node %d is not the one to follow", ErrNotVoter, v.ID)
	}
	select {
	case e.arrivals <- v:
	default: // it comes again
	}
	return leader, true, nil
}

// arrive has Raft send the log to one that is no voter. What it had is asked for, as its disk may be another one than before. One that loses its vote
// must not hear of that before it is committed: while the others count with it, it would neither stand nor vote for one that lacks the record.
func (e *Engine) arrive(v Voter, now time.Time) {
	if e.moved(v, now) {
		return
	}
	voter := e.members.Last().Has(v.Key())
	old, known := e.learners[v.ID]
	switch {
	case e.leader == nil, voter, e.changing(), v.ID == e.cfg.NodeID, !known && len(e.learners) >= maxLearners:
		return
	case known && old.Directory != v.Directory:
		e.forget(old)
		e.reconfigure()
		known = false
	}
	if !known {
		e.cfg.Log.Info("a controller without a vote follows", "node", v.ID, "directory", v.Directory)
		e.mu.Lock()
		e.told[v.Key()] = told{at: now, end: e.log.LogEndOffset()}
		e.mu.Unlock()
	}
	e.learners[v.ID] = v
	e.reconfigure()
}

// moved reports whether a voter is reached elsewhere than the log says, and writes where.
func (e *Engine) moved(v Voter, now time.Time) bool {
	if !e.active() || e.changing() || !e.elsewhere(v) {
		return false
	}
	known, _ := e.members.Last().Find(v.ID)
	known.Endpoints = v.Endpoints
	e.cfg.Log.Info("a voter of the metadata quorum has moved", "node", v.ID, "to", v.Endpoints)
	e.changeVoters(now, &request{change: &VoterChange{Kind: UpdateVoter, Voter: known}})
	return true
}

// elsewhere reports whether a voter says of itself that it is reached elsewhere than the log says.
func (e *Engine) elsewhere(v Voter) bool {
	known, voter := e.members.Last().Find(v.ID)
	return voter && known.Directory == v.Directory && !v.Directory.IsZero() && len(v.Endpoints) > 0 && !slices.Equal(known.Endpoints, v.Endpoints)
}

// dropLearners forgets those that have not answered for a while.
func (e *Engine) dropLearners(now time.Time) {
	silent := func(r ReplicaKey) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return now.Sub(e.told[r].at) > observerTimeout
	}
	n := len(e.learners)
	for _, l := range e.learners {
		if silent(l.Key()) {
			e.forget(l)
		}
	}
	if len(e.learners) < n {
		e.reconfigure()
	}
}

// forget has a learner be one no more.
func (e *Engine) forget(l Voter) {
	delete(e.learners, l.ID)
	e.mu.Lock()
	delete(e.told, l.Key())
	e.mu.Unlock()
}

// promote counts learners that have become voters as such.
func (e *Engine) promote() {
	maps.DeleteFunc(e.learners, func(_ kafka.NodeID, l Voter) bool { return e.members.Last().Has(l.Key()) })
}

// meet takes note of one that is not known as a voter, and how it can be reached.
func (e *Engine) meet(v Voter) {
	if v.ID == e.cfg.NodeID || len(v.Endpoints) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.met) >= maxLearners {
		clear(e.met)
	}
	e.met[v.ID] = v
}

// Peer returns another controller as this node knows it: who follows this leader, a voter, or somebody met. One that does not lead may have a log
// that knows less than whoever it met.
func (e *Engine) Peer(id kafka.NodeID) (Voter, bool) {
	return e.peer(id, func(Voter) bool { return true })
}

// Replica is Peer with the disk of r, where both are known.
func (e *Engine) Replica(r ReplicaKey) (Voter, bool) {
	return e.peer(r.ID, func(v Voter) bool { return v.Directory == r.Directory || v.Directory.IsZero() || r.Directory.IsZero() })
}

func (e *Engine) peer(id kafka.NodeID, suits func(Voter) bool) (Voter, bool) {
	leader, _ := e.Leader()
	v, ok := e.Voter(id)
	e.mu.Lock()
	defer e.mu.Unlock()
	if follower, follows := e.followers[id]; follows && suits(follower) {
		return follower, true
	}
	if met, known := e.met[id]; known && suits(met) && (!ok || leader != e.cfg.NodeID) {
		return met, true
	}
	return v, ok && suits(v)
}

// introduction is what came of introducing this node to the others.
type introduction struct {
	leader Voter
	err    error
}

// seek introduces this node to the leader when it has not heard of one for as long as an election takes: without a vote it is sent nothing otherwise, and one
// that lost its vote while it was away does not know it.
func (e *Engine) seek(now time.Time) {
	if e.seeking || e.leader != nil || e.alone() || e.members.Last().KRaft == 0 || now.Sub(e.heard) < electionTicks*e.cfg.Tick {
		return
	}
	e.seeking, e.heard = true, now
	known := slices.DeleteFunc(slices.Clone(e.members.Last().Set), func(v Voter) bool { return v.ID == e.cfg.NodeID })
	e.cfg.Go(func() {
		leader, err := e.cfg.Introduce(e.life, known)
		e.found <- introduction{leader, err} // there is room: one runs at a time
	})
}

// meetOthers takes those that introduced themselves, and what came of introducing this node. Raft has no message open: one to a replica with
// another disk would reach the new one.
func (e *Engine) meetOthers(now time.Time) {
	for range len(e.arrivals) {
		e.arrived = append(e.arrived, <-e.arrivals)
	}
	for _, v := range e.arrived {
		e.arrive(v, now)
	}
	e.arrived = nil
	select {
	case got := <-e.found:
		e.seeking = false
		if got.err != nil {
			e.cfg.Log.Debug("no leader of the metadata quorum was found", "err", got.err)
			return
		}
		e.meet(got.leader)
	default:
	}
}
