package metalog

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// Membership is who the voters are from a place in the log on.
type Membership struct {
	Voters
	// At is the offset of the record that says so; kafka.NoOffset for what format, the configuration or a snapshot says.
	At kafka.Offset
	// InLog says that the log or a snapshot has it, not only what format left.
	InLog bool
}

// Memberships are the voters as the log has them: first those that are known to be committed, and behind them those that may yet be cut off.
// The last one counts from the moment that it is written, committed or not (KIP-853): Raft is safe with that as long as a leader writes the next one
// only when the one before is committed.
type Memberships []Membership

// Last counts now.
func (m Memberships) Last() Membership { return m[len(m)-1] }

// Committed is the last one that is known to be committed.
func (m Memberships) Committed() Membership { return m[0] }

// Begin forgets all but one.
func (m *Memberships) Begin(with Membership) { *m = Memberships{with} }

// Note takes the membership of a control batch, unless it is known, and reports whether there is one.
func (m *Memberships) Note(d *Batch) bool {
	last := m.Last()
	if d.Voters == nil && d.KRaft == nil || d.Base <= last.At {
		return false
	}
	next := Membership{Voters: last.Voters, At: d.Base, InLog: last.InLog || d.Voters != nil}
	next.Voters.Note(d)
	*m = append(*m, next)
	return true
}

// Commit forgets what came before the last membership below end, which is exclusive.
func (m *Memberships) Commit(end kafka.Offset) {
	for len(*m) > 1 && (*m)[1].At < end {
		*m = slices.Delete(*m, 0, 1)
	}
}

// Truncate forgets those from an offset on, and reports whether there were any.
func (m *Memberships) Truncate(end kafka.Offset) bool {
	n := len(*m)
	for len(*m) > 1 && m.Last().At >= end && !planted.Bug("voters-not-cut-off") {
		*m = (*m)[:len(*m)-1]
	}
	return len(*m) < n
}
