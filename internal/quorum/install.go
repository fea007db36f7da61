package quorum

import (
	"fmt"
	"io"
	"path"
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
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
	members voters
	err     error
}

// fetchSnapshot brings a snapshot under its name, whole and synced.
func (e *Engine) fetchSnapshot(from kafka.NodeID, id SnapshotID) (members voters, err error) {
	_, members, err = writeFetched(e.cfg.FS, e.cfg.Dir, id, func(w io.Writer) error { return e.cfg.FetchSnapshot(e.life, from, id, w) })
	if err != nil {
		return members, fmt.Errorf("from node %d: %w", from, err)
	}
	return members, nil
}

// writeFetched writes a snapshot, whose bytes fetch gives, so that it is there whole and synced, or not at all, and reads it.
func writeFetched(f vfs.FS, dir string, id SnapshotID, fetch func(io.Writer) error) (image *metadata.Image, members voters, err error) {
	name := path.Join(dir, id.String())
	temp := name + partSuffix
	file, err := f.Create(temp)
	if err != nil {
		return nil, members, err
	}
	err = fetch(&appender{file: file})
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		image, members, err = loadSnapshot(f, dir, id, partSuffix)
	}
	if err == nil {
		err = f.Rename(temp, name)
	}
	if err != nil {
		_ = f.Remove(temp) // the next start would
		return nil, members, fmt.Errorf("fetch snapshot %v: %w", id, err)
	}
	return image, members, f.SyncDir(dir)
}

// appender writes to the end of a file.
type appender struct {
	file vfs.File
	at   int64
}

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	n, err := a.file.WriteAt(p, a.at)
	a.at += int64(n)
	return n, err
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
		if got.members.kraft == 0 {
			got.members = e.members.last().voters
		}
		e.pass(e.amongThem(m, got.members))
	default:
	}
}

// amongThem has Raft take a snapshot: it takes none that does not name this node, and one that follows without a vote is named in none.
func (e *Engine) amongThem(m *raftpb.Message, members voters) *raftpb.Message {
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
	image, members, err := loadSnapshot(e.cfg.FS, e.cfg.Dir, id, "")
	if err != nil {
		return err
	}
	if err := e.beginAt(id.EndOffset, now); err != nil {
		return err
	}
	if members.kraft > 0 {
		e.members.begin(membership{voters: members, at: kafka.NoOffset, inLog: true})
	}
	e.storage.snap = id
	e.reconfigure()
	e.storage.recent.reset()
	e.applying, e.committed = nil, id.EndOffset
	e.snapshots.kept, e.snapshots.bytes, e.snapshots.last = append(e.snapshots.kept, id), 0, now
	if err := e.noteSynced(); err != nil {
		return err
	}
	change := replaced(e.Image(), image)
	e.loader = metadata.NewLoader(change.Image)
	e.publish(change)
	return nil
}

// replaced is the step from one image to another that was read from elsewhere.
func replaced(from, to *metadata.Image) metadata.Change {
	delta := metadata.Between(from, to)
	return metadata.Change{Delta: delta, Image: delta.Apply(to.Offset, to.Epoch, to.Timestamp)}
}
