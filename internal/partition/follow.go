package partition

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// FollowRequest is what a leader answered to this follower's fetch.
type FollowRequest struct {
	// LeaderEpoch is that in which was asked, Offset from where on.
	LeaderEpoch kafka.LeaderEpoch
	Offset      kafka.Offset
	// Records are batches; the last one may be cut short.
	Records []byte
	// Believed is what was refused and is taken when it comes once more, nil if nothing; what lies below Sure may have gaps.
	Believed *GapError
	Sure     kafka.Offset
	// HighWatermark and LogStartOffset are the leader's.
	HighWatermark  kafka.Offset
	LogStartOffset kafka.Offset
	Now            time.Time
}

// AppendAsFollower writes what the leader sent, byte for byte, and takes over its high watermark and log start. Errors wrap
// kerr.NotLeaderForPartition if the node does not follow in that epoch any more, kerr.CorruptMessage if a batch is damaged or out of order,
// kerr.FencedLeaderEpoch if it is of a later epoch than was asked in (what is before such a batch is written), or kerr.KafkaStorageError. A batch
// at an offset that nothing explains is refused with a *GapError, which wraps kerr.CorruptMessage.
func (p *Partition) AppendAsFollower(r FollowRequest) error {
	whole, refused := checkFollowed(&r, standing{compacted: p.config.Load().Compacted, empty: p.LogStartOffset() == p.LogEndOffset()})
	if err := p.beginWith(whole, &r); err != nil {
		return err
	}
	w, n := p.writeFetched(whole, r)
	owed := w.sync
	w.sync = false
	p.wrote(w, n, nil)
	p.fetched(n, r.Now)
	if owed {
		p.syncOwed() // before the next fetch, which says that it is here
	}
	switch {
	case w.storage:
		return p.storageFailure(w.err)
	case w.err != nil:
		return w.err
	case refused != nil:
		return fmt.Errorf("fetched for partition %s: %w", p.id, refused)
	}
	return nil
}

// beginWith has an empty log that begins within a batch of the leader's begin with that batch.
func (p *Partition) beginWith(b []byte, r *FollowRequest) error {
	if end := p.LogEndOffset(); len(b) == 0 || p.LogStartOffset() < end || r.Offset != end || record.Batch(b).BaseOffset() >= end {
		return nil
	}
	return p.cut(r.LeaderEpoch, func() error {
		if err := p.ensureFolder(r.Now); err != nil {
			return err
		}
		r.Offset = record.Batch(b).BaseOffset()
		return p.log().TruncateFullyAndStartAt(r.Offset, r.Now)
	})
}

// writeFetched writes batches and takes in the leader's bounds. It returns how many bytes were written, also with an error.
func (p *Partition) writeFetched(b []byte, r FollowRequest) (w written, n int) {
	c := p.config.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.err = p.follows(r.LeaderEpoch); w.err != nil {
		return w, 0
	}
	if end := p.log().LogEndOffset(); len(b) > 0 && r.Offset != end {
		w.err = fmt.Errorf("partition %s ends at %d, and what follows %d was fetched: %w", p.id, end, r.Offset, kerr.NotLeaderForPartition)
		return w, 0
	}
	var rolled bool
	n, rolled, w.err = p.appendPieces(b, r.Now, c.Log.SegmentBytes)
	if errors.Is(w.err, commitlog.ErrOrder) {
		w.err = fmt.Errorf("fetched for partition %s: %w: %w", p.id, w.err, kerr.CorruptMessage) // the leader's fault, not the disk's
	} else {
		w.storage = w.err != nil
	}
	if n > 0 {
		w.sync, w.unsynced = p.grew(records(b[:n]), n, rolled, r.Now, c)
	}
	p.core.SetDurable(p.syncs.durable())
	p.core.Followed(p.log().LogEndOffset(), r.HighWatermark)
	if start := min(r.LogStartOffset, p.core.HighWatermark()); w.err == nil && start > p.log().LogStartOffset() {
		w.err = p.log().SetLogStartOffset(start)
		w.storage = w.err != nil
	}
	p.publish()
	return w, n
}

// appendPieces writes batches in pieces that segments can hold, and returns how many bytes that came to. Hold the lock.
func (p *Partition) appendPieces(b []byte, now time.Time, size int) (n int, rolled bool, err error) {
	if len(b) == 0 {
		return 0, false, nil
	}
	if err := p.ensureFolder(now); err != nil {
		return 0, false, err
	}
	for n < len(b) {
		piece := leading(b[n:], size)
		appended, err := p.log().Append(piece, now)
		if err != nil {
			return n, rolled, err
		}
		n, rolled = n+len(piece), rolled || appended.Rolled
	}
	return n, rolled, nil
}

