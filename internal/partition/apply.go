package partition

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"slices"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/replica"
)

// Apply follows the metadata log: it creates, leads, configures and deletes. Call it in order and from one goroutine; the first
// delta is the one from the empty image to the first image: what was recovered and is not in that image is stray and set aside.
func (m *Manager) Apply(delta *metadata.Delta, image *metadata.Image) {
	e := &edit{m: m, image: image, table: m.table.Load(), topics: make(map[string]*topic)}
	for _, c := range delta.Topics() {
		if c.Before != nil && c.After == nil {
			e.deleteTopic(c.Before)
		}
		if c.After != nil {
			e.changeTopic(c)
		}
	}
	e.publish()
	e.sweep()
	m.image.Store(image)
	if len(e.moved) > 0 {
		m.o.Moved(e.moved)
	}
	m.configure(delta, image)
	m.admit(delta)
	e.setAside()
}

// edit is the next table in the making.
type edit struct {
	m      *Manager
	image  *metadata.Image
	table  *table
	topics map[string]*topic // changed ones, nil if deleted
	ids    map[kafka.TopicID]*topic
	dirs   []candidate // the directories as they were when the first was chosen
	moved  []*Partition
}

// publish makes the new table visible, if anything changed.
func (e *edit) publish() {
	if len(e.topics) == 0 && len(e.ids) == 0 {
		return
	}
	names, ids := e.table.byName.Edit(), e.table.byID.Edit()
	for id, t := range e.ids {
		if t == nil {
			ids.Remove(id)
		}
	}
	for name, t := range e.topics {
		if t == nil {
			names.Remove(name)
			continue
		}
		names.Set(name, t)
		ids.Set(t.id, t)
	}
	e.m.table.Store(newTable(names.Finish(), ids.Finish()))
}

// sweep takes partitions offline whose directory failed while they were not in the table, where its failure would have found them.
func (e *edit) sweep() {
	for _, t := range e.topics {
		if t == nil {
			continue
		}
		for _, p := range t.partitions {
			if p != nil && p.dir().failure() != nil {
				p.takeOffline(failed)
			}
		}
	}
}

// topic returns the edit's copy of a topic.
func (e *edit) topic(t *metadata.Topic) *topic {
	if own := e.topics[t.Name]; own != nil && own.id == t.ID {
		return own
	}
	own := &topic{name: t.Name, id: t.ID}
	if before := e.table.withID(t.ID); before != nil {
		own.partitions = slices.Clone(before.partitions)
	}
	e.topics[t.Name] = own
	return own
}

func (e *edit) deleteTopic(t *metadata.Topic) {
	before := e.table.withID(t.ID)
	if before == nil {
		return
	}
	for _, p := range before.partitions {
		if p != nil {
			e.remove(p)
		}
	}
	if _, anew := e.topics[t.Name]; !anew {
		e.topics[t.Name] = nil // the name is gone, unless the same delta made it anew
	}
	if e.ids == nil {
		e.ids = make(map[kafka.TopicID]*topic)
	}
	e.ids[t.ID] = nil
}

func (e *edit) changeTopic(c metadata.TopicChange) {
	own := e.topic(c.After)
	var config *Config
	for _, part := range c.Partitions() {
		for int(part.ID) >= len(own.partitions) {
			own.partitions = append(own.partitions, nil)
		}
		p := own.partitions[part.ID]
		directory, mine := part.Directory(e.m.o.Self)
		switch {
		case !mine && p != nil:
			e.remove(p)
			own.partitions[part.ID] = nil
		case !mine:
		default:
			if p == nil {
				if config == nil {
					config = e.m.config(e.image, c.After.Name)
				}
				if p = e.create(c.After, part, directory, config); p == nil {
					continue
				}
				own.partitions[part.ID] = p
			}
			if p.become(leadership(part)) {
				e.moved = append(e.moved, p)
			}
		}
	}
}

// leadership is what the image says about a partition, as the core wants it.
func leadership(p *metadata.Partition) replica.Leadership {
	return replica.Leadership{
		Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch, Replicas: nodes(p.Replicas), ISR: nodes(p.ISR),
	}
}

func nodes(ids []int32) []kafka.NodeID {
	out := make([]kafka.NodeID, len(ids))
	for i, id := range ids {
		out[i] = kafka.NodeID(id)
	}
	return out
}

// config returns the configuration of a topic; those that set nothing themselves share one.
func (m *Manager) config(image *metadata.Image, topic string) *Config {
	own := image.Configs.Topic(topic)
	if len(own) > 0 {
		c := m.o.TopicConfig(topic, own)
		return &c
	}
	if m.plain.configs != image.Configs {
		c := m.o.TopicConfig(topic, nil)
		m.plain = plainConfig{image.Configs, &c}
	}
	return m.plain.config
}

