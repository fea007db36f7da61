package partition

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// ReadRequest is one partition of a Fetch request.
type ReadRequest struct {
	Offset    kafka.Offset
	MaxBytes  int
	Isolation kafka.Isolation
	// AtLeastOne gives the first batch whole even if it is longer than MaxBytes.
	AtLeastOne         bool
	CurrentLeaderEpoch kafka.LeaderEpoch // negative: not checked
	LastFetchedEpoch   kafka.LeaderEpoch // negative: divergence is not looked for
	// AnyReplica lets a follower answer (KIP-392).
	AnyReplica bool
}

// EpochEnd is a leader epoch and the offset where it ends, exclusive.
type EpochEnd struct {
	Epoch kafka.LeaderEpoch
	End   kafka.Offset
}

// AbortedTxn is an aborted transaction: the records of a producer from an offset on, up to its next abort marker.
type AbortedTxn struct {
	ProducerID  kafka.ProducerID
	FirstOffset kafka.Offset
}

// ReadResult is what a Read found. Release its Span; one that comes with an error is empty.
type ReadResult struct {
	Span             commitlog.Span
	HighWatermark    kafka.Offset
	LastStableOffset kafka.Offset
	LogStartOffset   kafka.Offset
	LogEndOffset     kafka.Offset
	// Aborted are the aborted transactions that may have records in the Span, for a reader of committed ones: whose they are, and from
	// where on until their marker.
	Aborted []AbortedTxn
	// Diverging is where the reader's log and this one part, if Diverges.
	Diverging EpochEnd
	Diverges  bool
}

// Read finds the records of a fetch. An error of the log's leaves the bounds filled in. Errors wrap kerr.OffsetOutOfRange,
// kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.NotLeaderForPartition, kerr.CorruptMessage (a damaged range) or
// kerr.KafkaStorageError.
func (p *Partition) Read(r ReadRequest) (ReadResult, error) {
	for {
		at := p.home.Load()
		if res, err := p.read(at, r); err == nil || !errors.Is(err, errMoved) {
			return res, err
		}
	}
}

// errMoved says that a read failed because the log has gone to another directory meanwhile: read it there.
var errMoved = errors.New("the log was moved")

func (p *Partition) read(at *home, r ReadRequest) (ReadResult, error) {
	if err := p.check(r.CurrentLeaderEpoch, !r.AnyReplica); err != nil {
		return unknownBounds, err
	}
	// Bounds before the read: what is appended meanwhile must not make the reader look caught up. The last stable offset comes first,
	// so that it is not beyond the high watermark.
	lso := p.LastStableOffset()
	res := ReadResult{LastStableOffset: lso, HighWatermark: p.HighWatermark(), LogStartOffset: p.LogStartOffset(), LogEndOffset: p.LogEndOffset()}
	if r.LastFetchedEpoch >= 0 {
		if err := p.diverges(r, &res); err != nil || res.Diverges {
			return res, err
		}
	}
	switch {
	case r.Offset < res.LogStartOffset || r.Offset > res.LogEndOffset:
		return res, fmt.Errorf("received request for offset %d for partition %s, but we only have log segments in the range %d to %d: %w",
			r.Offset, p.id, res.LogStartOffset, res.LogEndOffset, kerr.OffsetOutOfRange)
	case r.MaxBytes < 0:
		// Kafka's failure is an unchecked one, which clients see as an unknown error.
		return unknownBounds, fmt.Errorf("invalid max length %d for a read of partition %s: %w", r.MaxBytes, p.id, kerr.UnknownServerError)
	}
	upTo := res.Bound(r.Isolation)
	if r.Offset >= upTo {
		return res, nil
	}
	if err := res.find(at.log, r, upTo); err != nil {
		return res, p.readFailure(at, err)
	}
	if err := p.check(kafka.NoEpoch, false); err != nil {
		res.Span.Release() // a file opened meanwhile may be of the topic's next life
		return unknownBounds, err
	}
	if res.Span.FirstIncomplete() {
		// Half a batch is of no use to a reader who was to get one from another partition of its request.
		res.Span.Release()
	}
	return res, nil
}

// find reads the records, and for a reader of committed ones the aborted transactions among them.
func (r *ReadResult) find(log *commitlog.Log, req ReadRequest, upTo kafka.Offset) (err error) {
	if req.Isolation != kafka.Committed {
		r.Span, err = log.Read(req.Offset, req.MaxBytes, upTo, req.AtLeastOne)
		return err
	}
	span, aborted, err := log.ReadCommitted(req.Offset, req.MaxBytes, upTo, req.AtLeastOne)
	r.Span = span
	if len(aborted) > 0 {
		r.Aborted = make([]AbortedTxn, 0, len(aborted))
	}
	for _, a := range aborted {
		r.Aborted = append(r.Aborted, AbortedTxn{ProducerID: a.ProducerID, FirstOffset: a.FirstOffset})
	}
	return err
}

// unknownBounds is the result of a read that was refused.
var unknownBounds = ReadResult{HighWatermark: kafka.NoOffset, LastStableOffset: kafka.NoOffset, LogStartOffset: kafka.NoOffset, LogEndOffset: kafka.NoOffset}

// Bound returns the exclusive limit of a read at an isolation.
func (r *ReadResult) Bound(i kafka.Isolation) kafka.Offset {
	switch i {
	case kafka.LogEnd:
		return r.LogEndOffset
	case kafka.Committed:
		return r.LastStableOffset
	default:
		return r.HighWatermark
	}
}

