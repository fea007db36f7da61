package quorum

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// MirrorConfig is what a mirror is told at construction; fields as in Config.
type MirrorConfig struct {
	FS               vfs.FS
	Dir              string
	Voters           []Voter
	LogConfig        commitlog.Config
	Cache            *segment.Cache
	SnapshotBytes    int64
	SnapshotInterval time.Duration
	Clean            bool
	Log              *slog.Logger
}

// Mirror is a copy of a metadata log that others decide on, in Kafka's files. What it has lost it can have again, so nothing of it needs to be synced.
// It belongs to one goroutine; all may ask for Bounds.
type Mirror struct {
	cfg       MirrorConfig
	log       *commitlog.Log
	loader    *metadata.Loader
	members   metalog.Memberships
	snapshots *metalog.Snapshots
	committed kafka.Offset // exclusive: what the image holds
	highest   atomic.Int64 // as committed, for all
}

// OpenMirror loads the newest snapshot, and the log, of which nobody knows yet how far it is committed.
func OpenMirror(cfg MirrorConfig, now time.Time) (*Mirror, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mirror{cfg: cfg}
	if err := vfs.MkdirAll(cfg.FS, cfg.Dir); err != nil {
		return nil, fmt.Errorf("make %s: %w", cfg.Dir, err)
	}
	pace := metalog.Pace{Bytes: cfg.SnapshotBytes, Interval: cfg.SnapshotInterval}
	var err error
	if m.snapshots, err = metalog.OpenSnapshots(cfg.FS, cfg.Dir, pace, cfg.Log, now); err != nil {
		return nil, err
	}
	image, err := m.loadNewest()
	if err != nil {
		return nil, err
	}
	m.begin(image)
	var report commitlog.Report
	m.log, report, err = commitlog.Open(cfg.FS, cfg.Dir, commitlog.Options{
		Partition: kafka.TopicPartition{Topic: kafka.ClusterMetadataTopic}, Config: cfg.LogConfig, Cache: cfg.Cache, Clean: cfg.Clean,
		LogStartOffset: m.snapshots.Newest().EndOffset, Now: now,
	})
	if err != nil {
		return nil, fmt.Errorf("open the metadata log: %w", err)
	}
	end := m.snapshots.Newest().EndOffset
	whole := len(report.Damage) == 0 && m.log.LogStartOffset() <= end && m.log.LogEndOffset() >= end
	if epoch := m.log.EpochAt(end); m.log.LogEndOffset() > end && epoch != kafka.NoEpoch && epoch < m.snapshots.Newest().Epoch {
		whole = false // what follows the snapshot was never committed
	}
	if !whole {
		err = m.log.TruncateFullyAndStartAt(end, now)
	}
	if err != nil {
		m.log.Abandon()
		return nil, fmt.Errorf("begin the metadata log anew at %d: %w", end, err)
	}
	return m, nil
}

// loadNewest gives the image of the newest snapshot. One that can't be read is as none.
func (m *Mirror) loadNewest() (*metadata.Image, error) {
	m.members.Begin(metalog.Membership{Voters: metalog.Voters{Set: metalog.SortVoters(m.cfg.Voters)}, At: kafka.NoOffset})
	for {
		image, members, err := m.snapshots.Load()
		if err == nil {
			m.named(members)
			return image, nil
		}
		m.cfg.Log.Warn("a metadata snapshot can't be read and is left out", "snapshot", m.snapshots.Newest(), "err", err)
		if err := m.snapshots.Remove(); err != nil {
			return nil, err
		}
	}
}

// named notes who the voters are in the snapshot that the image comes from.
func (m *Mirror) named(members metalog.Voters) {
	if members.KRaft > 0 {
		m.members.Begin(metalog.Membership{Voters: members, At: kafka.NoOffset, InLog: true})
	}
}

// begin starts from an image that holds all up to the snapshot.
func (m *Mirror) begin(image *metadata.Image) {
	m.loader = metadata.NewLoader(image)
	m.commit(m.snapshots.Newest().EndOffset)
}

func (m *Mirror) commit(end kafka.Offset) {
	m.committed = end
	m.highest.Store(int64(end))
}

// Image is the state up to what is known to be committed.
func (m *Mirror) Image() *metadata.Image { return m.loader.Image() }

// End is where the log goes on, and the epoch of what is before that.
func (m *Mirror) End() (kafka.Offset, kafka.LeaderEpoch) {
	end, epoch := m.log.LogEndOffset(), m.log.LatestEpoch()
	if end == m.snapshots.Newest().EndOffset {
		epoch = m.snapshots.Newest().Epoch
	}
	return end, max(epoch, 0)
}

// Voters are those of the last record that says so, committed or not, or of the configuration; and the level of kraft.version.
func (m *Mirror) Voters() ([]Voter, int16) { return m.members.Last().Set, m.members.Last().KRaft }

// Bounds returns the ends of the log.
func (m *Mirror) Bounds() Bounds {
	return Bounds{LogStartOffset: m.log.LogStartOffset(), HighWatermark: kafka.Offset(m.highest.Load()), LogEndOffset: m.log.LogEndOffset()}
}