// create claims a recovered log for a partition, or makes a new one. It returns nil if that fails, which fails the directory.
func (e *edit) create(t *metadata.Topic, part *metadata.Partition, directory kafka.UUID, c *Config) *Partition {
	m := e.m
	id := kafka.TopicPartition{Topic: t.Name, Partition: part.ID}
	r := m.claim(id, directory)
	m.mu.Lock()
	// Without partition.metadata nothing was ever appended, and the folder may serve any life of the topic.
	if r != nil && (r.topicID == t.ID || r.topicID.IsZero() && r.log.LogEndOffset() == 0) {
		delete(m.recovered, id)
		m.mu.Unlock()
		if r.dir.failure() != nil {
			r.log.Abandon()
			return nil
		}
		p := newPartition(r.dir, m.o.Self, id, t.ID, r.log, r.highWatermark, c)
		p.marked = r.topicID == t.ID
		p.setConfig(c)
		m.resume(p)
		return e.placed(p, directory)
	}
	m.mu.Unlock()
	if r != nil {
		m.stray(r)
	}
	d, log := e.begin(id, part, directory, c)
	if log == nil {
		return nil
	}
	p := newPartition(d, m.o.Self, id, t.ID, log, 0, c)
	m.resume(p)
	return e.placed(p, directory)
}

// begin returns the log of a partition that has none, which needs no folder before its first record, and its directory. A future log that is
// all that is left is taken instead. The log is nil if the directory failed, or is offline.
func (e *edit) begin(id kafka.TopicPartition, part *metadata.Partition, directory kafka.UUID, c *Config) (*logDir, *commitlog.Log) {
	m := e.m
	d, err := m.promote(id, directory)
	if d != nil {
		opts := m.o.Template
		opts.Partition, opts.Config, opts.Now = id, c.Log, m.o.Now()
		var log *commitlog.Log
		if err = cmp.Or(err, d.forget(id)); err == nil {
			log, _, err = commitlog.Open(m.o.FS, path.Join(d.Path, id.String()), opts)
		}
		if err != nil {
			d.fail(err)
		}
		return d, log
	}
	if d = e.choose(id, directory, part); d == nil {
		m.o.Log.Error("partition is offline with its log directory", "partition", id)
		return nil, nil
	}
	if err := d.forget(id); err != nil {
		d.fail(err)
		return nil, nil
	}
	return d, commitlog.New(m.o.FS, d.Path, m.o.Template.Cache, id, &c.Log)
}

// choose returns the directory for a partition that has no log here, or nil.
func (e *edit) choose(id kafka.TopicPartition, directory kafka.UUID, part *metadata.Partition) *logDir {
	if e.m.mayBeOffline(id) {
		return nil
	}
	if d := e.m.wished(id); d != nil {
		return d
	}
	if e.dirs == nil {
		e.dirs = make([]candidate, len(e.m.dirs))
		for i, d := range e.m.dirs {
			e.dirs[i] = candidate{id: d.ID, cordoned: e.m.o.Cordoned(d.Path)}
		}
	}
	for i, d := range e.m.dirs {
		e.dirs[i].online, e.dirs[i].replicas = d.failure() == nil, d.replicas.Load()
	}
	if i := place(e.dirs, directory, e.fresh(directory, part)); i >= 0 {
		return e.m.dirs[i]
	}
	return nil
}

// candidate is a log directory that may get a partition.
type candidate struct {
	id       kafka.UUID
	online   bool
	cordoned bool // no new partitions, if there is another one
	replicas int64
}

// place returns the index of the directory that the metadata names, or else of the one with the fewest partitions, the first of those; -1 if
// none is online, or if the log is, or may be, in a directory that is offline: to begin an empty one elsewhere would be to lose it.
// fresh says that there is no log anywhere yet.
func place(dirs []candidate, named kafka.UUID, fresh bool) int {
	best, offline := -1, false
	for i, d := range dirs {
		switch {
		case !d.online:
			offline = true
		case d.id == named:
			return i
		case best < 0 || dirs[best].cordoned && !d.cordoned:
			best = i
		case d.cordoned == dirs[best].cordoned && d.replicas < dirs[best].replicas:
			best = i
		}
	}
	if offline && !fresh {
		return -1
	}
	return best
}

// fresh reports whether a partition has no log anywhere yet: the metadata has only just got it.
func (e *edit) fresh(directory kafka.UUID, part *metadata.Partition) bool {
	unassigned := directory == kafka.UnassignedDirectory || directory == kafka.MigratingDirectory
	return unassigned && part.PartitionEpoch == 0 && e.m.image.Load() != nil
}

