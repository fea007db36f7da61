package compaction

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// ErrUnreadable says that a batch is not what was written, or of an old format: its log can't be cleaned.
var ErrUnreadable = errors.New("batch can't be compacted")

// LastBatch is what the log must keep of a producer.
type LastBatch struct {
	Offset kafka.Offset // the last one of its last data batch; kafka.NoOffset if only a marker is known
	Epoch  int16
}

// Rules are what decides on the records of one cleaning.
type Rules struct {
	Keys            *Keys        // of what is dirty
	End             kafka.Offset // exclusive: records at or above it were not indexed, and stay
	Now             int64        // ms
	DeleteRetention int64        // ms
	HighWatermark   kafka.Offset
	Producers       map[kafka.ProducerID]LastBatch
	Aborted         []Aborted // transactions of the range
}

// Filter passes the batches of a log, from its first one on, and lets through what stays of them: the second half of a cleaning.
type Filter struct {
	Rules
	txns txns
	open opened
	body []byte

	// Counts of records and bytes, before and after.
	Read, Kept           int64
	ReadBytes, KeptBytes int64
}

// NewFilter returns a filter.
func NewFilter(r Rules) *Filter { return &Filter{Rules: r, txns: newTxns(r.Aborted)} }

// Append appends to dst what stays of the next batch. Final says that it is the last one of the segment that is made: then at least its header stays, so
// that segments follow each other without a gap. It returns the aborted transaction whose marker b is, if that is still needed. The error wraps ErrUnreadable.
func (f *Filter) Append(dst []byte, b record.Batch, final bool) ([]byte, *Aborted, error) {
	if err := b.CheckCRC(); err != nil {
		return dst, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	before := len(dst)
	needless, aborted := f.txns.see(b)
	dst, n, err := f.decide(dst, b, needless)
	if err != nil {
		return dst, nil, err
	}
	if n == 0 && (final || b.NextOffset() == f.HighWatermark || f.lastOfProducer(b)) {
		if b.IsControl() { // whole: the coordinator's epoch is in the record
			dst, n = append(dst, b...), b.Count()
		} else {
			dst = record.AppendEmpty(dst, b)
		}
	}
	f.Read += int64(b.Count())
	f.Kept += int64(n)
	f.ReadBytes += int64(len(b))
	f.KeptBytes += int64(len(dst) - before)
	return dst, aborted, nil
}

// decide appends b with the records that stay, if any do, and returns how many.
func (f *Filter) decide(dst []byte, b record.Batch, needless bool) ([]byte, int32, error) {
	switch {
	case b.Count() == 0:
		return dst, 0, nil
	case !b.IsControl():
		if needless {
			return dst, 0, nil
		}
		return f.decideRecords(dst, b)
	case !needless:
		return append(dst, b...), b.Count(), nil
	case !b.HasDeleteHorizon(): // KIP-534: readers get time to see the marker
		return f.setHorizon(dst, b)
	case b.BaseTimestamp() <= f.Now:
		return dst, 0, nil
	}
	return append(dst, b...), b.Count(), nil
}

// lastOfProducer reports whether b holds what is known of its producer: the last sequence, or the epoch of its marker.
func (f *Filter) lastOfProducer(b record.Batch) bool {
	if !b.HasProducerID() {
		return false
	}
	last, ok := f.Producers[b.ProducerID()]
	if !ok {
		return false
	}
	if last.Offset != kafka.NoOffset {
		return b.LastOffset() == last.Offset
	}
	return b.IsControl() && b.ProducerEpoch() == last.Epoch
}

// decideRecords is decide for a data batch.
func (f *Filter) decideRecords(dst []byte, b record.Batch) ([]byte, int32, error) {
	if b.BaseOffset() >= f.End {
		return append(dst, b...), b.Count(), nil
	}
	if err := f.open.read(b, f.Keys); err != nil {
		return dst, 0, err
	}
	n, tombstones := f.choose(b)
	switch {
	case n == 0:
		return dst, 0, nil
	case tombstones && !b.HasDeleteHorizon() && b.NextOffset() <= f.End:
		return f.setHorizon(dst, b)
	case n == b.Count():
		return append(dst, b...), n, nil
	}
	r := record.Remainder{Records: f.copyKept(), Count: n, BaseTimestamp: b.BaseTimestamp(), DeleteHorizon: b.HasDeleteHorizon()}
	r.MaxTimestamp = f.newest()
	dst, err := record.AppendRemainder(dst, b, &r)
	return dst, n, err
}

// choose marks the records of the opened batch that stay, and returns how many, and whether there are tombstones among them.
func (f *Filter) choose(b record.Batch) (n int32, tombstones bool) {
	base := b.BaseOffset()
	deletable := b.HasDeleteHorizon() && b.BaseTimestamp() <= f.Now
	all, hashes := f.open.records, f.open.hashes
	for from := 0; from < len(all); from += touched {
		to := min(from+touched, len(all))
		f.open.sum += f.Keys.Touch(hashes[from:to])
		for i := from; i < to; i++ {
			r := &all[i]
			offset := base + kafka.Offset(r.delta)
			r.kept = offset >= f.End || !r.keyless && !(r.tombstone && deletable) && offset >= f.Keys.Get(hashes[i])
			if r.kept {
				n++
				tombstones = tombstones || r.tombstone
			}
		}
	}
	return n, tombstones
}

// copyKept returns the records that stay, as they are: their offsets and timestamps count from what the batch keeps.
func (f *Filter) copyKept() []byte {
	body, all := f.body[:0], f.open.records
	for from := 0; from < len(all); { // neighbours in one piece
		if !all[from].kept {
			from++
			continue
		}
		to, begin := from+1, 0
		if from > 0 {
			begin = all[from-1].end
		}
		for to < len(all) && all[to].kept {
			to++
		}
		body = append(body, f.open.body[begin:all[to-1].end]...)
		from = to
	}
	f.keep(body)
	return body
}

// keep holds on to a buffer for the next batch.
func (f *Filter) keep(body []byte) {
	if cap(body) <= maxKept {
		f.body = body[:0]
	}
}

func (f *Filter) newest() int64 {
	newest := kafka.NoTimestamp
	for i := range f.open.records {
		if r := &f.open.records[i]; r.kept {
			newest = max(newest, r.timestamp)
		}
	}
	return newest
}

// setHorizon appends b, or what was chosen of its records, with the time from which on its tombstones, or the marker that it is, may go: the base
// timestamp holds that, and the timestamps of the records count from it (KIP-534).
func (f *Filter) setHorizon(dst []byte, b record.Batch) ([]byte, int32, error) {
	if b.IsControl() {
		if err := f.open.read(b, f.Keys); err != nil {
			return dst, 0, err
		}
		for i := range f.open.records {
			f.open.records[i].kept = true
		}
	}
	r := record.Remainder{BaseTimestamp: f.Now + f.DeleteRetention, DeleteHorizon: true, Records: f.body[:0]}
	var w record.Walker
	defer w.Close()
	w.ResetOver(b, f.open.body)
	for i := 0; w.Next(); i++ {
		if f.open.records[i].kept {
			r.Records = record.AppendRecord(r.Records, r.BaseTimestamp, &w.Record)
			r.Count++
		}
	}
	r.MaxTimestamp = f.newest()
	f.keep(r.Records)
	dst, err := record.AppendRemainder(dst, b, &r)
	return dst, r.Count, err
}
