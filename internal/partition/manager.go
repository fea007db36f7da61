package partition

import (
	"cmp"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/replica"
	"github.com/ottla/ottla/internal/vfs"
)

// sayAgain is how long it is not repeated in the log that a directory refuses writes.
const sayAgain = time.Minute

// Dir is one log directory.
type Dir struct {
	Path string
	ID   kafka.UUID
	// Clean says that it was shut down cleanly (checkpoint.TakeClean), so that nothing in it needs to be scanned.
	Clean bool
	// Written says that only the process died that had it before, so that what it wrote is there, synced or not.
	Written bool
	// Err says why the directory can't be used; nil when it can.
	Err error
}

// Options tell Open about the node. Intervals of zero are Kafka's defaults.
type Options struct {
	Self kafka.NodeID
	FS   vfs.FS
	Dirs []Dir // the usable ones locked and formatted by the caller
	// Template is what the options of all logs share: the Cache.
	Template commitlog.Options
	// TopicConfig computes the effective configuration of a topic from its overrides, which may be nil.
	TopicConfig func(topic string, overrides map[string]string) Config
	Now         func() time.Time
	// Go starts the syncs that answers wait for. Nil stands for a goroutine; whoever uses Step runs them in place.
	Go func(func())
	// NewID draws ids for the names of deleted folders.
	NewID func() kafka.UUID
	Log   *slog.Logger
	// RecoveryThreads is num.recovery.threads.per.data.dir; 2 by default. Closers is how many logs are closed at once; with 1 they are in the order of their names.
	RecoveryThreads    int
	Closers            int
	RetentionInterval  time.Duration // log.retention.check.interval.ms
	HighWaterInterval  time.Duration // replica.high.watermark.checkpoint.interval.ms
	CheckpointInterval time.Duration // log.flush.offset.checkpoint.interval.ms
	StartsInterval     time.Duration // log.flush.start.offset.checkpoint.interval.ms
	InitialDelay       time.Duration // log.initial.task.delay.ms: before the first of each of these, if that is sooner than its interval
	FlushCheck         time.Duration // log.flush.scheduler.interval.ms; the longest: each partition when its flush.ms has passed
	ExpiryInterval     time.Duration // producer.id.expiration.check.interval.ms
	DeleteDelay        time.Duration // log.segment.delete.delay.ms, for the folders of deleted partitions
	// Cleaners returns the configuration of the cleaners as it is now; nil runs none.
	Cleaners func() CleanerConfig
	// Cordoned reports whether a log directory takes no new replicas (KIP-1066).
	Cordoned func(path string) bool
	// Placed is told that Misplaced has something, outside all locks.
	Placed func()
	// Cluster knows other brokers; nil lets nobody come into an in-sync set. MaxLag is replica.lag.time.max.ms.
	Cluster replica.Cluster
	MaxLag  time.Duration
	// Propose has the controller asked for an in-sync set, and Moved is told at the end of an Apply which partitions got another leader or
	// epoch, or are gone: what they fetch has to be looked at. Neither may block, and both are called outside all locks.
	Propose func(Proposed)
	Moved   func([]*Partition)
	// DirFailed is told once when a log directory fails, outside all locks; last if none is left and the node has to stop.
	DirFailed func(dir Dir, last bool, err error)
}

