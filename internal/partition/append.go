package partition

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/record"
)

// AppendRequest is one partition of a Produce request, or a coordinator's batch.
type AppendRequest struct {
	// Records is exactly one batch; record.CheckRequest has passed it. Append patches it in place and keeps nothing of it.
	Records      []byte
	RequiredAcks int16
	Origin       kafka.Origin
	// LeaderEpoch is the one in which a coordinator (FromCoordinator) loaded what it appends to: in any other one it is refused.
	LeaderEpoch kafka.LeaderEpoch
	Now         time.Time
	// Woken takes the waits that the append satisfies, for the caller to run; with nil they complete before Append returns.
	Woken *purgatory.Woken
}

// believed is the leader epoch that the request insists on.
func (r *AppendRequest) believed() kafka.LeaderEpoch {
	if r.Origin == kafka.FromCoordinator {
		return r.LeaderEpoch
	}
	return kafka.NoEpoch
}

// AppendResult tells what an Append did. After an error only LogStartOffset is set, where Kafka tells it.
type AppendResult struct {
	BaseOffset     kafka.Offset // kafka.NoOffset of a Duplicate that is too old for its offset to be known
	End            kafka.Offset // exclusive; an upper bound of such a one
	LogAppendTime  int64        // ms since 1970; kafka.NoTimestamp unless the topic has LogAppendTime
	LogStartOffset kafka.Offset // kafka.NoOffset where Kafka does not tell it
	LeaderEpoch    kafka.LeaderEpoch
	// Committed says that the high watermark has reached End: acks=all needs no wait.
	Committed bool
	// Synced says that the answer need not wait for a sync that flush.messages asks for. If it has to, see WatchSynced.
	Synced bool
	// Duplicate says that the batch was a retry of one that is in the log already.
	Duplicate bool
}

// Append validates a batch, gives it its offsets, and writes it.
// Errors wrap a kerr value; *record.InvalidRecordsError tells which records are to blame.
func (p *Partition) Append(r AppendRequest) (AppendResult, error) {
	if err := p.check(r.believed(), true); err != nil {
		return p.refused(err)
	}
	c := p.config.Load()
	rules := record.Rules{
		Partition: p.id, Origin: r.Origin, Now: r.Now.UnixMilli(), MaxBatchBytes: c.MaxMessageBytes, MaxDecompressed: c.MaxDecompressed,
		Recompress: c.Recompress, Codec: c.Codec, Level: c.Level, Compacted: c.Compacted, TimestampType: c.TimestampType,
		Before: c.TimestampBefore, After: c.TimestampAfter, TrustCompressed: c.TrustCompressed,
	}
	v, err := record.Validate(r.Records, &rules)
	if err != nil {
		return p.refused(err)
	}
	if len(v.Batch) > c.Log.SegmentBytes {
		return p.refused(fmt.Errorf("message batch size is %d bytes in append to partition %s, which exceeds the maximum configured segment size of %d: %w",
			len(v.Batch), p.id, c.Log.SegmentBytes, kerr.RecordListTooLarge))
	}
	w := p.write(v.Batch, r, c)
	if w.err != nil {
		if w.storage {
			w.err = p.storageFailure(w.err)
		}
		return p.refused(w.err)
	}
	if w.result.Duplicate {
		return w.result, nil
	}
	p.wrote(w, len(v.Batch), r.Woken)
	return w.result, nil
}

// wrote does what an append of so many bytes leads to outside of the lock.
func (p *Partition) wrote(w written, bytes int, woken *purgatory.Woken) {
	if w.sync {
		p.dir().m.o.Go(p.syncOwed)
	}
	p.advanced(bytes, woken)
	if w.unsynced {
		p.dir().flushSoon(p)
	}
}

// written is the outcome of the part of an append that is under the lock.
type written struct {
	result   AppendResult
	sync     bool  // somebody has to begin with the syncs that flush.messages asks for
	unsynced bool  // a segment is finished, or much was written: the flusher has something to do
	err      error // a kerr value, or the log's if storage
	storage  bool
}

