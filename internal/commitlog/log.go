package commitlog

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producer"
	"github.com/ottla/ottla/internal/segment"
)

// Log is one partition's log. Methods that say "writer" are for the one writer; all others are for any goroutine.
type Log struct {
	dir       *segment.Dir
	partition kafka.TopicPartition

	list     atomic.Pointer[list]
	logStart atomic.Int64
	cleaned  atomic.Int64 // what lies below is clean
	epochs   atomic.Pointer[epochs]
	broken   atomic.Pointer[error] // a failure after which nothing may be written

	// Of the writer.
	config    *Config // of the topic: shared
	producers *producer.State
	touched   bool // something was written since Open
	settled   bool // Settle has written what Close is to leave
	closed    bool

	renaming sync.Mutex // outside of mu; held while files are renamed, which must be over before one of the same name is made

	mu            sync.Mutex   // guards what the writer leaves for the flusher and the reaper:
	recoveryPoint kafka.Offset // what lies below was synced
	truncations   int          // a flush that a truncation overtook does not move the recovery point
	truncatedTo   kafka.Offset // what the truncation file says; kafka.NoOffset without one
	sealed        []sealed
	saveEpochs    bool
	syncDir       bool
	syncParent    bool // the folder is new
	doomed        []doomed
	swaps         []swap
}

// list is the segments, first to last; the last one is active. It never changes.
type list struct {
	segments []*segment.Segment
	damage   []Damage
}

// sealed is a finished segment whose indexes, and whose snapshot of the producers at its end, are still to be written.
type sealed struct {
	segment  *segment.Segment
	snapshot []byte // nil if there is none to write
	end      kafka.Offset
}

// doomed is a segment that was removed and is to be unlinked.
type doomed struct {
	due     time.Time
	segment *segment.Segment
	renamed bool
}

// Damage is a range of offsets that was synced once and cannot be read any more. The file is kept as it is.
type Damage struct {
	From, End kafka.Offset // End is exclusive
	Segment   kafka.Offset // base offset of the file
}

// String describes the range.
func (d Damage) String() string {
	return fmt.Sprintf("offsets %d to %d of segment %d", d.From, d.End-1, d.Segment)
}

// Dir returns the folder. Writer.
func (l *Log) Dir() string {
	if !l.Made() {
		return path.Join(l.dir.Path, l.partition.String())
	}
	return l.dir.Path
}

// LogStartOffset returns the first offset that can be read.
func (l *Log) LogStartOffset() kafka.Offset { return kafka.Offset(l.logStart.Load()) }

// LogEndOffset returns the offset that the next record gets.
func (l *Log) LogEndOffset() kafka.Offset {
	next, _ := l.list.Load().active().End()
	return next
}

// RecoveryPoint returns the offset below which everything is synced. Write it to the recovery point checkpoint, then call Checkpointed.
func (l *Log) RecoveryPoint() kafka.Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recoveryPoint
}

// Size returns the size of the data files in bytes.
func (l *Log) Size() (size int64) {
	for _, s := range l.list.Load().segments {
		size += s.Size()
	}
	return size
}

// Damage returns the ranges that cannot be read, in order.
func (l *Log) Damage() []Damage { return l.list.Load().damage }

// Err returns the failure after which the log takes no more writes, or nil.
func (l *Log) Err() error {
	if p := l.broken.Load(); p != nil {
		return *p
	}
	return nil
}

// fence makes err the log's failure, unless it has one.
func (l *Log) fence(err error) error {
	if !errors.Is(err, ErrFenced) {
		err = fmt.Errorf("%w: %w", ErrFenced, err)
	}
	err = fmt.Errorf("%s: %w: %w", l.partition, kerr.KafkaStorageError, err)
	if l.broken.CompareAndSwap(nil, &err) {
		return err
	}
	return l.Err()
}

// writable returns why the log takes no writes, or nil.
func (l *Log) writable() error {
	if l.closed {
		return ErrClosed
	}
	return l.Err()
}

// Producers returns the state of the partition's producers, which Append and the truncations keep up to date: call Check before Append. Writer.
func (l *Log) Producers() *producer.State { return l.producers }

// SetConfig replaces the configuration, which must not change any more: logs share it. Writer.
func (l *Log) SetConfig(c *Config) { l.config = c }

// Config returns the configuration. Writer.
func (l *Log) Config() Config { return *l.config }

func (v *list) active() *segment.Segment { return v.segments[len(v.segments)-1] }

// find returns the index of the segment that holds the offset, or the first one.
func (v *list) find(offset kafka.Offset) int {
	n := sort.Search(len(v.segments), func(i int) bool { return v.segments[i].Base() > offset })
	return max(0, n-1)
}

// next returns the offset after the segment.
func (v *list) next(i int) kafka.Offset {
	if i+1 < len(v.segments) {
		return v.segments[i+1].Base()
	}
	next, _ := v.segments[i].End()
	return next
}

// damaged returns the first damaged range that ends above the offset.
func (v *list) damaged(offset kafka.Offset) (Damage, bool) {
	for _, d := range v.damage {
		if d.End > offset {
			return d, true
		}
	}
	return Damage{}, false
}

func (l *Log) outOfRange(offset kafka.Offset) error {
	return fmt.Errorf("%w: offset %d of %s, which has %d to %d", kerr.OffsetOutOfRange, offset, l.partition, l.LogStartOffset(), l.LogEndOffset())
}

// readError gives a corrupt segment its protocol error. Of the indexes only that of transactions can't be made anew by who reads.
func (l *Log) readError(err error) error {
	if errors.Is(err, segment.ErrCorrupt) || errors.Is(err, segment.ErrIndex) || errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%s: %w: %w", l.partition, kerr.CorruptMessage, err)
	}
	return err
}
