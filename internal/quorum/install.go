package quorum

import (
	"fmt"
	"io"
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
)

// offered takes a leader's message that this voter's log is behind what the leader still has: the snapshot is fetched beside the loop,
// and Raft hears of the message when the file is on the disk.
func (e *Engine) offered(m *raftpb.Message) {
	id := snapshotOf(m.GetSnapshot())
	if e.install != nil || id.EndOffset <= e.committed {
		if e.install == nil {
			e.pass(m) // the leader learns how far this voter is
		}
		return
	}
	e.install = m
	from := nodeID(m.GetFrom())
	e.cfg.Log.Info("this voter is behind the metadata log and fetches a snapshot", "snapshot", id, "from", from)
	e.cfg.Go(func() {
		members, err := e.fetchSnapshot(from, id)
		e.fetched <- fetched{members, err} // there is room: one runs at a time
	})
}

func snapshotOf(s *raftpb.Snapshot) SnapshotID {
	m := s.GetMetadata()
	return SnapshotID{EndOffset: kafka.Offset(m.GetIndex()), Epoch: kafka.LeaderEpoch(m.GetTerm())}
}

// fetched is what came of fetching a snapshot: who votes by it.
type fetched struct {
	members metalog.Voters
	err     error
}

// fetchSnapshot brings a snapshot under its name, whole and synced.
func (e *Engine) fetchSnapshot(from kafka.NodeID, id SnapshotID) (members metalog.Voters, err error) {
	_, members, err = metalog.Fetch(e.cfg.FS, e.cfg.Dir, id, func(w io.Writer) error { return e.cfg.FetchSnapshot(e.life, from, id, w) })
	if err != nil {
		return members, fmt.Errorf("from node %d: %w", from, err)
	}
	return members, nil
}

// snapshotFetched tells Raft of the snapshot that is there now.
func (e *Engine) snapshotFetched() {
	select {
	case got := <-e.fetched:
		m := e.install
		e.install = nil
		if got.err != nil {
			e.cfg.Log.Warn("a metadata snapshot was not fetched; the leader offers it again", "err", got.err)
			return
		}
		if got.members.KRaft == 0 {
			got.members = e.members.Last().Voters
		}
		e.pass(e.amongThem(m, got.members))
	default:
	}
}

// amongThem has Raft take a snapshot: it takes none that does not name this node, and one that follows without a vote is named in none.
func (e *Engine) amongThem(m *raftpb.Message, members metalog.Voters) *raftpb.Message {
	conf := e.confOf(members)
	if self := raftID(e.cfg.NodeID); !slices.Contains(conf.Voters, self) {
		conf.Learners = []uint64{self}
	}
	m.Snapshot.Metadata.ConfState = conf
	return m
}

// installSnapshot makes what Raft has restored the state of this voter: the log goes on behind the snapshot.
func (e *Engine) installSnapshot(s *raftpb.Snapshot, now time.Time) error {
	id := snapshotOf(s)
	image, members, err := metalog.LoadSnapshot(e.cfg.FS, e.cfg.Dir, id)
	if err != nil {
		return err
	}
	if err := e.beginAt(id.EndOffset, now); err != nil {
		return err
	}
	if members.KRaft > 0 {
		e.members.Begin(metalog.Membership{Voters: members, At: kafka.NoOffset, InLog: true})
	}
	e.storage.snap = id
	e.reconfigure()
	e.storage.recent.reset()
	e.applying, e.committed = nil, id.EndOffset
	e.snapshots.Took(id, now)
	if err := e.noteSynced(); err != nil {
		return err
	}
	change := metalog.Replaced(e.Image(), image)
	e.loader = metadata.NewLoader(change.Image)
	e.publish(change)
	return nil
}
