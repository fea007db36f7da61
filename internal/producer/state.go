package producer

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/record"
)

// Remembered is how many of a producer's latest batches are known by sequence: a retry of one of them is answered with
// its first offset. It is also the highest max.in.flight.requests.per.connection of an idempotent Java producer.
const Remembered = 5

// noCoordinator is the coordinator epoch of a producer that no marker was written for.
const noCoordinator int32 = -1

// Appended tells where a batch lies in the log.
type Appended struct {
	BaseOffset kafka.Offset // kafka.NoOffset of a batch that is not remembered any more, but is before LastOffset
	LastOffset kafka.Offset // inclusive
	Timestamp  int64        // the batch's max timestamp, in ms since 1970
}

// Active describes one producer, as DescribeProducers does.
type Active struct {
	ProducerID       kafka.ProducerID
	ProducerEpoch    int16
	LastSequence     int32 // kafka.NoSequence after a marker of a new epoch
	LastTimestamp    int64 // ms since 1970
	CoordinatorEpoch int32
	TxnStart         kafka.Offset // first offset of the open transaction, or kafka.NoOffset
}

// batch is what is remembered of one batch.
type batch struct {
	lastSequence int32
	lastDelta    int32 // records but one
	lastOffset   kafka.Offset
	timestamp    int64
}

func (b *batch) firstSequence() int32 { return record.SubSequence(b.lastSequence, b.lastDelta) }

// entry is one producer.
type entry struct {
	batches          [Remembered]batch // the first count are in use, oldest first
	count            uint8
	epoch            int16
	since            int32 // the sequences of the epoch from this one on are in the log without a gap; of count 0 it means nothing
	coordinatorEpoch int32
	lastTimestamp    int64
	txnFirst         kafka.Offset // kafka.NoOffset without an open transaction
}

// State is the producers of one partition. The zero value is an empty state; it allocates with the first idempotent batch.
type State struct {
	entries map[kafka.ProducerID]*entry
	end     kafka.Offset
	// open holds the open transactions by first offset; ended those whose marker may lie above the high watermark.
	open, ended []txn
}

// txn is a transaction: first offset, and the offset of its marker once it has ended.
type txn struct {
	first, last kafka.Offset
	producer    kafka.ProducerID
}

// Check decides whether b, whose offsets are final, may be appended. A client's retry of a batch that is in the log gives
// where that one lies, as far as it is remembered, and true. Errors wrap kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch, kerr.InvalidTxnState or
// kerr.TransactionCoordinatorFenced. It changes nothing.
func (s *State) Check(b record.Batch, origin kafka.Origin) (Appended, bool, error) {
	if !b.HasProducerID() || origin == kafka.FromReplication {
		return Appended{}, false, nil
	}
	e := s.entries[b.ProducerID()]
	if e == nil {
		e = &unknown
	}
	if origin == kafka.FromClient {
		if a, ok := e.duplicate(b); ok && !planted.Bug("retries-unknown") {
			return a, true, nil
		}
		if a, ok := e.forgotten(b); ok {
			return a, true, nil
		}
		if b.IsTransactional() && e.txnFirst == kafka.NoOffset {
			return Appended{}, false, fmt.Errorf("record was not part of an ongoing transaction: %w", kerr.InvalidTxnState)
		}
	}
	if b.ProducerEpoch() < e.epoch {
		return Appended{}, false, fmt.Errorf("epoch of producer %d at offset %d is %d, which is smaller than the last seen epoch %d: %w",
			b.ProducerID(), b.BaseOffset(), b.ProducerEpoch(), e.epoch, kerr.InvalidProducerEpoch)
	}
	if b.IsControl() {
		return Appended{}, false, e.checkMarker(b)
	}
	if origin == kafka.FromClient {
		if err := e.checkSequence(b); err != nil {
			return Appended{}, false, err
		}
	}
	if e.txnFirst != kafka.NoOffset && !b.IsTransactional() {
		return Appended{}, false, fmt.Errorf("expected transactional write from producer %d at offset %d: %w", b.ProducerID(), b.BaseOffset(), kerr.InvalidTxnState)
	}
	return Appended{}, false, nil
}

