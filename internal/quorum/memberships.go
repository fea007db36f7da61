package quorum

import (
	"slices"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
)

// membership is who the voters are from a place in the log on.
type membership struct {
	voters
	// at is the offset of the record that says so; kafka.NoOffset for what format, the configuration or a snapshot says.
	at kafka.Offset
	// inLog says that the log or a snapshot has it, not only what format left.
	inLog bool
}

// memberships are the voters as the log has them: first those that are known to be committed, and behind them those that may yet be cut off.
// The last one counts from the moment that it is written, committed or not (KIP-853): Raft is safe with that as long as a leader writes the next one
// only when the one before is committed.
type memberships []membership

func (m memberships) last() membership { return m[len(m)-1] }

func (m memberships) committed() membership { return m[0] }

// begin forgets all but one.
func (m *memberships) begin(with membership) { *m = memberships{with} }

// note takes the membership of a control batch, unless it is known, and reports whether there is one.
func (m *memberships) note(d *batch) bool {
	last := m.last()
	if d.voters == nil && d.kraft == nil || d.base <= last.at {
		return false
	}
	next := membership{voters: last.voters, at: d.base, inLog: last.inLog || d.voters != nil}
	next.voters.note(d)
	*m = append(*m, next)
	return true
}

// commit forgets what came before the last membership below end, which is exclusive.
func (m *memberships) commit(end kafka.Offset) {
	for len(*m) > 1 && (*m)[1].at < end {
		*m = slices.Delete(*m, 0, 1)
	}
}

// truncate forgets those from an offset on, and reports whether there were any.
func (m *memberships) truncate(end kafka.Offset) bool {
	n := len(*m)
	for len(*m) > 1 && m.last().at >= end {
		*m = (*m)[:len(*m)-1]
	}
	return len(*m) < n
}

// voter reports whether this node is one of the voters: with another directory it is not, as what it promised with that one is forgotten.
func (e *Engine) voter() bool {
	return e.members.last().has(ReplicaKey{ID: e.cfg.NodeID, Directory: e.cfg.Directory})
}

// alone reports whether this node is the only voter.
func (e *Engine) alone() bool { return len(e.members.last().set) == 1 && e.voter() }

// conf is what Raft counts with: the voters, and who follows this leader besides. A node that is no voter itself counts without its id, so that it
// can't be elected in the place of another disk.
func (e *Engine) conf() *raftpb.ConfState {
	conf := &raftpb.ConfState{}
	for _, v := range e.members.last().set {
		if v.ID != e.cfg.NodeID || e.voter() {
			conf.Voters = append(conf.Voters, raftID(v.ID))
		}
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
	for _, id := range have.Voters[0].Slice() {
		if !slices.Contains(want.Voters, id) {
			change(raftpb.ConfChangeType_ConfChangeRemoveNode, id)
		}
	}
	e.storage.conf = want
	e.publishStatus()
}