// placed counts a partition in its directory, and notes it when that is another one than the metadata says.
func (e *edit) placed(p *Partition, directory kafka.UUID) *Partition {
	p.dir().replicas.Add(1)
	p.dir().stale()
	if p.dir().ID != directory {
		e.m.misplace(p, p.dir().ID)
	}
	return p
}

// misplace has the controller told that a replica is, or is about to be, in another directory than the metadata says.
func (m *Manager) misplace(p *Partition, directory kafka.UUID) {
	now := Placement{Topic: p.topicID, Partition: p.id.Partition, Directory: directory}
	m.mu.Lock()
	m.misplaced[now.replica()] = now.Directory
	m.mu.Unlock()
	m.o.Placed()
}

// Placement says in which log directory a replica of this node is.
type Placement struct {
	Topic     kafka.TopicID
	Partition int32
	Directory kafka.UUID
}

// StillMisplaced takes back replicas of which the controller could not be told, but for those of which there is newer news.
func (m *Manager) StillMisplaced(all []Placement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range all {
		if _, newer := m.misplaced[p.replica()]; !newer {
			m.misplaced[p.replica()] = p.Directory
		}
	}
}

// replica is the partition of a Placement, without the directory.
func (p Placement) replica() Placement { return Placement{Topic: p.Topic, Partition: p.Partition} }

// Misplaced returns, once, the replicas that were made or found in another directory than the metadata says, or in one
// where it says none: the controller has to be told (KIP-858).
func (m *Manager) Misplaced() []Placement {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Placement, 0, len(m.misplaced))
	for p, directory := range m.misplaced {
		p.Directory = directory
		all = append(all, p)
	}
	m.misplaced = make(map[Placement]kafka.UUID)
	slices.SortFunc(all, func(a, b Placement) int {
		return cmp.Or(bytes.Compare(a.Topic[:], b.Topic[:]), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

// remove deletes a partition that is not this node's any more: its folder is renamed at once and removed later.
func (e *edit) remove(p *Partition) {
	m := e.m
	p.abandon(gone)
	m.barred.forget(p)
	e.moved = append(e.moved, p)
	p.dir().replicas.Add(-1)
	p.dir().stale()
	if p.dir().failure() != nil || !p.log().Made() {
		return
	}
	if err := m.retire(p.dir(), p.id.String(), p.id, m.o.Now()); err != nil {
		p.dir().fail(err)
	}
}

// setAside renames what was recovered and is in no image; only the first Apply finds any.
func (e *edit) setAside() {
	m := e.m
	m.mu.Lock()
	left := slices.AppendSeq(slices.Collect(maps.Values(m.recovered)), maps.Values(m.twins))
	clear(m.recovered)
	clear(m.twins)
	moving := len(m.moves) > 0
	m.mu.Unlock()
	for _, r := range left {
		m.stray(r)
	}
	m.leaveFutures()
	if moving {
		m.wakeMover() // the image may have the new directory of a replica
	}
}

// stray closes the log of a partition that the metadata does not know and renames its folder, which stays until somebody looks at it.
func (m *Manager) stray(r *recovered) {
	m.mu.Lock()
	if m.recovered[r.id] == r {
		delete(m.recovered, r.id)
	}
	m.mu.Unlock()
	if r.dir.failure() != nil {
		r.log.Abandon()
		return
	}
	to := commitlog.StrayName(r.id, m.o.NewID())
	m.o.Log.Warn("a log is of no partition of this node and was set aside", "dir", r.dir.Path, "partition", r.id, "topic_id", r.topicID, "as", to)
	err := r.log.Close(m.o.Now())
	if err == nil {
		err = m.o.FS.Rename(path.Join(r.dir.Path, r.id.String()), path.Join(r.dir.Path, to))
	}
	if err == nil {
		err = m.o.FS.SyncDir(r.dir.Path)
	}
	if err != nil {
		r.dir.fail(err)
	}
}

// configure gives partitions their changed configuration; a change of the node's concerns all topics.
func (m *Manager) configure(delta *metadata.Delta, image *metadata.Image) {
	all := false
	for _, c := range delta.Configs() {
		switch c.Resource.Type {
		case metadata.BrokerResource:
			all = true
		case metadata.TopicResource:
			m.configureTopic(image, m.table.Load().name(c.Resource.Name))
		}
	}
	if all {
		select {
		case m.reconfigured <- struct{}{}:
		default:
		}
		for _, t := range m.table.Load().byName.All() {
			m.configureTopic(image, t)
		}
	}
}

func (m *Manager) configureTopic(image *metadata.Image, t *topic) {
	if t == nil {
		return
	}
	c := m.config(image, t.name)
	for _, p := range t.partitions {
		if p != nil {
			p.setConfig(c)
		}
	}
}
