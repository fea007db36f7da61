package quorum

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
)

// listenTicks is how long a voter with a log listens for a leader after its start, in ticks.
const listenTicks = 4

// Gone tells that a voter's process has ended. If it led, the others need not wait for the silence of an election timeout.
func (e *Engine) Gone(id kafka.NodeID) {
	select {
	case e.messages <- inbound{Message: &raftpb.Message{Type: raftpb.MsgForgetLeader.Enum(), From: new(raftID(id))}}:
	default: // Raft finds out by itself
	}
}

// leaderGone forgets a leader whose process has ended: voters that have do not hold on to it when another one asks for their vote.
func (e *Engine) leaderGone(id kafka.NodeID) {
	if e.leads != id || e.alone() {
		return
	}
	if err := e.raft.ForgetLeader(); err != nil {
		e.cfg.Log.Debug("raft does not forget its leader", "leader", id, "err", err)
		return
	}
	e.cfg.Log.Info("the active controller is gone", "node", id)
	e.standFrom(e.cfg.Now(), id)
}

// standFrom has this voter stand for election from a moment on, each in its turn, so that votes are not split: the first is the first voter, without one that is gone.
func (e *Engine) standFrom(now time.Time, gone kafka.NodeID) {
	others := slices.DeleteFunc(slices.Clone(e.members.Last().IDs()), func(id kafka.NodeID) bool { return id == gone })
	if turn := slices.Index(others, e.cfg.NodeID); turn >= 0 && e.voter() {
		e.standAt = now.Add(time.Duration(turn) * e.cfg.Tick)
	}
}

// stand has this voter stand for election if it is its turn, and again while nobody leads. Who answers is asked before a term is begun (pre-vote),
// so that this disturbs nobody.
func (e *Engine) stand(now time.Time) error {
	if e.standAt.IsZero() || now.Before(e.standAt) {
		return nil
	}
	e.standAt = time.Time{}
	if !e.voter() {
		return nil
	}
	switch basic := e.raft.BasicStatus(); {
	case basic.Lead != raft.None, basic.RaftState == raft.StateCandidate, basic.RaftState == raft.StateLeader:
		return nil
	}
	// Each after another time, so that two that stood at once do not do so for ever.
	ids := e.members.Last().IDs()
	e.standAt = now.Add(time.Duration(len(ids)+slices.Index(ids, e.cfg.NodeID)) * e.cfg.Tick)
	if err := e.raft.Campaign(); err != nil {
		return fmt.Errorf("stand for election: %w", err)
	}
	return nil
}
