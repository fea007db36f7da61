package quorum

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// readQuorumState returns the term, the vote and the leader on disk; a folder without the file has none.
func readQuorumState(f vfs.FS, dir string) (*raftpb.HardState, kafka.NodeID, error) {
	b, err := vfs.ReadFile(f, path.Join(dir, metalog.QuorumStateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &raftpb.HardState{Term: new(uint64(0)), Vote: new(uint64(0)), Commit: new(uint64(0))}, kafka.NoNode, nil
	}
	if err != nil {
		return nil, kafka.NoNode, fmt.Errorf("read %s: %w", metalog.QuorumStateFile, err)
	}
	q, _, err := schema.ParseQuorumState(b)
	if err != nil {
		return nil, kafka.NoNode, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if q.LeaderEpoch < 0 {
		return nil, kafka.NoNode, fmt.Errorf("%w: %s has epoch %d", ErrDamaged, metalog.QuorumStateFile, q.LeaderEpoch)
	}
	// Kafka drops its vote once it knows the leader of the epoch. To Raft the leader was voted for: that refuses
	// every other candidate of the epoch, which is what Kafka does too.
	vote := raftID(kafka.NodeID(q.VotedID))
	if q.VotedID < 0 {
		vote = raftID(kafka.NodeID(q.LeaderID))
	}
	hard := &raftpb.HardState{Term: new(uint64(q.LeaderEpoch)), Vote: new(vote), Commit: new(uint64(0))}
	return hard, kafka.NodeID(q.LeaderID), nil
}

// writeQuorumState makes term and vote durable, or the leader once it is known.
func (e *Engine) writeQuorumState(term uint64, vote, leader kafka.NodeID) error {
	if planted.Bug("vote-forgotten") {
		return nil
	}
	if term > math.MaxInt32 {
		return fmt.Errorf("term %d is no epoch: none is left for an election", term)
	}
	q := schema.NewQuorumStateData()
	q.LeaderEpoch, q.LeaderID, q.VotedID = int32(term), int32(leader), int32(vote)
	if leader != kafka.NoNode {
		q.VotedID = int32(kafka.NoNode)
	}
	version := int16(1)
	if e.members.Last().KRaft == 0 {
		version = 0
		for _, v := range e.members.Last().Set {
			q.CurrentVoters = append(q.CurrentVoters, schema.QuorumStateVoter{VoterID: int32(v.ID)})
		}
	} else if v, ok := e.members.Last().Find(vote); ok && leader == kafka.NoNode {
		q.VotedDirectoryID = v.Directory
	}
	content := schema.AppendQuorumState(nil, &q, version)
	return vfs.WriteFile(e.cfg.FS, path.Join(e.cfg.Dir, metalog.QuorumStateFile), content)
}
