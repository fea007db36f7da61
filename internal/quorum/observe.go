package quorum

import (
	"cmp"
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
)

// ReadLog reads the committed log for an observer, as commitlog.Log.Read does; offsets below the log start wrap
// kerr.OffsetOutOfRange: the observer must fetch a snapshot.
func (e *Engine) ReadLog(from kafka.Offset, maxBytes int) (commitlog.Span, error) {
	return e.log.Read(from, maxBytes, e.Shown().HighWatermark, true)
}

// Bounds are the ends of the metadata log.
type Bounds struct {
	LogStartOffset kafka.Offset
	HighWatermark  kafka.Offset // exclusive
	LogEndOffset   kafka.Offset // exclusive
}

// Bounds returns the ends of the log.
func (e *Engine) Bounds() Bounds {
	return Bounds{
		LogStartOffset: e.log.LogStartOffset(),
		HighWatermark:  e.Shown().HighWatermark,
		LogEndOffset:   e.log.LogEndOffset(),
	}
}

// EpochEndOffset answers OffsetForLeaderEpoch for the metadata log, as commitlog.Log.EpochEndOffset does.
func (e *Engine) EpochEndOffset(epoch kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	return e.log.EpochEndOffset(epoch)
}

// ReplicaState is one line of DescribeQuorum.
type ReplicaState struct {
	ID           kafka.NodeID
	Directory    kafka.UUID
	LogEndOffset kafka.Offset
	// LastFetch and LastCaughtUp are zero when not known.
	LastFetch, LastCaughtUp time.Time
}

// Status is what DescribeQuorum answers.
type Status struct {
	Leader        kafka.NodeID
	Epoch         kafka.LeaderEpoch
	HighWatermark kafka.Offset
	// KRaftVersion is the finalized kraft.version: 0 with static voters, 1 with voters in the log.
	KRaftVersion int16
	Voters       []ReplicaState
	Observers    []ReplicaState
	// Nodes are the voters with their endpoints.
	Nodes []Voter

	snapshot SnapshotID
}

// publishStatus shows the state of the quorum; the loop calls it when something of it changed.
func (e *Engine) publishStatus() {
	basic := e.raft.BasicStatus()
	e.Show(&Status{
		Leader:        nodeID(basic.Lead),
		Epoch:         kafka.LeaderEpoch(basic.GetTerm()),
		HighWatermark: e.committed,
		KRaftVersion:  e.members.Last().KRaft,
		Nodes:         e.members.Last().Set,
		snapshot:      e.storage.snap,
	})
}

// Status returns the state of the quorum. The leader's own line is of the moment; other voters have what they told.
func (e *Engine) Status() Status {
	s := *e.Shown()
	now := e.cfg.Now()
	for _, v := range s.Nodes {
		s.Voters = append(s.Voters, e.line(v, now))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Leader == e.cfg.NodeID {
		for _, v := range e.followers {
			s.Observers = append(s.Observers, e.told[v.Key()].line(v))
		}
	}
	for _, line := range e.seen {
		if now.Sub(line.LastFetch) <= observerTimeout {
			s.Observers = append(s.Observers, line)
		}
	}
	slices.SortFunc(s.Observers, func(a, b ReplicaState) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// line is a voter's line of DescribeQuorum.
func (e *Engine) line(v Voter, now time.Time) ReplicaState {
	line := ReplicaState{ID: v.ID, Directory: v.Directory, LogEndOffset: kafka.NoOffset}
	if v.ID == e.cfg.NodeID {
		line.LogEndOffset, line.LastFetch, line.LastCaughtUp = e.log.LogEndOffset(), now, now
		return line
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.told[v.Key()]; ok {
		return t.line(v)
	}
	return line
}

func (t told) line(v Voter) ReplicaState {
	return ReplicaState{ID: v.ID, Directory: v.Directory, LogEndOffset: t.offset, LastFetch: t.at, LastCaughtUp: t.caughtUp}
}

// told is what a follower told its leader last.
type told struct {
	at       time.Time
	offset   kafka.Offset // it has the log up to there, exclusive
	end      kafka.Offset // of the leader's log at that time
	caughtUp time.Time    // when it had all

	directory kafka.UUID // of its log
}

// heardOf notes the answer of a follower.
func (e *Engine) heardOf(m *raftpb.Message, from ReplicaKey) {
	now, end, key := e.cfg.Now(), e.log.LogEndOffset(), from
	if e.members.Last().KRaft == 0 {
		key.Directory = kafka.UUID{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.told[key]
	if m.GetType() == raftpb.MsgAppResp && !m.GetReject() {
		t.offset = max(t.offset, kafka.Offset(m.GetIndex()))
	}
	switch {
	case t.offset >= end:
		t.caughtUp = now
	case t.offset >= t.end && !t.at.IsZero():
		t.caughtUp = t.at
	}
	t.at, t.end, t.directory = now, end, from.Directory
	e.told[key] = t
}

// Voter returns a voter as this node knows it, and false if it knows none of that id.
func (e *Engine) Voter(id kafka.NodeID) (Voter, bool) {
	return metalog.Voters{Set: e.Shown().Nodes}.Find(id)
}

// observerTimeout is how long an observer that does not fetch any more is still shown; Kafka's is the same.
const observerTimeout = 5 * time.Minute

// Observed notes that an observer fetched from offset, which means that it holds the log up to there.
func (e *Engine) Observed(id kafka.NodeID, directory kafka.UUID, offset kafka.Offset) {
	end, now := e.log.LogEndOffset(), e.cfg.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	key := ReplicaKey{ID: id, Directory: directory}
	line := e.seen[key]
	line.ID, line.Directory, line.LogEndOffset, line.LastFetch = id, directory, offset, now
	if offset >= end {
		line.LastCaughtUp = now
	}
	e.seen[key] = line
	for k, l := range e.seen {
		if now.Sub(l.LastFetch) > observerTimeout {
			delete(e.seen, k)
		}
	}
}
