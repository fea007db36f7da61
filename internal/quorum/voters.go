package quorum

import (
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// voters is the membership: static at kraft.version 0, records of the log from 1 on (KIP-853).
type voters struct {
	kraft int16
	set   []Voter // sorted by id
}

func (v voters) find(id kafka.NodeID) (Voter, bool) {
	i := slices.IndexFunc(v.set, func(m Voter) bool { return m.ID == id })
	if i < 0 {
		return Voter{}, false
	}
	return v.set[i], true
}

func (v voters) ids() []kafka.NodeID {
	ids := make([]kafka.NodeID, len(v.set))
	for i, m := range v.set {
		ids[i] = m.ID
	}
	return ids
}

// has reports whether a replica is one of the voters. A static quorum does not know their directories.
func (v voters) has(r ReplicaKey) bool {
	m, ok := v.find(r.ID)
	return ok && (m.Directory == r.Directory || m.Directory.IsZero())
}

func sortVoters(set []Voter) []Voter {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b Voter) int { return cmp.Compare(a.ID, b.ID) })
	return set
}

// note takes the membership from a control batch.
func (v *voters) note(d *batch) {
	if d.kraft != nil {
		v.kraft = d.kraft.KRaftVersion
	}
	if d.voters == nil {
		return
	}
	v.set = nil
	for _, m := range d.voters.Voters {
		voter := Voter{
			ID: kafka.NodeID(m.VoterID), Directory: m.VoterDirectoryID,
			MinKRaft: m.KRaftVersionFeature.MinSupportedVersion, MaxKRaft: m.KRaftVersionFeature.MaxSupportedVersion,
		}
		for _, e := range m.Endpoints {
			voter.Endpoints = append(voter.Endpoints, metadata.Endpoint{Listener: e.Name, Host: e.Host, Port: e.Port})
		}
		v.set = append(v.set, voter)
	}
	v.set = sortVoters(v.set)
}

// records are the control records that say the membership, none at kraft.version 0.
func (v voters) records() []controlRecord {
	if v.kraft == 0 {
		return nil
	}
	level := schema.NewKRaftVersionRecord()
	level.KRaftVersion = v.kraft
	return []controlRecord{{kraftVersionKind, &level}, {votersKind, v.record()}}
}

// record is the control record that says who the voters are.
func (v voters) record() *schema.VotersRecord {
	set := schema.NewVotersRecord()
	for _, m := range v.set {
		voter := schema.Voter{VoterID: int32(m.ID), VoterDirectoryID: m.Directory}
		for _, e := range m.Endpoints {
			voter.Endpoints = append(voter.Endpoints, schema.VoterEndpoint{Name: e.Listener, Host: e.Host, Port: e.Port})
		}
		voter.KRaftVersionFeature = schema.KRaftVersionRange{MinSupportedVersion: m.MinKRaft, MaxSupportedVersion: m.MaxKRaft}
		if m.MaxKRaft == 0 {
			voter.KRaftVersionFeature.MaxSupportedVersion = maxKRaftVersion
		}
		set.Voters = append(set.Voters, voter)
	}
	return &set
}

// maxKRaftVersion is the newest kraft.version that this node supports.
const maxKRaftVersion = int16(metadata.LatestKRaftVersion)
