package quorum

import (
	"maps"
	"slices"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/metalog"
)

// voter reports whether this node is one of the voters: with another directory it is not, as what it promised with that one is forgotten.
func (e *Engine) voter() bool { return e.members.Last().Has(e.self()) }

func (e *Engine) self() ReplicaKey {
	return ReplicaKey{ID: e.cfg.NodeID, Directory: e.cfg.Directory}
}

// alone reports whether this node is the only voter.
func (e *Engine) alone() bool { return len(e.members.Last().Set) == 1 && e.voter() }

// stranger is nobody's id in Raft.
const stranger = 1 << 40

// unvoting is a bit of the ids that this leader's Raft has for those who follow without a vote. A voter of the same node, with another disk, is somebody else to
// Raft: no answer of one counts as the other's, and no message to one reaches the other when that one has lost its vote meanwhile.
const unvoting = 1 << 41

// learnerID is the id in Raft of one that follows this leader without a vote.
func learnerID(l Voter) uint64 { return unvoting | raftID(l.ID) }

// confOf is what Raft counts with. In the place of this node's id stands a stranger's if the voter has another disk, so that this one is not
// elected for it, and likewise for all while nobody is known, as Raft does not go back to that.
func (e *Engine) confOf(members metalog.Voters) *raftpb.ConfState {
	conf := &raftpb.ConfState{}
	for _, v := range members.Set {
		if v.ID != e.cfg.NodeID || members.Has(e.self()) {
			conf.Voters = append(conf.Voters, raftID(v.ID))
		} else {
			conf.Voters = append(conf.Voters, stranger)
		}
	}
	if len(conf.Voters) == 0 {
		conf.Voters = append(conf.Voters, stranger)
	}
	return conf
}

// conf is what Raft counts with now: the voters of the log, and who follows this leader besides.
func (e *Engine) conf() *raftpb.ConfState {
	conf := e.confOf(e.members.Last().Voters)
	for _, id := range slices.Sorted(maps.Keys(e.learners)) {
		conf.Learners = append(conf.Learners, learnerID(e.learners[id]))
	}
	return conf
}

// reconfigure has Raft count with the voters of the log. One node changes at a time, new ones come first.
func (e *Engine) reconfigure() {
	want, have := e.conf(), e.raft.Status().Config
	voters := have.Voters.IDs()
	change := func(kind raftpb.ConfChangeType, id uint64) {
		e.raft.ApplyConfChange(&raftpb.ConfChangeV2{Changes: []*raftpb.ConfChangeSingle{{Type: kind.Enum(), NodeId: &id}}})
	}
	for _, id := range want.Voters {
		if _, is := voters[id]; !is {
			change(raftpb.ConfChangeType_ConfChangeAddNode, id)
		}
	}
	for _, id := range want.Learners {
		if _, is := have.Learners[id]; !is {
			change(raftpb.ConfChangeType_ConfChangeAddLearnerNode, id)
		}
	}
	for _, id := range slices.Concat(have.Voters[0].Slice(), slices.Sorted(maps.Keys(have.Learners))) {
		if !slices.Contains(want.Voters, id) && !slices.Contains(want.Learners, id) {
			change(raftpb.ConfChangeType_ConfChangeRemoveNode, id)
		}
	}
	e.storage.conf = want
	e.mu.Lock()
	e.followers = maps.Clone(e.learners)
	clear(e.met) // the log says more than it did
	e.mu.Unlock()
	e.publishStatus()
}
