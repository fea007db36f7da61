package metalog

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// Voter is a member of the quorum.
type Voter struct {
	ID kafka.NodeID
	// Directory is zero in a static quorum (kraft.version 0).
	Directory kafka.UUID
	Endpoints []metadata.Endpoint
	// MinKRaft and MaxKRaft are the levels of kraft.version that it supports. A Max of 0 stands for those of this release.
	MinKRaft, MaxKRaft int16
}

// Key is the voter's identity.
func (v Voter) Key() ReplicaKey { return ReplicaKey{ID: v.ID, Directory: v.Directory} }

// ReplicaKey names a replica of the metadata log: a disk that was wiped makes another one of the same node (KIP-853). Directory is zero where
// it is not known.
type ReplicaKey struct {
	ID        kafka.NodeID
	Directory kafka.UUID
}

// String is how Kafka writes a replica.
func (r ReplicaKey) String() string {
	return fmt.Sprintf("ReplicaKey(id=%d, directoryId=%v)", r.ID, r.Directory)
}

// Voters is the membership: static at kraft.version 0, records of the log from 1 on (KIP-853).
type Voters struct {
	KRaft int16
	Set   []Voter // sorted by id
}

// Find returns the voter of an id, and false if none has it.
func (v Voters) Find(id kafka.NodeID) (Voter, bool) {
	i := slices.IndexFunc(v.Set, func(m Voter) bool { return m.ID == id })
	if i < 0 {
		return Voter{}, false
	}
	return v.Set[i], true
}

// IDs are the voters' ids, sorted.
func (v Voters) IDs() []kafka.NodeID {
	ids := make([]kafka.NodeID, len(v.Set))
	for i, m := range v.Set {
		ids[i] = m.ID
	}
	return ids
}

// Keys are the voters' identities, in the order of their ids.
func (v Voters) Keys() []ReplicaKey {
	keys := make([]ReplicaKey, len(v.Set))
	for i, m := range v.Set {
		keys[i] = m.Key()
	}
	return keys
}

// Has reports whether a replica is one of the voters. A static quorum does not know their directories.
func (v Voters) Has(r ReplicaKey) bool {
	m, ok := v.Find(r.ID)
	return ok && (m.Directory == r.Directory || m.Directory.IsZero())
}

// SortVoters returns a copy that is sorted by id.
func SortVoters(set []Voter) []Voter {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b Voter) int { return cmp.Compare(a.ID, b.ID) })
	return set
}

// Note takes the membership from a control batch.
func (v *Voters) Note(d *Batch) {
	if d.KRaft != nil {
		v.KRaft = d.KRaft.KRaftVersion
	}
	if d.Voters == nil {
		return
	}
	v.Set = nil
	for _, m := range d.Voters.Voters {
		voter := Voter{
			ID: kafka.NodeID(m.VoterID), Directory: m.VoterDirectoryID,
			MinKRaft: m.KRaftVersionFeature.MinSupportedVersion, MaxKRaft: m.KRaftVersionFeature.MaxSupportedVersion,
		}
		for _, e := range m.Endpoints {
			voter.Endpoints = append(voter.Endpoints, metadata.Endpoint{Listener: e.Name, Host: e.Host, Port: e.Port})
		}
		v.Set = append(v.Set, voter)
	}
	v.Set = SortVoters(v.Set)
}

// Records are the control records that say the membership: none at kraft.version 0, and its level alone while nobody is known.
func (v Voters) Records() []ControlRecord {
	if v.KRaft == 0 {
		return nil
	}
	level := schema.NewKRaftVersionRecord()
	level.KRaftVersion = v.KRaft
	records := []ControlRecord{{record.KRaftVersion, &level}}
	if len(v.Set) > 0 {
		records = append(records, ControlRecord{record.Voters, v.Record()})
	}
	return records
}

// Record is the control record that says who the voters are.
func (v Voters) Record() *schema.VotersRecord {
	set := schema.NewVotersRecord()
	for _, m := range v.Set {
		voter := schema.Voter{VoterID: int32(m.ID), VoterDirectoryID: m.Directory}
		for _, e := range m.Endpoints {
			voter.Endpoints = append(voter.Endpoints, schema.VoterEndpoint{Name: e.Listener, Host: e.Host, Port: e.Port})
		}
		voter.KRaftVersionFeature = schema.KRaftVersionRange{MinSupportedVersion: m.MinKRaft, MaxSupportedVersion: m.MaxKRaft}
		if m.MaxKRaft == 0 {
			voter.KRaftVersionFeature.MaxSupportedVersion = MaxKRaftVersion
		}
		set.Voters = append(set.Voters, voter)
	}
	return &set
}

// MaxKRaftVersion is the newest kraft.version that this node supports.
const MaxKRaftVersion = int16(metadata.LatestKRaftVersion)