// unknown stands for a producer without an entry. It is only read.
var unknown = entry{epoch: kafka.NoProducerEpoch, coordinatorEpoch: noCoordinator, lastTimestamp: kafka.NoTimestamp, txnFirst: kafka.NoOffset}

// duplicate returns the remembered batch that has exactly b's epoch and sequences.
func (e *entry) duplicate(b record.Batch) (Appended, bool) {
	if b.ProducerEpoch() != e.epoch {
		return Appended{}, false
	}
	first, last := b.BaseSequence(), b.LastSequence()
	for i := range e.batches[:e.count] {
		if m := &e.batches[i]; m.lastSequence == last && m.firstSequence() == first {
			return Appended{BaseOffset: m.lastOffset - kafka.Offset(m.lastDelta), LastOffset: m.lastOffset, Timestamp: m.timestamp}, true
		}
	}
	return Appended{}, false
}

// forgotten reports whether b is in the log before the batches that are remembered. That is so of a retry whose first answer is late: a connection
// has several batches in the log that wait for the high watermark, and when the leadership moves meanwhile, the new leader gets the next ones
// first, and then these. Refused as out of order they would be retried until their time is up, as if they were not there.
func (e *entry) forgotten(b record.Batch) (Appended, bool) {
	first, last := b.BaseSequence(), b.LastSequence()
	if e.count == 0 || b.ProducerEpoch() != e.epoch || first < e.since || last < first || last >= e.batches[0].firstSequence() {
		return Appended{}, false
	}
	oldest := &e.batches[0]
	return Appended{BaseOffset: kafka.NoOffset, LastOffset: oldest.lastOffset - kafka.Offset(oldest.lastDelta) - 1, Timestamp: kafka.NoTimestamp}, true
}

// checkSequence refuses a gap, a step back and a new epoch that does not start at 0. A producer that is not known (any more) may start anywhere.
func (e *entry) checkSequence(b record.Batch) error {
	first := b.BaseSequence()
	switch {
	case e.epoch == kafka.NoProducerEpoch:
		return nil
	case b.ProducerEpoch() != e.epoch:
		if first == 0 {
			return nil
		}
		return fmt.Errorf("invalid sequence number for new epoch of producer %d at offset %d: %d (request epoch), %d (seq. number), %d (current producer epoch): %w",
			b.ProducerID(), b.BaseOffset(), b.ProducerEpoch(), first, e.epoch, kerr.OutOfOrderSequenceNumber)
	case int64(first) == int64(e.lastSequence())+1, first == 0 && e.lastSequence() == math.MaxInt32:
		return nil
	}
	return fmt.Errorf("out of order sequence number for producer %d at offset %d: %d (incoming seq. number), %d (current end sequence number): %w",
		b.ProducerID(), b.BaseOffset(), first, e.lastSequence(), kerr.OutOfOrderSequenceNumber)
}

// checkMarker refuses the marker of a coordinator that has been replaced.
func (e *entry) checkMarker(b record.Batch) error {
	m, ok := record.ParseEndTxnMarker(b)
	if ok && m.CoordinatorEpoch < e.coordinatorEpoch {
		return fmt.Errorf("invalid coordinator epoch for producer %d at offset %d: %d (zombie), %d (current): %w",
			b.ProducerID(), b.BaseOffset(), m.CoordinatorEpoch, e.coordinatorEpoch, kerr.TransactionCoordinatorFenced)
	}
	return nil
}

func (e *entry) lastSequence() int32 {
	if e.count == 0 {
		return kafka.NoSequence
	}
	return e.batches[e.count-1].lastSequence
}

