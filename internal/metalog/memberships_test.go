package metalog

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// TestMemberships: the newest membership of the log counts; one that is cut off gives way to the one before, one that is committed stays.
func TestMemberships(t *testing.T) {
	said := func(base kafka.Offset, ids ...int32) *Batch {
		set := &schema.VotersRecord{}
		for _, id := range ids {
			set.Voters = append(set.Voters, schema.Voter{VoterID: id})
		}
		return &Batch{Base: base, Voters: set}
	}
	m := Memberships{{Voters: Voters{KRaft: 1, Set: []Voter{{ID: 1}}}, At: kafka.NoOffset}}
	if m.Note(&Batch{Base: 3}) || !m.Note(said(5, 1, 2)) || m.Note(said(5, 1, 2)) {
		t.Fatalf("%+v", m)
	}
	if len(m.Last().Set) != 2 || len(m.Committed().Set) != 1 || m.Committed().InLog || m.Last().KRaft != 1 {
		t.Fatalf("%+v", m)
	}
	if m.Commit(5); len(m.Committed().Set) != 1 {
		t.Fatal("committed before its end was")
	}
	if m.Commit(6); len(m.Committed().Set) != 2 || !m.Committed().InLog {
		t.Fatalf("%+v", m)
	}
	m.Note(said(9, 1, 2, 3))
	if m.Truncate(10) || len(m.Last().Set) != 3 {
		t.Fatalf("%+v", m)
	}
	if !m.Truncate(9) || len(m.Last().Set) != 2 || m.Truncate(0) {
		t.Fatalf("%+v", m)
	}
}
