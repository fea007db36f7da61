package commitlog

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
)

// LatestEpoch returns the greatest leader epoch, or kafka.NoEpoch.
func (l *Log) LatestEpoch() kafka.LeaderEpoch { return l.epochs.Load().latest() }

// AssignEpoch notes that epoch starts at offset start, the log end offset when the leadership begins. Epochs that contradict it go. The next Flush
// writes it down. Writer.
func (l *Log) AssignEpoch(epoch kafka.LeaderEpoch, start kafka.Offset) {
	l.setEpochs(l.epochs.Load().assign(epoch, start))
}

// RetractEpochs takes back epochs that were assigned and have no record. Writer.
func (l *Log) RetractEpochs() { l.setEpochs(l.epochs.Load().truncateEnd(l.LogEndOffset())) }

// EpochEndOffset answers OffsetForLeaderEpoch (KIP-279, KIP-320): the largest epoch at or below the asked one and where it ends, exclusive;
// kafka.NoEpoch and kafka.NoOffset if that is not known.
func (l *Log) EpochEndOffset(epoch kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	return l.epochs.Load().end(epoch, l.LogEndOffset())
}

// EpochAt returns the leader epoch of an offset, or kafka.NoEpoch.
func (l *Log) EpochAt(offset kafka.Offset) kafka.LeaderEpoch { return l.epochs.Load().at(offset) }

// TimestampOffset is the answer of a lookup by time.
type TimestampOffset struct {
	Offset    kafka.Offset
	Timestamp int64 // ms
	Epoch     kafka.LeaderEpoch
}

// OffsetForTimestamp finds the first record at or above the log start offset whose timestamp is at least ms, and false if there is none.
func (l *Log) OffsetForTimestamp(ms int64) (TimestampOffset, bool, error) {
	for {
		v := l.list.Load()
		t, ok, err := l.offsetForTimestamp(v, ms)
		if errors.Is(err, fs.ErrNotExist) && l.list.Load() != v {
			continue
		}
		return t, ok, l.readError(err)
	}
}

func (l *Log) offsetForTimestamp(v *list, ms int64) (TimestampOffset, bool, error) {
	start := l.LogStartOffset()
	for i, s := range v.segments {
		if v.next(i) <= start {
			continue
		}
		newest, err := s.MaxTimestamp()
		if err != nil {
			return TimestampOffset{}, false, err
		}
		if newest < ms || s.Size() == 0 {
			continue
		}
		for from := start; ; { // a batch's max timestamp may be that of a record below start
			h, found, err := s.LocateTime(ms, from)
			if err != nil {
				return TimestampOffset{}, false, err
			}
			if !found {
				break
			}
			t, ok, err := l.recordAt(s, h, func(offset kafka.Offset, timestamp int64) bool { return offset >= start && timestamp >= ms })
			if ok || err != nil {
				return t, ok, err
			}
			from = h.Last + 1
		}
	}
	return TimestampOffset{}, false, nil
}

// MaxTimestampOffset finds the first record with the greatest timestamp, and false if there is none with a timestamp.
func (l *Log) MaxTimestampOffset() (TimestampOffset, bool, error) {
	for {
		v := l.list.Load()
		t, ok, err := l.maxTimestampOffset(v)
		if errors.Is(err, fs.ErrNotExist) && l.list.Load() != v {
			continue
		}
		return t, ok, l.readError(err)
	}
}

func (l *Log) maxTimestampOffset(v *list) (TimestampOffset, bool, error) {
	var newest *segment.Segment
	most := kafka.NoTimestamp
	for _, s := range v.segments {
		ms, err := s.MaxTimestamp()
		if err != nil {
			return TimestampOffset{}, false, err
		}
		if ms > most {
			newest, most = s, ms
		}
	}
	if newest == nil {
		return TimestampOffset{}, false, nil
	}
	h, found, err := newest.Locate(newest.MaxTimestampBatch(), newest.Size())
	if err != nil || !found {
		return TimestampOffset{}, false, err
	}
	return l.recordAt(newest, h, func(_ kafka.Offset, timestamp int64) bool { return timestamp >= h.MaxTimestamp })
}

// recordAt reads a batch and returns its first record that is wanted.
func (l *Log) recordAt(s *segment.Segment, h segment.Header, wanted func(kafka.Offset, int64) bool) (TimestampOffset, bool, error) {
	b, err := s.ReadBatch(h)
	if err != nil {
		return TimestampOffset{}, false, err
	}
	if b[16] != record.Magic { // old messages have one timestamp for all
		return TimestampOffset{Offset: h.Base, Timestamp: h.MaxTimestamp, Epoch: h.Epoch}, wanted(h.Base, h.MaxTimestamp), nil
	}
	var w record.Walker
	defer w.Close()
	w.Reset(record.Batch(b), l.config.MaxDecompressed)
	for w.Next() {
		if offset := h.Base + kafka.Offset(w.Record.OffsetDelta); wanted(offset, w.Record.Timestamp) {
			return TimestampOffset{Offset: offset, Timestamp: w.Record.Timestamp, Epoch: h.Epoch}, true, nil
		}
	}
	if err := w.Err(); err != nil { // what can't be decoded is damage, not a failing disk
		return TimestampOffset{}, false, fmt.Errorf("%w: batch at %d: %w", segment.ErrCorrupt, h.Base, err)
	}
	return TimestampOffset{}, false, nil
}

// AbortedTxns lists the aborted transactions that have records in [from, end).
func (l *Log) AbortedTxns(from, end kafka.Offset) ([]segment.Aborted, error) {
	for {
		v := l.list.Load()
		found, err := v.abortedTxns(from, end)
		if l.list.Load() == v {
			return found, l.readError(err)
		}
	}
}

// abortedTxns may miss those of a segment that was removed meanwhile: look at the list again.
func (v *list) abortedTxns(from, end kafka.Offset) (found []segment.Aborted, err error) {
	for i := v.find(from); i < len(v.segments); i++ {
		var done bool
		if found, done, err = v.segments[i].CollectAborted(found, from, end); done || err != nil {
			return found, err
		}
	}
	return found, nil
}
