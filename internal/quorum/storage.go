package quorum

import (
	"errors"
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// storage shows the log to Raft. Every record is an entry: its index is its offset + 1 and its term is the leader
// epoch of its batch. The bytes of a batch ride on the entry of its first record; the entries of the others are
// empty. So the index of a record follows from the log alone.
//
// It belongs to the loop.
type storage struct {
	log    *commitlog.Log
	hard   *raftpb.HardState
	conf   *raftpb.ConfState
	snap   SnapshotID // what lies below is compacted, as far as Raft knows
	recent recent
}

func index(o kafka.Offset) uint64  { return uint64(o) + 1 }
func offset(i uint64) kafka.Offset { return kafka.Offset(i) - 1 }

// InitialState implements raft.Storage.
func (s *storage) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	return s.hard, s.conf, nil
}

// FirstIndex implements raft.Storage.
func (s *storage) FirstIndex() (uint64, error) { return uint64(s.snap.EndOffset) + 1, nil }

// LastIndex implements raft.Storage: the log end offset is exclusive, and so it is the index of the last record.
func (s *storage) LastIndex() (uint64, error) { return uint64(s.log.LogEndOffset()), nil }

// Term implements raft.Storage.
func (s *storage) Term(i uint64) (uint64, error) {
	end := uint64(s.snap.EndOffset)
	switch {
	case i == end:
		return uint64(s.snap.Epoch), nil
	case i < end:
		return 0, raft.ErrCompacted
	case i > uint64(s.log.LogEndOffset()):
		return 0, raft.ErrUnavailable
	}
	epoch := s.log.EpochAt(offset(i))
	if epoch == kafka.NoEpoch {
		return 0, fmt.Errorf("%w: no epoch for offset %d", ErrDamaged, offset(i))
	}
	return uint64(epoch), nil
}

// Entries implements raft.Storage. It ends with a whole batch, even if that exceeds maxSize.
func (s *storage) Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error) {
	if lo <= uint64(s.snap.EndOffset) {
		return nil, raft.ErrCompacted
	}
	var entries []*raftpb.Entry
	var size uint64
	for next := lo; next < hi; {
		batches, err := s.batches(offset(next), offset(hi), int(min(maxSize, 1<<20)))
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			for i := max(next, index(b.BaseOffset())); i <= index(b.LastOffset()) && i < hi; i++ {
				entries = append(entries, entry(b, i))
			}
			next = index(b.NextOffset())
			if size += uint64(len(b)); size >= maxSize {
				return entries, nil
			}
		}
	}
	return entries, nil
}

// entry is the entry at index i, which lies in b.
func entry(b record.Batch, i uint64) *raftpb.Entry {
	e := &raftpb.Entry{Index: new(i), Term: new(uint64(b.LeaderEpoch()))}
	if i == index(b.BaseOffset()) {
		e.Data = b
	}
	return e
}

// batches returns whole batches from the one that holds from on, at least one; end is exclusive.
func (s *storage) batches(from, end kafka.Offset, maxBytes int) ([]record.Batch, error) {
	if found := s.recent.from(from, end); len(found) > 0 {
		return found, nil
	}
	return readBatches(s.log, from, maxBytes)
}

// readBatches reads whole batches of a log from the one that holds from on, at least one, and checks them.
func readBatches(log *commitlog.Log, from kafka.Offset, maxBytes int) ([]record.Batch, error) {
	span, err := log.Read(from, maxBytes, log.LogEndOffset(), true)
	if errors.Is(err, kerr.CorruptMessage) {
		return nil, fmt.Errorf("%w: offset %d: %w", ErrDamaged, from, err)
	}
	if err != nil {
		return nil, err
	}
	defer span.Release()
	b := make([]byte, span.Len())
	if _, err := span.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("read the metadata log at offset %d: %w", from, err)
	}
	var batches []record.Batch
	for len(b) > 0 {
		one, rest, err := record.Next(b)
		if err != nil {
			break // the range may end within a batch
		}
		if err := one.CheckCRC(); err != nil {
			return nil, fmt.Errorf("%w: offset %d: %w", ErrDamaged, one.BaseOffset(), err)
		}
		batches, b = append(batches, one), rest
	}
	if len(batches) == 0 {
		return nil, fmt.Errorf("%w: nothing readable at offset %d", ErrDamaged, from)
	}
	return batches, nil
}

// Snapshot implements raft.Storage: the name is enough, the receiver fetches the file by FetchSnapshot.
func (s *storage) Snapshot() (*raftpb.Snapshot, error) {
	return &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{
		ConfState: s.conf,
		Index:     new(uint64(s.snap.EndOffset)),
		Term:      new(uint64(s.snap.Epoch)),
	}}, nil
}

// recent holds the newest batches, so that applying what was just written reads no file.
type recent struct {
	batches []record.Batch
	size    int
}

// maxRecent bounds what is held in bytes.
const maxRecent = 1 << 20

func (r *recent) add(b record.Batch) {
	r.batches = append(r.batches, b)
	r.size += len(b)
	for r.size > maxRecent && len(r.batches) > 1 {
		r.size -= len(r.batches[0])
		r.batches[0] = nil
		r.batches = r.batches[1:]
	}
}

func (r *recent) reset() { *r = recent{} }

// from returns the held batches from the one that holds offset on, up to end (exclusive).
func (r *recent) from(offset, end kafka.Offset) []record.Batch {
	first, last := math.MaxInt, 0
	for i, b := range r.batches {
		if b.BaseOffset() <= offset && offset <= b.LastOffset() {
			first = i
		}
		if b.BaseOffset() < end {
			last = i + 1
		}
	}
	if first >= last {
		return nil
	}
	return r.batches[first:last]
}
