package producer

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// CompletedTxn is a transaction that a marker ended.
type CompletedTxn struct {
	ProducerID  kafka.ProducerID
	FirstOffset kafka.Offset
	LastOffset  kafka.Offset // of the marker, inclusive
	Aborted     bool
	// LastStableOffset is what the last stable offset can rise to by this marker: it goes into the transaction index.
	LastStableOffset kafka.Offset
}

// replayMarker takes in a commit or abort marker. Other control batches have no producer and don't come here.
func (s *State) replayMarker(b record.Batch) (CompletedTxn, bool) {
	m, ok := record.ParseEndTxnMarker(b)
	if !ok && b.Count() > 0 {
		return CompletedTxn{}, false
	}
	id := b.ProducerID()
	e := s.entry(id)
	if !ok { // a cleaner left the header, for the epoch, of a marker all of whose transaction is gone
		m = record.EndTxnMarker{Type: record.Commit, CoordinatorEpoch: e.coordinatorEpoch, Timestamp: b.MaxTimestamp()}
	}
	first := e.txnFirst
	e.enter(b.ProducerEpoch())
	e.coordinatorEpoch, e.lastTimestamp, e.txnFirst = m.CoordinatorEpoch, m.Timestamp, kafka.NoOffset
	if first == kafka.NoOffset {
		return CompletedTxn{}, false
	}
	s.open = slices.DeleteFunc(s.open, func(t txn) bool { return t.first == first })
	s.ended = append(s.ended, txn{first: first, last: b.LastOffset(), producer: id})
	stable := b.NextOffset()
	if len(s.open) > 0 {
		stable = s.open[0].first
	}
	return CompletedTxn{ProducerID: id, FirstOffset: first, LastOffset: b.LastOffset(), Aborted: m.Type == record.Abort, LastStableOffset: stable}, true
}

// FirstUnstableOffset returns the first offset of the oldest transaction that is open, or whose marker lies at or above the
// high watermark; kafka.NoOffset if there is none. The last stable offset is the smaller of it and the high watermark.
func (s *State) FirstUnstableOffset(highWatermark kafka.Offset) kafka.Offset {
	first := kafka.NoOffset
	if len(s.open) > 0 {
		first = s.open[0].first
	}
	for i := range s.ended {
		if t := &s.ended[i]; t.last >= highWatermark && (first == kafka.NoOffset || t.first < first) {
			first = t.first
		}
	}
	return first
}

// SetHighWatermark forgets ended transactions whose markers lie below the high watermark.
func (s *State) SetHighWatermark(highWatermark kafka.Offset) {
	if len(s.ended) > 0 {
		s.ended = slices.DeleteFunc(s.ended, func(t txn) bool { return t.last < highWatermark })
	}
}