// maxUnsynced is how much may be written to a log before it is flushed in the background, in bytes: that is what recovery reads and checks after a
// crash of the machine. Less would cost syncs, more gains little: a disk writes as much in a tenth of a second.
const maxUnsynced = 64 << 20

// write decides on a validated batch and writes it.
func (p *Partition) write(b record.Batch, r AppendRequest, c *Config) (w written) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Once more: since the check of Append the folder may have become another one's.
	if w.err = p.check(r.believed(), true); w.err != nil {
		return w
	}
	if w.err = p.core.CheckAppend(r.RequiredAcks); w.err != nil {
		return w
	}
	epoch := p.core.Leadership().LeaderEpoch
	b.SetBaseOffset(p.log().LogEndOffset())
	b.SetLeaderEpoch(epoch)
	known, duplicate, err := p.log().Producers().Check(b, r.Origin)
	switch {
	case err != nil:
		w.err = err
		return w
	case duplicate:
		w.result = AppendResult{
			BaseOffset: known.BaseOffset, End: known.LastOffset + 1, LogAppendTime: known.Timestamp, LogStartOffset: p.log().LogStartOffset(),
			LeaderEpoch: epoch, Duplicate: true, Committed: p.core.HighWatermark() > known.LastOffset, Synced: !p.syncs.owes(known.LastOffset + 1),
		}
		return w
	}
	if w.err = p.ensureFolder(r.Now); w.err != nil {
		w.storage = true
		return w
	}
	appended, err := p.log().Append(b, r.Now)
	if err != nil {
		w.err, w.storage = err, true
		return w
	}
	w.sync, w.unsynced = p.grew(int64(b.Count()), len(b), appended.Rolled, r.Now, c)
	p.core.SetDurable(p.syncs.durable())
	p.core.Appended(r.Now, appended.End)
	p.publish()
	w.result = AppendResult{
		BaseOffset: appended.Base, End: appended.End, LogAppendTime: kafka.NoTimestamp, LogStartOffset: p.log().LogStartOffset(),
		LeaderEpoch: epoch, Committed: p.core.HighWatermark() >= appended.End || planted.Bug("acked-before-replicated"), Synced: !p.syncs.owes(appended.End),
	}
	if c.TimestampType == kafka.LogAppendTime {
		w.result.LogAppendTime = b.MaxTimestamp()
	}
	return w
}

// grew takes in that so many records and bytes were appended, and says whether somebody has to begin with syncs that flush.messages asks for,
// and whether the flusher has something to do. Hold the lock.
func (p *Partition) grew(records int64, bytes int, rolled bool, now time.Time, c *Config) (sync, unsynced bool) {
	if p.unflushedSince.CompareAndSwap(0, now.UnixMilli()) { // after the append: a flush that overtakes it must not be taken for its own
		p.dir().m.grown.Store(true)
	}
	sync = p.noteAppended(records, bytes, p.log().LogEndOffset(), c.FlushMessages)
	p.unsynced += int64(bytes)
	if unsynced = rolled || p.unsynced >= maxUnsynced; unsynced {
		p.unsynced = 0
	}
	return sync, unsynced
}

// refused is the answer of an append that failed. Kafka tells the log start offset with some errors and not with others.
func (p *Partition) refused(err error) (AppendResult, error) {
	r := AppendResult{BaseOffset: kafka.NoOffset, End: kafka.NoOffset, LogAppendTime: kafka.NoTimestamp, LogStartOffset: kafka.NoOffset, LeaderEpoch: kafka.NoEpoch}
	for _, untold := range []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.CorruptMessage, kerr.KafkaStorageError} {
		if errors.Is(err, untold) {
			return r, err
		}
	}
	r.LogStartOffset = p.log().LogStartOffset()
	return r, err
}