// Replay takes in b, which is now in the log, and moves the end offset behind it. A marker that ends a transaction gives that back, and true.
func (s *State) Replay(b record.Batch) (CompletedTxn, bool) {
	s.end = b.NextOffset()
	if !b.HasProducerID() {
		return CompletedTxn{}, false
	}
	if b.IsControl() {
		return s.replayMarker(b)
	}
	e := s.entry(b.ProducerID())
	e.enter(b.ProducerEpoch())
	if first := b.BaseSequence(); e.count == 0 || int64(first) != int64(e.lastSequence())+1 || b.LastSequence() < first {
		e.since = first
	}
	if e.count == Remembered {
		copy(e.batches[:], e.batches[1:])
		e.count--
	}
	e.batches[e.count] = remember(b)
	e.count++
	e.lastTimestamp = b.MaxTimestamp()
	if b.IsTransactional() && e.txnFirst == kafka.NoOffset {
		e.txnFirst = b.BaseOffset()
		s.open = append(s.open, txn{first: e.txnFirst, producer: b.ProducerID()})
	}
	return CompletedTxn{}, false
}

// Recall takes in b, which the state was told of as one before the last of its producer: a snapshot holds that one alone. Batches come in the order of the log.
func (s *State) Recall(b record.Batch) {
	e := s.entries[b.ProducerID()]
	if e == nil || e.count == 0 || e.epoch != b.ProducerEpoch() || b.IsControl() {
		return
	}
	last := e.batches[e.count-1]
	if b.LastOffset() >= last.lastOffset {
		return
	}
	if e.count == Remembered {
		copy(e.batches[:], e.batches[1:])
		e.count--
	}
	e.batches[e.count-1], e.batches[e.count] = remember(b), last
	e.count++
}

func remember(b record.Batch) batch {
	return batch{lastSequence: b.LastSequence(), lastDelta: b.LastOffsetDelta(), lastOffset: b.LastOffset(), timestamp: b.MaxTimestamp()}
}

// entry returns the producer's entry, made if need be.
func (s *State) entry(id kafka.ProducerID) *entry {
	e := s.entries[id]
	if e == nil {
		if s.entries == nil {
			s.entries = make(map[kafka.ProducerID]*entry)
		}
		e = new(entry)
		*e = unknown
		s.entries[id] = e
	}
	return e
}

// enter makes epoch the producer's; the sequences of another one are forgotten.
func (e *entry) enter(epoch int16) {
	if e.epoch != epoch {
		e.epoch, e.count = epoch, 0
	}
}

// EndOffset returns the offset up to which batches are taken in, exclusive: the name of a snapshot taken now.
func (s *State) EndOffset() kafka.Offset { return s.end }

// SetEndOffset moves the end offset, as after a truncation from the front.
func (s *State) SetEndOffset(end kafka.Offset) { s.end = end }

// Reset forgets everything and continues at end.
func (s *State) Reset(end kafka.Offset) { *s = State{end: end} }

// Len returns how many producers are known.
func (s *State) Len() int { return len(s.entries) }

// Expire forgets producers without an open transaction whose last batch is idle old or older (producer.id.expiration.ms) at now (ms
// since 1970), and returns how many.
func (s *State) Expire(now int64, idle time.Duration) int {
	before := len(s.entries)
	maps.DeleteFunc(s.entries, func(_ kafka.ProducerID, e *entry) bool { return e.expired(now, idle) })
	return before - len(s.entries)
}

func (e *entry) expired(now int64, idle time.Duration) bool {
	return e.txnFirst == kafka.NoOffset && now-e.lastTimestamp >= idle.Milliseconds()
}

// Producers appends the known producers to dst in the order of their ids.
func (s *State) Producers(dst []Active) []Active {
	for _, id := range s.ids() {
		e := s.entries[id]
		dst = append(dst, Active{
			ProducerID: id, ProducerEpoch: e.epoch, LastSequence: e.lastSequence(), LastTimestamp: e.lastTimestamp,
			CoordinatorEpoch: e.coordinatorEpoch, TxnStart: e.txnFirst,
		})
	}
	return dst
}

// Last visits, in any order, for each producer the last offset of its last data batch, or kafka.NoOffset, and its epoch: the batches that compaction
// must keep for the state to be found again.
func (s *State) Last(visit func(id kafka.ProducerID, lastOffset kafka.Offset, epoch int16)) {
	for id, e := range s.entries {
		last := kafka.NoOffset
		if e.count > 0 {
			last = e.batches[e.count-1].lastOffset
		}
		visit(id, last, e.epoch)
	}
}

func (s *State) ids() []kafka.ProducerID { return slices.Sorted(maps.Keys(s.entries)) }