// diverges looks whether the reader's last epoch ended here where the reader is, or before.
func (p *Partition) diverges(r ReadRequest, res *ReadResult) error {
	epoch, end := p.log().EpochEndOffset(r.LastFetchedEpoch)
	if epoch == kafka.NoEpoch || end == kafka.NoOffset {
		return fmt.Errorf("could not determine the end offset of the last fetched epoch %d: %w", r.LastFetchedEpoch, kerr.OffsetOutOfRange)
	}
	if r.Offset < res.LogStartOffset {
		return fmt.Errorf("offset %d is below the log start offset %d: %w", r.Offset, res.LogStartOffset, kerr.OffsetOutOfRange)
	}
	if (epoch < r.LastFetchedEpoch || end < r.Offset) && !planted.Bug("divergence-ignored") {
		res.Diverging, res.Diverges = EpochEnd{Epoch: epoch, End: end}, true
	}
	return nil
}

// readFailure classifies an error of the log on a read: out of range, damaged (both known to the protocol), a partition that is gone, or
// a failed log directory, or errMoved. Hold no lock.
func (p *Partition) readFailure(at *home, err error) error {
	if p.home.Load() != at {
		return errMoved
	}
	if errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.CorruptMessage) {
		return err
	}
	return p.storageFailure(err)
}

// The special timestamps of ListOffsets.
const (
	LatestTimestamp          int64 = -1
	EarliestTimestamp        int64 = -2
	MaxTimestamp             int64 = -3 // KIP-734
	EarliestLocalTimestamp   int64 = -4 // KIP-405
	LatestTieredTimestamp    int64 = -5 // KIP-1005
	EarliestPendingTimestamp int64 = -6 // KIP-1023
)

// OffsetRequest is one partition of a ListOffsets request. Isolation LogEnd is a follower's, whom an election does not keep waiting.
type OffsetRequest struct {
	Timestamp          int64 // ms since 1970, or a special one
	Isolation          kafka.Isolation
	CurrentLeaderEpoch kafka.LeaderEpoch
	AnyReplica         bool
}

// FoundOffset answers OffsetFor: kafka.NoOffset, kafka.NoTimestamp and kafka.NoEpoch where there is nothing.
type FoundOffset struct {
	Offset    kafka.Offset
	Timestamp int64 // ms since 1970
	Epoch     kafka.LeaderEpoch
}

var foundNothing = FoundOffset{Offset: kafka.NoOffset, Timestamp: kafka.NoTimestamp, Epoch: kafka.NoEpoch}

// OffsetFor finds an offset by time. Errors are Read's, and kerr.OffsetNotAvailable after an election, until the high watermark has
// come to where the leader epoch began.
func (p *Partition) OffsetFor(r OffsetRequest) (FoundOffset, error) {
	if err := p.check(r.CurrentLeaderEpoch, !r.AnyReplica); err != nil {
		return foundNothing, err
	}
	bounds := ReadResult{LastStableOffset: p.LastStableOffset(), HighWatermark: p.HighWatermark(), LogEndOffset: p.LogEndOffset()}
	last := bounds.Bound(r.Isolation)
	var lagging error
	if start := kafka.Offset(p.epochStart.Load()); r.Isolation != kafka.LogEnd && start > bounds.HighWatermark {
		lagging = fmt.Errorf("the high watermark %d of partition %s is lagging behind the start offset of this epoch, %d: %w",
			bounds.HighWatermark, p.id, start, kerr.OffsetNotAvailable)
	}
	switch r.Timestamp {
	case LatestTimestamp:
		if lagging != nil {
			return foundNothing, lagging
		}
		return FoundOffset{Offset: last, Timestamp: kafka.NoTimestamp, Epoch: p.Leadership().LeaderEpoch}, nil
	case EarliestTimestamp, EarliestLocalTimestamp:
		start := p.LogStartOffset()
		return FoundOffset{Offset: start, Timestamp: kafka.NoTimestamp, Epoch: p.log().EpochAt(start)}, nil
	case LatestTieredTimestamp, EarliestPendingTimestamp:
		return foundNothing, nil
	}
	found, ok, err := p.searchTime(r.Timestamp)
	switch {
	case err != nil:
		return foundNothing, err
	case !ok || found.Offset >= last:
		return foundNothing, lagging
	}
	return FoundOffset(found), nil
}

func (p *Partition) searchTime(timestamp int64) (found commitlog.TimestampOffset, ok bool, err error) {
	for {
		at := p.home.Load()
		if timestamp == MaxTimestamp {
			found, ok, err = at.log.MaxTimestampOffset()
		} else {
			found, ok, err = at.log.OffsetForTimestamp(timestamp)
		}
		if err == nil {
			return found, ok, nil
		}
		if err = p.readFailure(at, err); !errors.Is(err, errMoved) {
			return found, false, err
		}
	}
}

// EpochEnd answers OffsetForLeaderEpoch for epoch: kafka.NoEpoch and kafka.NoOffset if it is not known. Errors are Read's.
func (p *Partition) EpochEnd(current, epoch kafka.LeaderEpoch, anyReplica bool) (EpochEnd, error) {
	if err := p.check(current, !anyReplica); err != nil {
		return EpochEnd{Epoch: kafka.NoEpoch, End: kafka.NoOffset}, err
	}
	found, end := p.log().EpochEndOffset(epoch)
	return EpochEnd{Epoch: found, End: end}, nil
}