// records is how many whole batches have.
func records(b []byte) (n int64) {
	for rest := b; len(rest) > 0; {
		batch, next, err := record.Next(rest)
		if err != nil {
			break // they were written
		}
		n, rest = n+int64(batch.Count()), next
	}
	return n
}

// follows reports whether this node follows in an epoch. Hold the lock.
func (p *Partition) follows(epoch kafka.LeaderEpoch) error {
	if err := p.check(kafka.NoEpoch, false); err != nil {
		return err
	}
	if l := p.core.Leadership(); p.core.Leads() || l.LeaderEpoch != epoch {
		return fmt.Errorf("partition %s is not followed in epoch %d: %w", p.id, epoch, kerr.NotLeaderForPartition)
	}
	return nil
}

// leading returns whole batches of at most size bytes, but at least one.
func leading(b []byte, size int) []byte {
	n := 0
	for rest := b; len(rest) > 0; {
		batch, next, err := record.Next(rest)
		if err != nil || n > 0 && n+len(batch) > size {
			break
		}
		n, rest = n+len(batch), next
	}
	return b[:n]
}

// Fetching is where a follower's next fetch begins.
type Fetching struct {
	LeaderEpoch kafka.LeaderEpoch
	Offset      kafka.Offset      // the log end
	LastEpoch   kafka.LeaderEpoch // of the records before; kafka.NoEpoch in an empty log
	LogStart    kafka.Offset
}

// Fetching returns where to go on, and false if this node has nothing to fetch: it leads, or nobody does.
func (p *Partition) Fetching() (Fetching, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.core.Leadership()
	if p.state.Load() != online || p.core.Leads() || l.Leader == kafka.NoNode {
		return Fetching{}, false
	}
	log := p.log()
	return Fetching{LeaderEpoch: l.LeaderEpoch, Offset: log.LogEndOffset(), LastEpoch: log.LatestEpoch(), LogStart: log.LogStartOffset()}, true
}

// Diverged cuts off what the leader does not have, which says that the newest epoch that it shares with what was fetched after ends there
// (KIP-101, KIP-595). Errors are AppendAsFollower's.
func (p *Partition) Diverged(epoch kafka.LeaderEpoch, there EpochEnd, now time.Time) error {
	return p.cut(epoch, func() error {
		end := agreed(p.log(), there)
		if there.Epoch == kafka.NoEpoch || there.End < 0 {
			end = p.core.HighWatermark()
		}
		return p.log().TruncateTo(end, now)
	})
}

// agreed is up to where a log holds what another one does, exclusive, of which is known where an epoch ends: records of one epoch and offset are the
// same.
func agreed(log *commitlog.Log, there EpochEnd) kafka.Offset {
	end := min(there.End, log.LogEndOffset())
	if _, own := log.EpochEndOffset(there.Epoch); own != kafka.NoOffset {
		end = min(end, own)
	}
	return end
}

// StartAt begins the log anew at the leader's log start, which lies behind this one's end; or cuts it off at the leader's end, which lies
// before it. Errors are AppendAsFollower's.
func (p *Partition) StartAt(epoch kafka.LeaderEpoch, leaderStart, leaderEnd kafka.Offset, now time.Time) error {
	return p.cut(epoch, func() error {
		switch end := p.log().LogEndOffset(); {
		case leaderEnd < end:
			return p.log().TruncateTo(leaderEnd, now)
		case leaderStart > end:
			if err := p.ensureFolder(now); err != nil {
				return err
			}
			return p.log().TruncateFullyAndStartAt(leaderStart, now)
		}
		return nil
	})
}

// cut takes something off the end of the log of a follower. It syncs under the locks: a follower that has to give up records has nothing else to
// do. Errors are AppendAsFollower's.
func (p *Partition) cut(epoch kafka.LeaderEpoch, truncate func() error) error {
	storage, err := p.cutLocked(epoch, truncate)
	if storage {
		return p.storageFailure(err)
	}
	return err
}

func (p *Partition) cutLocked(epoch kafka.LeaderEpoch, truncate func() error) (storage bool, err error) {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.follows(epoch); err != nil {
		return false, err
	}
	before := p.log().LogEndOffset()
	if err := truncate(); err != nil {
		return true, err
	}
	p.core.Truncated(p.log().LogEndOffset())
	if s := p.syncs; s != nil {
		s.synced, s.owed = min(s.synced, p.log().LogEndOffset()), min(s.owed, p.log().LogEndOffset())
	}
	p.publish()
	p.watchers.Cut(p.LogEndOffset(), p.HighWatermark(), p.LastStableOffset())
	if end := p.log().LogEndOffset(); end != before {
		p.dir().m.o.Log.Info("a follower's log was cut", "partition", p.id, "epoch", epoch, "from", before, "to", end)
	}
	return false, nil
}