// Append takes the leader's batches that follow the end; the last one may be cut short, and is left out. Errors wrap ErrDamaged where the bytes are wrong.
func (m *Mirror) Append(b []byte, now time.Time) error {
	whole, next := 0, m.log.LogEndOffset()
	for whole < len(b) {
		one, rest, err := record.Next(b[whole:])
		if err != nil {
			break
		}
		if err := one.CheckCRC(); err != nil {
			return fmt.Errorf("%w: offset %d: %w", ErrDamaged, one.BaseOffset(), err)
		}
		if one.BaseOffset() != next {
			return fmt.Errorf("%w: %v where offset %d is to be", ErrDamaged, one, next)
		}
		if one.IsControl() {
			d, err := metalog.Decode(one)
			if err != nil {
				return err
			}
			m.members.Note(d)
		}
		whole, next = len(b)-len(rest), one.NextOffset()
	}
	if whole == 0 {
		return nil
	}
	if _, err := m.log.Append(b[:whole], now); err != nil {
		return fmt.Errorf("append to the metadata log: %w", err)
	}
	return nil
}

// Commit replays what is committed, up to end, which may lie beyond the log, and hands each change to post.
// What can't be read is given up, to be fetched again.
func (m *Mirror) Commit(end kafka.Offset, now time.Time, post func(metadata.Change)) error {
	for end = min(end, m.log.LogEndOffset()); m.committed < end; {
		batches, err := readBatches(m.log, m.committed, 4<<20)
		if errors.Is(err, ErrDamaged) {
			m.cfg.Log.Warn("the copy of the metadata log is damaged and is fetched again", "offset", m.committed, "err", err)
			return m.cut(m.committed, now)
		}
		if err != nil {
			return err
		}
		for _, b := range batches {
			if b.NextOffset() > end {
				return nil // it will be
			}
			d, err := metalog.Decode(b)
			if err != nil {
				return err
			}
			m.members.Note(d) // of a log that was there at the start
			change, err := m.loader.Replay(d.Batch)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			m.snapshots.Logged(len(b))
			m.commit(b.NextOffset())
			m.members.Commit(m.committed)
			post(change)
		}
	}
	return nil
}

// ErrOtherLog says that the controllers have another log than the one whose committed part this is a copy of.
var ErrOtherLog = errors.New("the controllers' metadata log is not the one that this node has followed")

// Cut gives up what the leader's log has not: of its epochs up to epoch it has nothing at and beyond end.
func (m *Mirror) Cut(epoch kafka.LeaderEpoch, end kafka.Offset, now time.Time) error {
	if own, ownEnd := m.log.EpochEndOffset(epoch); own == epoch {
		end = min(end, ownEnd)
	} else if own != kafka.NoEpoch {
		end = ownEnd
	}
	if end < m.committed {
		return fmt.Errorf("%w: it parts from it at offset %d, and %d was committed", ErrOtherLog, end, m.committed)
	}
	return m.cut(end, now)
}

func (m *Mirror) cut(end kafka.Offset, now time.Time) error {
	m.members.Truncate(end)
	if err := m.log.TruncateTo(end, now); err != nil {
		return fmt.Errorf("truncate the metadata log to %d: %w", end, err)
	}
	return nil
}

// Install makes a snapshot the state, whose bytes fetch writes, and lets the log go on behind it.
func (m *Mirror) Install(id SnapshotID, fetch func(io.Writer) error, now time.Time) (metadata.Change, error) {
	if id.EndOffset < m.committed {
		return metadata.Change{}, fmt.Errorf("%w: its snapshot ends at %d, and %d was committed", ErrOtherLog, id.EndOffset, m.committed)
	}
	image, members, err := metalog.Fetch(m.cfg.FS, m.cfg.Dir, id, fetch)
	if err != nil {
		return metadata.Change{}, err
	}
	if err := m.log.TruncateFullyAndStartAt(id.EndOffset, now); err != nil {
		return metadata.Change{}, fmt.Errorf("begin the metadata log anew at %d: %w", id.EndOffset, err)
	}
	change := metalog.Replaced(m.Image(), image)
	m.named(members)
	m.snapshots.Took(id, now)
	m.begin(change.Image)
	return change, m.drop(now)
}

// Snapshot writes one when it is due, and drops what that makes superfluous.
func (m *Mirror) Snapshot(now time.Time) error {
	if err := m.snapshots.Reap(m.log, now); err != nil {
		return err
	}
	image := m.Image()
	id, due := m.snapshots.Begin(image, now)
	if !due {
		return nil
	}
	err := metalog.WriteSnapshot(m.cfg.FS, m.cfg.Dir, id, image.Timestamp, now.UnixMilli(), m.members.Committed().Voters, image.Records)
	if !m.snapshots.Wrote(id, err, now) {
		return nil
	}
	return m.drop(now)
}

// drop removes old snapshots, and what of the log they hold.
func (m *Mirror) drop(now time.Time) error {
	if err := m.snapshots.Drop(m.log, m.committed, now); err != nil {
		return err
	}
	return m.snapshots.Reap(m.log, now)
}

// Close closes the log.
func (m *Mirror) Close(now time.Time) error {
	if err := m.log.Close(now); err != nil {
		return fmt.Errorf("close the metadata log: %w", err)
	}
	return nil
}
