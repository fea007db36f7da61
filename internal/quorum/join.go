package quorum

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// joinTicks lie between a node's requests to become a voter.
const joinTicks = 2 * electionTicks

// wanted is the change of the voters that makes this node one, if it follows without a vote. First the voter goes that it was with another disk; the
// leader adds the disk that it has when that has caught up.
func (e *Engine) wanted() (VoterChange, bool) {
	last := e.members.Last()
	if e.cfg.Join == nil || e.leader != nil || e.leads == kafka.NoNode || last.KRaft == 0 || !last.InLog || last.At >= e.committed || e.voter() {
		return VoterChange{}, false
	}
	if old, is := last.Find(e.cfg.NodeID); is {
		return VoterChange{Kind: RemoveVoter, Voter: Voter{ID: old.ID, Directory: old.Directory}}, true
	}
	return VoterChange{Kind: AddVoter, Voter: Voter{ID: e.cfg.NodeID, Directory: e.cfg.Directory}, Early: true}, true
}

// join asks the leader for a vote, beside the loop, and again while it has none (controller.quorum.auto.join.enable).
func (e *Engine) join(now time.Time) {
	select {
	case err := <-e.joined:
		e.voteAsked(err)
	default:
	}
	change, wants := e.wanted()
	switch {
	case e.joining:
	case !wants:
		e.joinAt = time.Time{}
	case e.joinAt.IsZero(): // it has just begun to follow
		e.joinAt = now.Add(joinTicks * e.cfg.Tick)
		e.cfg.Log.Info("this node follows the metadata quorum without a vote, and asks for one", "directory", e.cfg.Directory)
	case !now.Before(e.joinAt):
		e.joinAt = now.Add(joinTicks * e.cfg.Tick)
		leader, known := e.Peer(e.leads)
		if !known {
			return // it has to say where it is
		}
		e.joining = true
		e.cfg.Go(func() {
			e.joined <- e.cfg.Join(e.life, leader, change) // there is room: one runs at a time
		})
	}
}

// voteAsked is told what came of asking.
func (e *Engine) voteAsked(err error) {
	e.joining = false
	if err != nil {
		e.cfg.Log.Debug("the leader of the metadata quorum does not give this node a vote yet", "err", err)
	}
}
