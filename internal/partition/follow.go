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
	// LeaderEpoch is that in which was asked.
	LeaderEpoch kafka.LeaderEpoch
	// Records are batches; the last one may be cut short.
	Records []byte
	// HighWatermark and LogStartOffset are the leader's.
	HighWatermark  kafka.Offset
	LogStartOffset kafka.Offset
	Now            time.Time
}

// AppendAsFollower writes what the leader sent, byte for byte, and takes over its high watermark and log start. Errors wrap
// kerr.NotLeaderForPartition if the node does not follow in that epoch any more, kerr.CorruptMessage if a batch is damaged or out of order
// (nothing of it or after it is written), or kerr.KafkaStorageError.
func (p *Partition) AppendAsFollower(r FollowRequest) error {
	whole, records, damaged := checkFetched(r.Records, r.LeaderEpoch)
	w := p.writeFetched(whole, records, r)
	if w.err != nil {
		if w.storage {
			w.err = p.storageFailure(w.err)
		}
		return w.err
	}
	p.wrote(w, len(whole), nil)
	if damaged != nil {
		return fmt.Errorf("fetched for partition %s: %w: %w", p.id, damaged, kerr.CorruptMessage)
	}
	return nil
}

// checkFetched returns the whole batches at the beginning of what was fetched, how many records they have, and what is wrong with the next one.
// A batch of a later epoch than that of the fetch is not the leader's that was asked: it is left for another fetch.
func checkFetched(fetched []byte, epoch kafka.LeaderEpoch) (whole []byte, records int64, err error) {
	rest := fetched
	for len(rest) > record.HeaderSize {
		b, next, err := record.Next(rest)
		if err != nil {
			if record.Batch(rest).Size() > len(rest) {
				err = nil // cut short
			}
			return fetched[:len(fetched)-len(rest)], records, err
		}
		if err := b.CheckCRC(); err != nil {
			return fetched[:len(fetched)-len(rest)], records, err
		}
		if b.LeaderEpoch() > epoch {
			break
		}
		records, rest = records+int64(b.Count()), next
	}
	return fetched[:len(fetched)-len(rest)], records, nil
}

func (p *Partition) writeFetched(b []byte, records int64, r FollowRequest) (w written) {
	c := p.config.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.err = p.follows(r.LeaderEpoch); w.err != nil {
		return w
	}
	if len(b) > 0 {
		if w = p.appendFetched(b, records, r.Now, c); w.err != nil {
			return w
		}
	}
	p.core.SetDurable(p.syncs.durable())
	p.core.Followed(p.log().LogEndOffset(), r.HighWatermark)
	if start := min(r.LogStartOffset, p.core.HighWatermark()); start > p.log().LogStartOffset() {
		w.err = p.log().SetLogStartOffset(start)
		w.storage = w.err != nil
	}
	p.publish()
	return w
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

// appendFetched writes batches, in pieces that segments can hold. Hold the lock.
func (p *Partition) appendFetched(b []byte, records int64, now time.Time, c *Config) (w written) {
	if w.err = p.ensureFolder(now); w.err != nil {
		w.storage = true
		return w
	}
	log := p.log()
	if first := record.Batch(b).BaseOffset(); first < log.LogEndOffset() && log.LogEndOffset() == log.LogStartOffset() {
		// An empty log that begins within a batch of the leader's begins with that batch.
		if w.err = log.TruncateFullyAndStartAt(first, now); w.err != nil {
			w.storage = true
			return w
		}
	}
	rolled := false
	for rest := b; len(rest) > 0; {
		piece := leading(rest, c.Log.SegmentBytes)
		appended, err := log.Append(piece, now)
		if errors.Is(err, commitlog.ErrOrder) {
			w.err = fmt.Errorf("fetched for partition %s: %w: %w", p.id, err, kerr.CorruptMessage) // the leader's fault, not the disk's
			return w
		}
		if err != nil {
			w.err, w.storage = err, true
			return w
		}
		rolled, rest = rolled || appended.Rolled, rest[len(piece):]
	}
	w.sync, w.unsynced = p.grew(records, len(b), rolled, now, c)
	return w
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
		log := p.log()
		end := min(there.End, log.LogEndOffset())
		if there.Epoch == kafka.NoEpoch || there.End < 0 {
			end = p.core.HighWatermark()
		} else if _, own := log.EpochEndOffset(there.Epoch); own != kafka.NoOffset {
			end = min(end, own)
		}
		return log.TruncateTo(end, now)
	})
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

// cut takes something off the end of the log of a follower. It syncs under the locks: a follower that has to give up records has nothing else to do.
func (p *Partition) cut(epoch kafka.LeaderEpoch, truncate func() error) error {
	err := p.cutLocked(epoch, truncate)
	p.watchers.Cut(p.LogEndOffset(), p.HighWatermark(), p.LastStableOffset())
	return err
}

func (p *Partition) cutLocked(epoch kafka.LeaderEpoch, truncate func() error) error {
	p.upkeep.Lock()
	defer p.upkeep.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.follows(epoch); err != nil {
		return err
	}
	before := p.log().LogEndOffset()
	if err := truncate(); err != nil {
		return fmt.Errorf("%s: %w: %w", p.id, err, kerr.KafkaStorageError)
	}
	p.core.Truncated(p.log().LogEndOffset())
	p.publish()
	if end := p.log().LogEndOffset(); end != before {
		p.dir().m.o.Log.Info("a follower's log was cut", "partition", p.id, "epoch", epoch, "from", before, "to", end)
	}
	return nil
}