func (o *Options) setDefaults() {
	o.RecoveryThreads = cmp.Or(o.RecoveryThreads, 2)
	o.RetentionInterval = cmp.Or(o.RetentionInterval, 5*time.Minute)
	o.HighWaterInterval = cmp.Or(o.HighWaterInterval, 5*time.Second)
	o.CheckpointInterval = cmp.Or(o.CheckpointInterval, time.Minute)
	o.StartsInterval = cmp.Or(o.StartsInterval, time.Minute)
	o.InitialDelay = cmp.Or(o.InitialDelay, 30*time.Second)
	o.FlushCheck = cmp.Or(o.FlushCheck, math.MaxInt64)
	o.ExpiryInterval = cmp.Or(o.ExpiryInterval, 10*time.Minute)
	o.DeleteDelay = cmp.Or(o.DeleteDelay, time.Minute)
	o.Template.Config = o.TopicConfig("", nil).Log
	o.Closers = cmp.Or(o.Closers, defaultClosers)
	if o.Go == nil {
		o.Go = func(f func()) { go f() }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Cordoned == nil {
		o.Cordoned = func(string) bool { return false }
	}
	if o.Propose == nil {
		o.Propose = func(Proposed) {}
	}
	if o.Moved == nil {
		o.Moved = func([]*Partition) {}
	}
	if o.Placed == nil {
		o.Placed = func() {}
	}
	if o.DirFailed == nil {
		o.DirFailed = func(Dir, bool, error) {}
	}
}

// Manager has all partitions of a node.
type Manager struct {
	o     Options
	dirs  []*logDir
	image atomic.Pointer[metadata.Image]
	table atomic.Pointer[table]
	dirty chan *Partition // finished a segment or wrote much: to be flushed
	grown atomic.Bool     // there may be something to flush
	timed atomic.Bool     // some partition has, or had, a flush.ms

	reconfigured chan struct{} // holds one: the configuration of the cleaners may have changed

	due   duties      // owned by Run
	plain plainConfig // owned by Apply

	deleteDelay atomic.Int64 // a time.Duration; Options.DeleteDelay at first

	moveNews chan struct{} // holds one: RunMoves has something to look at
	moveRate atomic.Int64  // bytes a second

	leading, following quota // of throttled partitions

	barred barred
	// refused are the log directories that refuse reads or writes, and whether for want of space, as the log says it already.
	refused obs.Once[string, bool]

	mu        sync.Mutex // a leaf; guards what Open, Apply, Run, RunMoves and requests hand to each other:
	recovered map[kafka.TopicPartition]*recovered
	twins     map[kafka.TopicPartition]*recovered // second logs of the same name
	futures   map[kafka.TopicPartition]future
	misplaced map[Placement]kafka.UUID // by Placement.replica: the directory
	trash     []trash
	moves     []*move
	wishes    map[kafka.TopicPartition]*logDir
}

// plainConfig is the configuration of the topics that set nothing themselves, as of one state of the cluster's configurations.
type plainConfig struct {
	configs *metadata.Configs
	config  *Config
}

// table is the partitions of the node; it never changes.
type table struct {
	byName metadata.Map[string, *topic]
	byID   metadata.Map[kafka.TopicID, *topic]
	order  func() []*Partition // by name; put together when it is first asked for
}

func newTable(byName metadata.Map[string, *topic], byID metadata.Map[kafka.TopicID, *topic]) *table {
	return &table{byName: byName, byID: byID, order: sync.OnceValue(func() []*Partition {
		topics := make([]*topic, 0, byName.Len())
		for _, t := range byName.All() {
			topics = append(topics, t)
		}
		slices.SortFunc(topics, func(a, b *topic) int { return cmp.Compare(a.name, b.name) })
		var all []*Partition
		for _, t := range topics {
			for _, p := range t.partitions {
				if p != nil {
					all = append(all, p)
				}
			}
		}
		return all
	})}
}

// name and withID return a topic or nil.
func (t *table) name(name string) *topic {
	found, _ := t.byName.Get(name)
	return found
}

func (t *table) withID(id kafka.TopicID) *topic {
	found, _ := t.byID.Get(id)
	return found
}

// topic is the partitions of a topic by index, nil where this node has no replica.
type topic struct {
	name       string
	id         kafka.TopicID
	partitions []*Partition
}

func (t *topic) get(index int32) *Partition {
	if t == nil || index < 0 || int(index) >= len(t.partitions) {
		return nil
	}
	return t.partitions[index]
}

// Get returns a partition by name. The error is kerr.UnknownTopicOrPartition, kerr.NotLeaderForPartition if other nodes have it, or
// kerr.KafkaStorageError if its directory failed.
func (m *Manager) Get(name string, index int32) (*Partition, error) {
	if p := m.table.Load().name(name).get(index); p != nil {
		return p.usable()
	}
	if image := m.image.Load(); image != nil {
		return nil, m.absent(image.Topics.ByName(name).Partition(index))
	}
	return nil, kerr.UnknownTopicOrPartition
}

// absent says why this node does not serve a partition: it does not exist, other nodes have it, or it is in a directory that failed.
func (m *Manager) absent(p *metadata.Partition) error {
	if p == nil {
		return kerr.UnknownTopicOrPartition
	}
	if _, mine := p.Directory(m.o.Self); mine {
		for _, d := range m.dirs {
			if d.failure() != nil {
				return kerr.KafkaStorageError
			}
		}
	}
	return kerr.NotLeaderForPartition
}

// GetByID returns a partition by topic id. Errors are Get's, and kerr.UnknownTopicID for an id that is not known.
func (m *Manager) GetByID(id kafka.TopicID, index int32) (*Partition, error) {
	if p := m.table.Load().withID(id).get(index); p != nil {
		return p.usable()
	}
	image := m.image.Load()
	if image == nil || image.Topics.ByID(id) == nil {
		return nil, kerr.UnknownTopicID
	}
	return nil, m.absent(image.Topics.ByID(id).Partition(index))
}

func (p *Partition) usable() (*Partition, error) {
	if p.state.Load() == failed {
		return nil, kerr.KafkaStorageError
	}
	return p, nil
}

// All visits the partitions of a directory in the order of their names; of all directories for the zero id.
func (m *Manager) All(dir kafka.UUID, visit func(*Partition)) {
	for _, p := range m.sorted() {
		if dir.IsZero() || p.dir().ID == dir {
			visit(p)
		}
	}
}

// sorted returns all partitions in the order of their names. Read only.
func (m *Manager) sorted() []*Partition { return m.table.Load().order() }

// DirStatus describes a log directory, as DescribeLogDirs does.
type DirStatus struct {
	Dir   Dir
	Err   error // why it is offline
	Space vfs.Space
}

// Failed lists the log directories that are offline. It asks no disk.
func (m *Manager) Failed() []Dir {
	var all []Dir
	for _, d := range m.dirs {
		if d.failure() != nil {
			all = append(all, d.Dir)
		}
	}
	return all
}

// Dirs returns the log directories, failed ones too, with the space of their file systems.
func (m *Manager) Dirs() []DirStatus {
	var all []DirStatus
	for _, d := range m.dirs {
		s := DirStatus{Dir: d.Dir, Err: d.failure()}
		if s.Err == nil {
			// Space that is not known is told as none; a directory does not fail for it.
			s.Space, _ = m.o.FS.Space(d.Path)
		}
		all = append(all, s)
	}
	return all
}
