package commitlog

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Appended tells what an Append did.
type Appended struct {
	Base, End kafka.Offset // End is exclusive: the log end offset now
	Rolled    bool         // a segment was finished: the flusher has something to do
}

// span describes the batches of one Append.
type span struct {
	base, last   kafka.Offset
	maxTimestamp int64
}

// Append writes whole batches of format v2 whose offsets and epochs are final, in one write. The first offset must not lie below the log end
// offset, and epochs must not fall (ErrOrder). It keeps nothing of b. After an error nothing of b is in the log; if the error wraps ErrFenced
// the log takes no more appends until it is opened again. Writer.
func (l *Log) Append(b []byte, now time.Time) (Appended, error) {
	if err := l.writable(); err != nil {
		return Appended{}, err
	}
	s, err := l.inspect(b)
	if err != nil {
		return Appended{}, fmt.Errorf("append to %s: %w", l.partition, err)
	}
	if err := l.makeSynced(now); err != nil {
		return Appended{}, err
	}
	rolled, err := l.rollFor(s, len(b), now)
	if err != nil {
		return Appended{}, l.writeError(err)
	}
	if err := l.list.Load().active().Append(b, l.config.IndexInterval, now); err != nil {
		return Appended{}, l.writeError(err)
	}
	l.touched = true
	l.absorb(b)
	return Appended{Base: s.base, End: s.last + 1, Rolled: rolled}, nil
}

// writeError decides on a failed write: what says nothing of the disk's health passes, anything else fences the log.
func (l *Log) writeError(err error) error {
	if vfs.Passes(err) && !errors.Is(err, ErrFenced) {
		return fmt.Errorf("%s: %w: %w", l.partition, kerr.KafkaStorageError, err)
	}
	return l.fence(err)
}

// inspect checks that b is whole batches in order, after what is in the log.
func (l *Log) inspect(b []byte) (span, error) {
	next, epoch := l.LogEndOffset(), l.LatestEpoch()
	s := span{base: kafka.NoOffset, maxTimestamp: kafka.NoTimestamp}
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			return s, err
		}
		if batch.BaseOffset() < next || batch.LastOffset() < batch.BaseOffset() || batch.LastOffset() == math.MaxInt64 || batch.LeaderEpoch() >= 0 && batch.LeaderEpoch() < epoch {
			return s, fmt.Errorf("%w: %s, after offset %d and epoch %d", ErrOrder, batch, next-1, epoch)
		}
		if s.base == kafka.NoOffset {
			s.base = batch.BaseOffset()
		}
		s.last = batch.LastOffset()
		s.maxTimestamp = max(s.maxTimestamp, batch.MaxTimestamp())
		next, epoch = s.last+1, max(epoch, batch.LeaderEpoch())
		b = rest
	}
	if s.base == kafka.NoOffset {
		return s, fmt.Errorf("%w: nothing to append", record.ErrShort)
	}
	return s, nil
}

// rollFor starts a new segment if the active one can't, or should not, take the batches.
func (l *Log) rollFor(s span, size int, now time.Time) (bool, error) {
	if s.last-s.base > maxRelative {
		return false, fmt.Errorf("%w: offsets %d to %d in one append", ErrOrder, s.base, s.last)
	}
	active := l.list.Load().active()
	full, err := l.full(active, s, size, now)
	if err != nil || !full {
		return false, err
	}
	base := l.LogEndOffset() // so that segments follow each other without a gap, where that is possible
	if s.last-base > maxRelative {
		base = s.base
	}
	return true, l.rollAt(base, now)
}

// maxRelative is how far offsets of one segment may lie apart.
const maxRelative = math.MaxInt32

func (l *Log) full(active *segment.Segment, s span, size int, now time.Time) (bool, error) {
	used := active.Size()
	if used == 0 || !active.Fits(s.last, int64(size)) {
		return !active.Fits(s.last, int64(size)), nil
	}
	if used > int64(l.config.SegmentBytes)-int64(size) || active.IndexBytes()+segment.TimeIndexEntrySize > int64(l.config.IndexBytes) {
		return true, nil
	}
	return active.AgedAt(s.maxTimestamp, now, l.config.segmentAge(l.partition, active.Base()))
}

// absorb takes what was appended into the epochs and the producers.
func (l *Log) absorb(b []byte) {
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			panic("commitlog: inspected bytes are no batches: " + err.Error())
		}
		if e := batch.LeaderEpoch(); e > l.LatestEpoch() {
			l.setEpochs(l.epochs.Load().assign(e, batch.BaseOffset()))
		}
		l.replay(batch)
		b = rest
	}
}

// replay takes a batch into the producers, and an aborted transaction into the active segment's index of them.
func (l *Log) replay(batch record.Batch) {
	done, ok := l.producers.Replay(batch)
	if ok && done.Aborted {
		l.list.Load().active().NoteAborted(segment.Aborted{
			ProducerID: done.ProducerID, FirstOffset: done.FirstOffset, LastOffset: done.LastOffset, LastStableOffset: done.LastStableOffset,
		})
	}
}

// setEpochs publishes epochs and has them saved with the next flush. Until then a crash loses no more than what recovery finds again in the
// batches: an epoch without a batch is of no use to anybody after the process, whose leadership ends with it, and is no reason to write at its end.
func (l *Log) setEpochs(e epochs, changed bool) {
	if !changed {
		return
	}
	l.epochs.Store(&e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saveEpochs = true
}

// Roll finishes the active segment and starts the next, unless it is empty. Nothing is synced. Writer.
func (l *Log) Roll(now time.Time) error {
	if err := l.writable(); err != nil {
		return err
	}
	if l.list.Load().active().Size() == 0 {
		return nil
	}
	if err := l.rollAt(l.LogEndOffset(), now); err != nil {
		return l.writeError(err)
	}
	return nil
}

// RollAged rolls the active segment if by the clock it is older than segment.ms. Writer.
func (l *Log) RollAged(now time.Time) (bool, error) {
	if err := l.writable(); err != nil {
		return false, err
	}
	active := l.list.Load().active()
	aged, err := active.AgedAt(now.UnixMilli(), now, l.config.segmentAge(l.partition, active.Base()))
	if err != nil || !aged {
		return false, err
	}
	return true, l.Roll(now)
}

// rollAt starts a segment at base, which is not below the log end. An empty active segment that can't take base is removed.
func (l *Log) rollAt(base kafka.Offset, now time.Time) error {
	v := l.list.Load()
	active := v.active()
	empty := active.Size() == 0
	if !empty {
		if err := active.Seal(); err != nil {
			return err
		}
	}
	fresh, err := segment.Create(l.dir, base, now)
	if err != nil {
		return err
	}
	kept := v.segments
	if empty {
		kept = kept[:len(kept)-1]
		if err := active.Remove(); err != nil {
			return err
		}
	}
	l.touched = true
	l.mu.Lock()
	l.syncDir = true
	if empty {
		l.doomed = append(l.doomed, doomed{now.Add(l.config.DeleteDelay), active, true})
	} else {
		l.sealed = append(l.sealed, sealed{active, l.producers.AppendSnapshot(nil), l.producers.EndOffset()})
	}
	l.mu.Unlock()
	l.publish(append(kept[:len(kept):len(kept)], fresh), v.damage)
	return nil
}

func (l *Log) publish(segments []*segment.Segment, damage []Damage) {
	l.list.Store(&list{segments: segments, damage: damage})
}
