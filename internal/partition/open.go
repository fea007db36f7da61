package partition

import (
	"errors"
	"fmt"
	"math"
	"path"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/obs"
)

// recovered is a log that was found at start and that the metadata has not claimed yet.
type recovered struct {
	dir           *logDir
	id            kafka.TopicPartition
	topicID       kafka.TopicID // zero without partition.metadata
	log           *commitlog.Log
	highWatermark kafka.Offset
}

// dirtyBacklog is how many logs may wait for the flusher; others wait for the next checkpoint.
const dirtyBacklog = 256

// Open recovers the logs of all directories, in parallel. They serve nobody until Apply has said what they are. A directory that
// fails meanwhile is left out; the error is about the last one.
func Open(o Options) (*Manager, error) {
	o.setDefaults()
	m := &Manager{
		o: o, dirty: make(chan *Partition, dirtyBacklog), moveNews: make(chan struct{}, 1), reconfigured: make(chan struct{}, 1),
		recovered: make(map[kafka.TopicPartition]*recovered), twins: make(map[kafka.TopicPartition]*recovered),
		futures: make(map[kafka.TopicPartition]future), wishes: make(map[kafka.TopicPartition]*logDir),
		misplaced: make(map[Placement]kafka.UUID), refused: obs.Once[string, bool]{For: sayAgain},
	}
	m.moveRate.Store(math.MaxInt64)
	m.grown.Store(true) // what an earlier process left
	m.deleteDelay.Store(int64(o.DeleteDelay))
	m.table.Store(newTable(metadata.Map[string, *topic]{}, metadata.Map[kafka.TopicID, *topic]{}))
	for _, d := range o.Dirs {
		m.dirs = append(m.dirs, &logDir{Dir: d, m: m, err: d.Err, written: make(map[string][]byte), syncTurns: make(chan struct{}, maxSyncs)})
	}
	started := o.Now()
	var all sync.WaitGroup
	for _, d := range m.dirs {
		if d.Err != nil {
			continue
		}
		all.Go(func() {
			if err := m.openDir(d); err != nil {
				d.fail(err)
			}
		})
	}
	all.Wait()
	var errs []error
	for _, d := range m.dirs {
		errs = append(errs, d.failure())
	}
	if len(m.dirs) == 0 {
		return nil, errors.New("there is no log directory")
	}
	if !hasNil(errs) {
		return nil, fmt.Errorf("no log directory is usable: %w", errors.Join(errs...))
	}
	m.due = firstDuties(&m.o, started)
	o.Log.Info("logs recovered", "partitions", len(m.recovered), "took", o.Now().Sub(started))
	return m, nil
}

func hasNil(errs []error) bool {
	for _, err := range errs {
		if err == nil {
			return true
		}
	}
	return false
}

// openDir opens the logs of one directory with as many goroutines as it is allowed.
func (m *Manager) openDir(d *logDir) error {
	entries, err := m.o.FS.ReadDir(d.Path)
	if err != nil {
		return err
	}
	// From here on: it tells of what was not written meanwhile.
	if d.whole, err = m.o.FS.Whole(d.Path); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	offsets := startOffsets{
		recovery: d.offsets(checkpoint.RecoveryPoint), logStart: d.offsets(checkpoint.LogStart), highWatermark: d.offsets(checkpoint.Replication),
		cleaned: d.offsets(checkpoint.Cleaner),
	}
	type job struct {
		id     kafka.TopicPartition
		config *Config
	}
	jobs := make(chan job)
	errs := make([]error, m.o.RecoveryThreads)
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() {
			for j := range jobs {
				if errs[i] == nil {
					errs[i] = m.recover(d, j.id, j.config, offsets)
				}
			}
		})
	}
	now := m.o.Now()
	var config *Config // of the topic of the last folder: they come in order
	var topic string
	for _, e := range entries {
		if !e.Dir {
			continue
		}
		switch id, kind := commitlog.ParseFolder(e.Name); {
		case kind == commitlog.Deleted:
			m.discard(path.Join(d.Path, e.Name), d, now)
		case kind == commitlog.Future:
			m.foundFuture(d, id, e.Name, now)
		case kind == commitlog.Partition && id.Topic != kafka.ClusterMetadataTopic:
			if config == nil || topic != id.Topic {
				c := m.o.TopicConfig(id.Topic, nil)
				config, topic = &c, id.Topic
			}
			jobs <- job{id, config}
		}
	}
	close(jobs)
	workers.Wait()
	return errors.Join(errs...)
}

// startOffsets are the checkpoints of a directory as they were at start.
type startOffsets struct {
	recovery, logStart, highWatermark, cleaned map[kafka.TopicPartition]kafka.Offset
}

// recover opens one log.
func (m *Manager) recover(d *logDir, id kafka.TopicPartition, c *Config, at startOffsets) error {
	folder := path.Join(d.Path, id.String())
	topicID, marked, err := checkpoint.ReadPartition(m.o.FS, folder)
	if err != nil && !errors.Is(err, checkpoint.ErrMalformed) {
		return err
	}
	if !marked && err == nil {
		if ours, err := commitlog.IsLog(m.o.FS, folder); err != nil || !ours {
			m.o.Log.Warn("a folder has a partition's name and is none: it is left alone", "dir", folder, "err", err)
			return err
		}
	}
	opts := m.o.Template
	opts.Partition, opts.Config, opts.Now = id, c.Log, m.o.Now()
	opts.Clean, opts.Written = d.Clean, d.Written
	opts.RecoveryPoint, opts.LogStartOffset, opts.Cleaned = at.recovery[id], at.logStart[id], at.cleaned[id]
	log, report, err := commitlog.Open(m.o.FS, folder, opts)
	if err != nil {
		return err
	}
	if report.LostBytes > 0 {
		m.o.Log.Warn("the end of a log was cut off", "partition", id, "bytes", report.LostBytes, "end", log.LogEndOffset(), "cause", report.Cut)
	}
	if report.Odd != nil {
		m.o.Log.Warn("a log is not as a dead process leaves it and was checked in full", "partition", id, "bytes", report.ScannedBytes, "cause", report.Odd)
	}
	for _, damage := range report.Damage {
		m.o.Log.Error("a log is damaged", "partition", id, "range", damage)
	}
	r := &recovered{dir: d, id: id, topicID: topicID, log: log, highWatermark: at.highWatermark[id]}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.recovered[id] == nil:
		m.recovered[id] = r
	case m.twins[id] == nil:
		m.twins[id] = r
	default:
		log.Abandon()
		return fmt.Errorf("partition %s is in %s, in %s and in %s", id, m.recovered[id].dir.Path, m.twins[id].dir.Path, d.Path)
	}
	return nil
}

// trash is a folder that is to be removed.
type trash struct {
	path string
	dir  *logDir
	at   time.Time
}

// SetDeleteDelay changes how long the folders stay that are removed from now on: log.segment.delete.delay.ms.
func (m *Manager) SetDeleteDelay(d time.Duration) { m.deleteDelay.Store(int64(d)) }

// discard has a folder removed when the delay has passed.
func (m *Manager) discard(folder string, d *logDir, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trash = append(m.trash, trash{path: folder, dir: d, at: now.Add(time.Duration(m.deleteDelay.Load()))})
}
