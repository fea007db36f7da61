package quorum

import (
	"context"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// Resign has another voter lead, if this one does and another can, and returns when that is so, when an election's time has passed, or with ctx.
func (e *Engine) Resign(ctx context.Context) {
	if leader, _ := e.Leader(); leader != e.cfg.NodeID {
		return
	}
	done := make(chan struct{})
	select {
	case e.resigns <- done:
	case <-ctx.Done():
		return
	case <-e.stopped:
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	case <-e.stopped:
	}
}

// resign begins to hand over to the voter that has most of the log.
func (e *Engine) resign(done chan struct{}) {
	if e.resigning != nil {
		close(done) // whoever asked first is waited for
		return
	}
	if !e.active() || !e.handOver() {
		close(done)
		return
	}
	e.resigning, e.resignBy = done, e.cfg.Now().Add(electionTicks*e.cfg.Tick)
}

// handOver has the voter lead that answers and has most of the log, if one answers.
func (e *Engine) handOver() bool {
	self, best := raftID(e.cfg.NodeID), uint64(0)
	var most uint64
	e.raft.WithProgress(func(id uint64, kind raft.ProgressType, p tracker.Progress) {
		if id != self && kind == raft.ProgressTypePeer && e.answersLately(id) && p.Match >= most {
			best, most = id, p.Match
		}
	})
	if best != 0 {
		e.raft.TransferLeader(best)
	}
	return best != 0
}

// answersLately reports whether a voter that follows has answered within an election's time. Raft's own note of that begins anew now and then.
func (e *Engine) answersLately(id uint64) bool {
	now := e.cfg.Now()
	v, _ := e.members.Last().Find(nodeID(id))
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.told[v.Key()]
	return ok && now.Sub(t.at) <= electionTicks*e.cfg.Tick
}

// resigned tells whoever waits for another leader.
func (e *Engine) resigned() {
	if e.resigning == nil || e.leader != nil && e.cfg.Now().Before(e.resignBy) {
		return
	}
	close(e.resigning)
	e.resigning = nil
}
