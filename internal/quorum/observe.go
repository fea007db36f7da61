package quorum

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
)

// ReadLog reads the committed log for an observer, as commitlog.Log.Read does; offsets below the log start wrap
// kerr.OffsetOutOfRange: the observer must fetch a snapshot.
func (e *Engine) ReadLog(from kafka.Offset, maxBytes int) (commitlog.Span, error) { panic("soon") }

// Bounds are the ends of the metadata log.
type Bounds struct {
	LogStartOffset kafka.Offset
	HighWatermark  kafka.Offset // exclusive
	LogEndOffset   kafka.Offset // exclusive
}

// Bounds returns the ends of the log as they were last published.
func (e *Engine) Bounds() Bounds { panic("soon") }

// EpochEndOffset answers OffsetForLeaderEpoch for the metadata log, as commitlog.Log.EpochEndOffset does.
func (e *Engine) EpochEndOffset(epoch kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	panic("soon")
}

// SnapshotID names a snapshot: the state of the log up to EndOffset (exclusive).
type SnapshotID struct {
	EndOffset kafka.Offset
	Epoch     kafka.LeaderEpoch
}

// Snapshot is an open snapshot file. Close it.
type Snapshot struct{}

// LatestSnapshot returns the newest snapshot, and false if there is none. The bootstrap file counts for nothing.
func (e *Engine) LatestSnapshot() (SnapshotID, bool) { panic("soon") }

// OpenSnapshot opens a snapshot for FetchSnapshot. Errors wrap kerr.SnapshotNotFound.
func (e *Engine) OpenSnapshot(id SnapshotID) (*Snapshot, error) { panic("soon") }

// Size is the snapshot's size in bytes.
func (s *Snapshot) Size() int64 { panic("soon") }

// ReadAt reads the snapshot's bytes; batches may be cut at the ends.
func (s *Snapshot) ReadAt(p []byte, off int64) (int, error) { panic("soon") }

// Close closes the file.
func (s *Snapshot) Close() error { panic("soon") }

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
	Voters        []ReplicaState
	Observers     []ReplicaState
	// Nodes are the voters with their endpoints.
	Nodes []Voter
}

// Status returns the state of the quorum.
func (e *Engine) Status() Status { panic("soon") }

// Observed notes that an observer fetched from offset, which means that it holds the log up to there.
func (e *Engine) Observed(id kafka.NodeID, directory kafka.UUID, offset kafka.Offset) { panic("soon") }
