package schema

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
)

// AppendQuorumState appends the content of the file quorum-state: version 0 with static voters, version 1 from
// kraft.version 1 on (KIP-853).
func AppendQuorumState(b []byte, q *QuorumStateData, v int16) []byte {
	b = q.AppendJSON(b, v)
	b = append(b[:len(b)-1], `,"data_version":`...)
	b = strconv.AppendInt(b, int64(v), 10)
	return append(b, '}')
}

// quorumStateFile is the JSON form; what is missing stays nil.
type quorumStateFile struct {
	DataVersion      *int16  `json:"data_version"`
	ClusterID        *string `json:"clusterId"`
	LeaderID         *int32  `json:"leaderId"`
	LeaderEpoch      *int32  `json:"leaderEpoch"`
	VotedID          *int32  `json:"votedId"`
	VotedDirectoryID *string `json:"votedDirectoryId"`
	AppliedOffset    *int64  `json:"appliedOffset"`
	CurrentVoters    []struct {
		VoterID int32 `json:"voterId"`
	} `json:"currentVoters"`
}

// ParseQuorumState reads the content of the file quorum-state. A field that its version demands and that is not
// there is an error, as in Kafka: a forgotten vote could elect two leaders. The errors are ErrMalformed and ErrVersion.
func ParseQuorumState(b []byte) (q QuorumStateData, version int16, err error) {
	var f quorumStateFile
	if err := json.Unmarshal(b, &f); err != nil {
		return q, 0, fmt.Errorf("quorum-state: %w: %w", ErrMalformed, err)
	}
	if f.DataVersion == nil {
		return q, 0, fmt.Errorf("quorum-state: %w: no data_version", ErrMalformed)
	}
	version = *f.DataVersion
	if version < 0 || version > 1 {
		return q, 0, fmt.Errorf("quorum-state: %w", versionError("data_version", version))
	}
	if f.LeaderID == nil || f.LeaderEpoch == nil || f.VotedID == nil {
		return q, 0, fmt.Errorf("quorum-state: %w: leaderId, leaderEpoch or votedId is missing", ErrMalformed)
	}
	q = QuorumStateData{LeaderID: *f.LeaderID, LeaderEpoch: *f.LeaderEpoch, VotedID: *f.VotedID}
	if version == 0 {
		return f.readStatic(q)
	}
	if f.VotedDirectoryID == nil {
		return q, 0, fmt.Errorf("quorum-state: %w: votedDirectoryId is missing", ErrMalformed)
	}
	if q.VotedDirectoryID, err = kafka.ParseUUID(*f.VotedDirectoryID); err != nil {
		return q, 0, fmt.Errorf("quorum-state: %w: votedDirectoryId: %w", ErrMalformed, err)
	}
	return q, version, nil
}

// readStatic adds the fields of version 0.
func (f *quorumStateFile) readStatic(q QuorumStateData) (QuorumStateData, int16, error) {
	if f.ClusterID == nil || f.AppliedOffset == nil {
		return q, 0, fmt.Errorf("quorum-state: %w: clusterId or appliedOffset is missing", ErrMalformed)
	}
	q.ClusterID, q.AppliedOffset = *f.ClusterID, *f.AppliedOffset
	for _, v := range f.CurrentVoters {
		q.CurrentVoters = append(q.CurrentVoters, QuorumStateVoter{VoterID: v.VoterID})
	}
	return q, 0, nil
}
