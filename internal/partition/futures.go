package partition

import (
	"maps"
	"path"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// future is the folder of a future log that an earlier process left.
type future struct {
	dir    *logDir
	folder string
}

// foundFuture notes a future log; of two of a partition the second one goes.
func (m *Manager) foundFuture(d *logDir, id kafka.TopicPartition, folder string, now time.Time) {
	m.mu.Lock()
	_, second := m.futures[id]
	if !second {
		m.futures[id] = future{d, folder}
	}
	m.mu.Unlock()
	if second {
		m.discard(path.Join(d.Path, folder), d, now)
	}
}

// takeFuture returns the future log of a partition, once.
func (m *Manager) takeFuture(id kafka.TopicPartition) (future, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.futures[id]
	delete(m.futures, id)
	return f, ok
}

// resume goes on with the move of a recovered partition. What the future log has beyond the log that serves was lost there in a crash, and
// other records may take its place: it is cut off.
func (m *Manager) resume(p *Partition) {
	f, ok := m.takeFuture(p.id)
	switch {
	case !ok:
	case f.dir == p.dir():
		m.leave(p.id, f)
	default:
		m.begin(&move{p: p, to: f.dir, folder: f.folder, limit: p.LogEndOffset()})
	}
}

// promote makes a future log the partition's when there is no other: the old one is gone with its disk, and the metadata names the
// directory of the new one. It returns nil where that is not so.
func (m *Manager) promote(id kafka.TopicPartition, directory kafka.UUID) (*logDir, error) {
	m.mu.Lock()
	f, ok := m.futures[id]
	m.mu.Unlock()
	if !ok || f.dir.ID != directory || m.anyFailed() {
		return nil, nil
	}
	m.takeFuture(id)
	m.o.Log.Warn("a partition has no log but the one that was to replace it", "partition", id, "dir", f.dir.Path)
	if err := m.o.FS.Rename(path.Join(f.dir.Path, f.folder), path.Join(f.dir.Path, id.String())); err != nil {
		return f.dir, err
	}
	return f.dir, m.o.FS.SyncDir(f.dir.Path)
}

// leave takes a future log away that nobody will go on with.
func (m *Manager) leave(id kafka.TopicPartition, f future) {
	if f.dir.failure() != nil {
		return
	}
	if err := m.retire(f.dir, f.folder, id, m.o.Now()); err != nil {
		f.dir.fail(err)
	}
}

// leaveFutures takes the future logs away of which no log was found, unless it may be in a directory that is offline.
func (m *Manager) leaveFutures() {
	if m.anyFailed() {
		return
	}
	m.mu.Lock()
	futures := maps.Clone(m.futures)
	clear(m.futures)
	m.mu.Unlock()
	for id, f := range futures {
		m.leave(id, f)
	}
}

// mayBeOffline reports whether the log of a partition that was not found is likely in a directory that is offline: it was being copied.
func (m *Manager) mayBeOffline(id kafka.TopicPartition) bool {
	m.mu.Lock()
	_, ok := m.futures[id]
	m.mu.Unlock()
	return ok && m.anyFailed()
}

func (m *Manager) anyFailed() bool {
	for _, d := range m.dirs {
		if d.failure() != nil {
			return true
		}
	}
	return false
}

// wished returns, once, the directory that a request has chosen for a partition before it came.
func (m *Manager) wished(id kafka.TopicPartition) *logDir {
	m.mu.Lock()
	d := m.wishes[id]
	delete(m.wishes, id)
	m.mu.Unlock()
	if m.anyFailed() {
		return nil // its log may be there
	}
	return d
}

// claim chooses between two recovered logs of one partition. That is what a crash leaves at the end of a move: the longer one has all that
// the shorter one has, and of equals it is the one where the metadata says. The other one goes, or is set aside if it is of another topic.
func (m *Manager) claim(id kafka.TopicPartition, directory kafka.UUID) *recovered {
	m.mu.Lock()
	r, other := m.recovered[id], m.twins[id]
	if other != nil {
		delete(m.twins, id)
		a, b := r.log.LogEndOffset(), other.log.LogEndOffset()
		if b > a || b == a && other.dir.ID == directory {
			r, other = other, r
		}
		m.recovered[id] = r
	}
	m.mu.Unlock()
	if other == nil {
		return r
	}
	if other.topicID != r.topicID {
		m.stray(other)
		return r
	}
	start := other.log.LogStartOffset() // the checkpoint of the new directory may not say it yet
	other.log.Abandon()
	if err := r.log.SetLogStartOffset(min(start, r.log.LogEndOffset())); err != nil {
		m.o.Log.Error("the start of a log is lost", "partition", id, "err", err)
	}
	m.o.Log.Warn("a partition was in two log directories", "partition", id, "dir", r.dir.Path, "other", other.dir.Path)
	if err := m.retire(other.dir, id.String(), id, m.o.Now()); err != nil {
		other.dir.fail(err)
	}
	return r
}

// closeMoves closes the future logs; the next start goes on with them.
func (m *Manager) closeMoves(now time.Time) {
	m.mu.Lock()
	moves := m.moves
	m.moves = nil
	m.mu.Unlock()
	for _, mv := range moves {
		log := mv.log.Load()
		if log == nil || mv.dropped {
			continue
		}
		if mv.to.failure() != nil {
			log.Abandon()
		} else if err := log.Close(now); err != nil {
			mv.to.fail(err)
		}
	}
}
