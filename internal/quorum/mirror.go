package quorum

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
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
	snap      SnapshotID
	kept      []SnapshotID // oldest first
	committed kafka.Offset // exclusive: what the image holds
	highest   atomic.Int64 // as committed, for all
	bytes     int64        // committed since the newest snapshot
	last      time.Time    // of the newest snapshot
	reap      time.Time    // when removed files may go
}

// OpenMirror loads the newest snapshot, and the log, of which nobody knows yet how far it is committed.
func OpenMirror(cfg MirrorConfig, now time.Time) (*Mirror, error) {
	defaults := Config{SnapshotBytes: cfg.SnapshotBytes, SnapshotInterval: cfg.SnapshotInterval, Log: cfg.Log}.withDefaults()
	cfg.SnapshotBytes, cfg.SnapshotInterval, cfg.Log = defaults.SnapshotBytes, defaults.SnapshotInterval, defaults.Log
	m := &Mirror{cfg: cfg, last: now}
	if err := vfs.MkdirAll(cfg.FS, cfg.Dir); err != nil {
		return nil, fmt.Errorf("make %s: %w", cfg.Dir, err)
	}
	if err := metalog.RemoveParts(cfg.FS, cfg.Dir); err != nil {
		return nil, fmt.Errorf("remove half-written snapshots: %w", err)
	}
	image, err := m.loadNewest()
	if err != nil {
		return nil, err
	}
	m.begin(image)
	var report commitlog.Report
	m.log, report, err = commitlog.Open(cfg.FS, cfg.Dir, commitlog.Options{
		Partition: kafka.TopicPartition{Topic: kafka.ClusterMetadataTopic}, Config: cfg.LogConfig, Cache: cfg.Cache, Clean: cfg.Clean,
		LogStartOffset: m.snap.EndOffset, Now: now,
	})
	if err != nil {
		return nil, fmt.Errorf("open the metadata log: %w", err)
	}
	end := m.snap.EndOffset
	whole := len(report.Damage) == 0 && m.log.LogStartOffset() <= end && m.log.LogEndOffset() >= end
	if epoch := m.log.EpochAt(end); m.log.LogEndOffset() > end && epoch != kafka.NoEpoch && epoch < m.snap.Epoch {
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
	ids, err := metalog.ListSnapshots(m.cfg.FS, m.cfg.Dir)
	if err != nil {
		return nil, err
	}
	m.kept = slices.DeleteFunc(ids, func(id SnapshotID) bool { return id == metalog.BootstrapID })
	for len(m.kept) > 0 {
		id := m.kept[len(m.kept)-1]
		image, members, err := metalog.LoadSnapshot(m.cfg.FS, m.cfg.Dir, id)
		if err == nil {
			m.took(id, members)
			return image, nil
		}
		m.cfg.Log.Warn("a metadata snapshot can't be read and is left out", "snapshot", id, "err", err)
		if err := m.cfg.FS.Remove(path.Join(m.cfg.Dir, id.String())); err != nil {
			return nil, err
		}
		m.kept = m.kept[:len(m.kept)-1]
	}
	return metadata.Empty(), nil
}

// took notes which snapshot the image comes from, and who the voters are in it.
func (m *Mirror) took(id SnapshotID, members metalog.Voters) {
	m.snap = id
	if members.KRaft > 0 {
		m.members.Begin(metalog.Membership{Voters: members, At: kafka.NoOffset, InLog: true})
	}
}

// begin starts from an image that holds all up to the snapshot.
func (m *Mirror) begin(image *metadata.Image) {
	m.loader = metadata.NewLoader(image)
	m.commit(m.snap.EndOffset)
	m.bytes = 0
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
	if end == m.snap.EndOffset {
		epoch = m.snap.Epoch
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
			m.bytes += int64(len(b))
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
	m.took(id, members)
	m.kept, m.last = append(m.kept, id), now
	m.begin(change.Image)
	return change, m.drop(now)
}

// Snapshot writes one when enough was logged since the last one, or enough time has passed, and drops what that makes superfluous.
func (m *Mirror) Snapshot(now time.Time) error {
	if !m.reap.IsZero() && !m.reap.After(now) {
		if err := m.reaped(now); err != nil {
			return err
		}
	}
	image := m.Image()
	if m.bytes == 0 || image.End() <= m.snap.EndOffset || m.bytes < m.cfg.SnapshotBytes && now.Sub(m.last) < m.cfg.SnapshotInterval {
		return nil
	}
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	m.bytes, m.last = 0, now
	if err := metalog.WriteSnapshot(m.cfg.FS, m.cfg.Dir, id, image.Timestamp, now.UnixMilli(), m.members.Committed().Voters, image.Records); err != nil {
		m.cfg.Log.Error("write a metadata snapshot", "err", err) // the log grows until the next one
		return nil
	}
	m.snap, m.kept = id, append(m.kept, id)
	return m.drop(now)
}

// drop removes old snapshots, and what of the log they hold.
func (m *Mirror) drop(now time.Time) error {
	for len(m.kept) > keepSnapshots {
		if err := m.cfg.FS.Remove(path.Join(m.cfg.Dir, m.kept[0].String())); err != nil {
			m.cfg.Log.Warn("remove a metadata snapshot", "snapshot", m.kept[0], "err", err)
		}
		m.kept = m.kept[1:]
	}
	if start := m.kept[0].EndOffset; start > m.log.LogStartOffset() {
		if err := m.log.SetLogStartOffset(start); err != nil {
			return fmt.Errorf("drop the snapshotted part of the metadata log: %w", err)
		}
	}
	if _, err := m.log.Retain(now, m.committed); err != nil {
		return fmt.Errorf("drop the snapshotted part of the metadata log: %w", err)
	}
	return m.reaped(now)
}

func (m *Mirror) reaped(now time.Time) error {
	var err error
	if m.reap, err = m.log.Reap(now); err != nil {
		return fmt.Errorf("remove segments of the metadata log: %w", err)
	}
	return nil
}

// Close closes the log.
func (m *Mirror) Close(now time.Time) error {
	if err := m.log.Close(now); err != nil {
		return fmt.Errorf("close the metadata log: %w", err)
	}
	return nil
}
