package partition

import (
	"context"
	"log/slog"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
)

// Dir is one log directory.
type Dir struct {
	Path string
	ID   kafka.UUID
	// Clean says that it was shut down cleanly; what was flushed and where logs start is read from its checkpoints.
	Clean bool
}

// Options tell Open about the node.
type Options struct {
	Self kafka.NodeID
	FS   vfs.FS
	Dirs []Dir // the usable ones
	// Log is the template of each log's options: Cache.
	Log commitlog.Options
	// TopicConfig computes the effective configuration of a topic from its overrides.
	TopicConfig func(topic string, overrides map[string]string) Config
	Now         func() time.Time
	Slog        *slog.Logger
	// RecoveryThreads is num.recovery.threads.per.data.dir.
	RecoveryThreads int
	// CheckRetention, Checkpoint… are log.retention.check.interval.ms (5 min), replica.high.watermark.checkpoint.interval.ms (5 s),
	// log.flush.offset.checkpoint.interval.ms and log.flush.start.offset.checkpoint.interval.ms (60 s). Zero stands for the default.
	RetentionInterval  time.Duration
	HighWaterInterval  time.Duration
	CheckpointInterval time.Duration
	// DirFailed is told when a log directory fails, outside all locks; last if none is left.
	DirFailed func(dir kafka.UUID, last bool, err error)
}

// Manager has all partitions of a node.
type Manager struct{}

// Open recovers the logs of all directories, in parallel. They serve nobody until Apply has said what they are.
func Open(o Options) (*Manager, error) { panic("soon") }

// Apply follows the metadata log: creates, deletes, leads, configures. Call it in order, first with an empty image's delta to the first image.
func (m *Manager) Apply(delta *metadata.Delta, image *metadata.Image) { panic("soon") }

// Get returns a partition by name: kerr.UnknownTopicOrPartition if this node has no replica of it, kerr.KafkaStorageError if its directory failed.
func (m *Manager) Get(topic string, partition int32) (*Partition, error) { panic("soon") }

// GetByID returns a partition by topic id: kerr.UnknownTopicID if there is none.
func (m *Manager) GetByID(topic kafka.TopicID, partition int32) (*Partition, error) { panic("soon") }

// All visits the partitions of a directory in the order of their names; all directories for the zero id.
func (m *Manager) All(dir kafka.UUID, visit func(*Partition)) { panic("soon") }

// Dirs returns the log directories that are online, with the space of their file systems.
func (m *Manager) Dirs() []DirStatus { panic("soon") }

// DirStatus describes a log directory, as DescribeLogDirs does.
type DirStatus struct {
	Dir   Dir
	Err   error // why it is offline
	Space vfs.Space
}

// Run does the background duties until ctx is done.
func (m *Manager) Run(ctx context.Context) { panic("soon") }

// Close flushes and closes all logs and writes the checkpoints; the error joins those of directories that could not be closed cleanly.
func (m *Manager) Close() error { panic("soon") }
