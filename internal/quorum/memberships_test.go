package quorum

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// TestMemberships: the newest membership of the log counts; one that is cut off gives way to the one before, one that is committed stays.
func TestMemberships(t *testing.T) {
	said := func(base kafka.Offset, ids ...int32) *batch {
		set := &schema.VotersRecord{}
		for _, id := range ids {
			set.Voters = append(set.Voters, schema.Voter{VoterID: id})
		}
		return &batch{base: base, voters: set}
	}
	m := memberships{{voters: voters{kraft: 1, set: []Voter{{ID: 1}}}, at: kafka.NoOffset}}
	if m.note(&batch{base: 3}) || !m.note(said(5, 1, 2)) || m.note(said(5, 1, 2)) {
		t.Fatalf("%+v", m)
	}
	if len(m.last().set) != 2 || len(m.committed().set) != 1 || m.committed().inLog || m.last().kraft != 1 {
		t.Fatalf("%+v", m)
	}
	if m.commit(5); len(m.committed().set) != 1 {
		t.Fatal("committed before its end was")
	}
	if m.commit(6); len(m.committed().set) != 2 || !m.committed().inLog {
		t.Fatalf("%+v", m)
	}
	m.note(said(9, 1, 2, 3))
	if m.truncate(10) || len(m.last().set) != 3 {
		t.Fatalf("%+v", m)
	}
	if !m.truncate(9) || len(m.last().set) != 2 || m.truncate(0) {
		t.Fatalf("%+v", m)
	}
}
