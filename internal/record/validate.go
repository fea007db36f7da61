package record

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/kafka"
)

// Rules are what Validate checks a batch against: the topic's configuration, and who appends.
type Rules struct {
	Partition       kafka.TopicPartition // for messages
	Origin          kafka.Origin
	Now             int64 // ms since 1970
	MaxBatchBytes   int   // max.message.bytes
	MaxDecompressed int   // max.decompressed.message.bytes: the longest record of a compressed batch
	// Recompress says that compression.type names Codec, written at Level, instead of "producer".
	Recompress    bool
	Codec         compress.Codec
	Level         int
	Compacted     bool // records need keys
	TimestampType kafka.TimestampType
	Before, After time.Duration // message.timestamp.before.max.ms and after.max.ms; negative stands for Kafka's "any"
	// TrustCompressed trusts the records of a compressed batch behind a good CRC instead of walking them, unless another rule needs the walk.
	TrustCompressed bool
}

// Validated is what Validate found.
type Validated struct {
	// Batch is the batch to append: the input's own memory, or new memory if it had to be rewritten.
	Batch        Batch
	Rewritten    bool
	MaxTimestamp int64 // ms since 1970
}

// RecordError says what is wrong with one record of a batch (KIP-467, Produce v8+).
type RecordError struct {
	Index   int32
	Message string
}

// InvalidRecordsError is a refusal that is explained to the client: a batch some of whose records are invalid, or bytes that are no batch.
// It wraps kerr.InvalidRecord, kerr.InvalidTimestamp or kerr.CorruptMessage.
type InvalidRecordsError struct {
	Code    error         // the kerr value
	Message string        // Kafka's, for the partition's error message
	Records []RecordError // may be empty
}

// Error returns Kafka's message.
func (e *InvalidRecordsError) Error() string { return e.Message }

// Unwrap returns the protocol error.
func (e *InvalidRecordsError) Unwrap() error { return e.Code }

// zstdSince is the first Produce version whose clients are sure to know zstd (KIP-110).
const zstdSince = 7

// CheckRequest is the check of one partition of a Produce request, before anything else looks at the records: exactly one
// batch, of magic 2, of a codec that the request's version knows. A torn second batch is let pass and never stored, as in Kafka.
// Errors wrap kerr.InvalidRecord, kerr.CorruptMessage or kerr.UnsupportedCompressionType.
func CheckRequest(records []byte, version int16) error {
	b, rest, err := Next(records)
	switch {
	case errors.Is(err, ErrShort):
		return fmt.Errorf("produce requests with version %d must have at least one record batch per partition: %w", version, kerr.InvalidRecord)
	case errors.Is(err, ErrLegacy):
		return fmt.Errorf("produce requests with version %d are only allowed to contain record batches with magic version 2: %w", version, kerr.InvalidRecord)
	case err != nil:
		return corruptRequest(err)
	case version < zstdSince && !b.Codec().Valid():
		return unknownCodec(b) // later versions learn of it from Validate
	case version < zstdSince && b.Codec() == compress.Zstd:
		return fmt.Errorf("produce requests with version %d are not allowed to use zstd: %w", version, kerr.UnsupportedCompressionType)
	}
	if _, _, err := Next(rest); err == nil || errors.Is(err, ErrLegacy) {
		return fmt.Errorf("produce requests with version %d are only allowed to contain exactly one record batch per partition: %w", version, kerr.InvalidRecord)
	} else if errors.Is(err, ErrCorrupt) {
		return corruptRequest(err)
	}
	return nil
}

// corruptRequest is the one refusal by CheckRequest that Kafka explains to the client.
func corruptRequest(err error) error {
	text := strings.TrimPrefix(err.Error(), ErrCorrupt.Error()+": ")
	return &InvalidRecordsError{Code: kerr.CorruptMessage, Message: strings.ToUpper(text[:1]) + text[1:]}
}

// unknownCodec is an unchecked failure in Kafka, which its clients see as an unknown error.
func unknownCodec(b Batch) error {
	return fmt.Errorf("unknown compression type id %d: %w", b.Codec(), kerr.UnknownServerError)
}

// Validate checks the one batch of an append to a leader and sets the timestamps that the rules ask for, in place where it can: the
// batch keeps its memory unless it has to be compressed otherwise. Offset and leader epoch are the caller's to set. Errors wrap a kerr value; *InvalidRecordsError tells which records are to blame.
// A batch that has to be compressed otherwise may wait for others: see rewriting.
func Validate(records []byte, r *Rules) (Validated, error) {
	b, rest, err := Next(records)
	if err != nil {
		if errors.Is(err, ErrCorrupt) {
			return Validated{}, fmt.Errorf("%w: %w", err, kerr.CorruptMessage)
		}
		return Validated{}, fmt.Errorf("record batch has no batches at all: %w", kerr.InvalidRecord)
	}
	if err := r.checkEnvelope(b); err != nil {
		return Validated{}, err
	}
	if _, _, err := Next(rest); err == nil {
		return Validated{}, fmt.Errorf("compressed outer record has more than one batch: %w", kerr.InvalidRecord)
	}
	if r.Origin == kafka.FromClient {
		if err := r.checkClient(b); err != nil {
			return Validated{}, err
		}
	}
	rewrite := r.Recompress && r.Codec != b.Codec() && !(b.IsControl() && b.Codec() == compress.None)
	maxTimestamp := b.MaxTimestamp()
	if rewrite || !r.trusts(b) {
		seen, err := r.scan(b)
		if err != nil {
			return Validated{}, err
		}
		if rewrite {
			if err := r.checkRewrite(b, seen.bytes); err != nil {
				return Validated{}, err
			}
		}
		maxTimestamp = seen.maxTimestamp
		if seen.outOfPlace && !rewrite && b.Codec() != compress.None {
			// Kafka wants to write such a batch anew, fails unchecked, and its clients see an unknown error. Uncompressed it stores it as it is.
			return Validated{}, fmt.Errorf("%s: the offsets of compressed records are not consecutive: %w", r.Partition, kerr.UnknownServerError)
		}
	} else if r.outOfWindow(maxTimestamp) || r.outOfWindow(b.BaseTimestamp()) {
		return Validated{}, fmt.Errorf("batch's timestamps are out of range: %w", kerr.InvalidTimestamp)
	}
	if rewrite {
		return r.rewrite(b)
	}
	if r.TimestampType == kafka.LogAppendTime {
		maxTimestamp = r.Now
	}
	b.setMaxTimestamp(r.TimestampType, maxTimestamp)
	return Validated{Batch: b, MaxTimestamp: maxTimestamp}, nil
}

// trusts reports whether the header of a batch is enough. One that bears the time of an append, which no producer sets, is for the walk to refuse.
func (r *Rules) trusts(b Batch) bool {
	return r.TrustCompressed && b.Codec() != compress.None && !r.Compacted && b.TimestampType() == kafka.CreateTime
}

// checkEnvelope checks what lies around the records.
func (r *Rules) checkEnvelope(b Batch) error {
	switch {
	case r.Origin == kafka.FromClient && b.BaseOffset() != 0:
		return fmt.Errorf("the base offset of the record batch in the append to %s should be 0, but it is %d: %w", r.Partition, b.BaseOffset(), kerr.InvalidRecord)
	case b.Size() > r.MaxBatchBytes:
		return fmt.Errorf("the record batch size in the append to %s is %d bytes, which exceeds the maximum configured value of %d: %w",
			r.Partition, b.Size(), r.MaxBatchBytes, kerr.MessageTooLarge)
	}
	if err := b.CheckCRC(); err != nil {
		return fmt.Errorf("%s: %w: %w", r.Partition, err, kerr.CorruptMessage)
	}
	if !b.Codec().Valid() {
		return unknownCodec(b)
	}
	return nil
}

// checkClient checks what a client could do wrong in the header.
func (r *Rules) checkClient(b Batch) error {
	span := int64(b.LastOffset()-b.BaseOffset()) + 1
	switch {
	case span <= 0:
		return fmt.Errorf("batch has an invalid offset range [%d, %d] in %s: %w", b.BaseOffset(), b.LastOffset(), r.Partition, kerr.InvalidRecord)
	case b.Count() <= 0:
		return fmt.Errorf("invalid reported count for record batch: %d in %s: %w", b.Count(), r.Partition, kerr.InvalidRecord)
	case span != int64(b.Count()):
		return fmt.Errorf("inconsistent batch offset range [%d, %d] and count of records %d in %s: %w",
			b.BaseOffset(), b.LastOffset(), b.Count(), r.Partition, kerr.InvalidRecord)
	case b.IsControl():
		return fmt.Errorf("clients are not allowed to write control records in %s: %w", r.Partition, kerr.InvalidRecord)
	case b.HasProducerID() && b.BaseSequence() < 0:
		return fmt.Errorf("invalid sequence number %d in record batch with producer id %d in %s: %w",
			b.BaseSequence(), b.ProducerID(), r.Partition, kerr.InvalidRecord)
	}
	return nil
}

// scanned is what a walk over the records found.
type scanned struct {
	maxTimestamp int64
	outOfPlace   bool  // offsets are not 0, 1, 2, …
	bytes        int64 // of the records, decompressed
}

// scan walks the records once without keeping any.
func (r *Rules) scan(b Batch) (scanned, error) {
	var w Walker
	defer w.Close()
	w.Reset(b, compress.Limit(len(b), math.MaxInt32))
	w.skim = true
	if b.Codec() != compress.None {
		w.maxRecord = r.MaxDecompressed
	}
	s := scanned{maxTimestamp: kafka.NoTimestamp}
	var bad *refusals
	index := int32(0)
	oldest, newest := r.window()
	typed := b.TimestampType() == kafka.LogAppendTime
	for {
		if w.left > 1 && !typed && w.err == nil {
			index = s.ordinary(&w, oldest, newest, r.Compacted, index)
		}
		if !w.Next() {
			break
		}
		rec := &w.Record
		if typed || rec.Timestamp < oldest || rec.Timestamp > newest || r.Compacted && rec.KeySize < 0 {
			if message, code := r.checkRecord(b, rec); code != nil {
				bad = bad.add(index, message, code)
			}
		}
		s.maxTimestamp = max(s.maxTimestamp, w.Record.Timestamp)
		s.outOfPlace = s.outOfPlace || w.Record.OffsetDelta != index
		s.bytes += int64(w.Record.Size)
		index++
	}
	if err := w.Err(); err != nil {
		if errors.Is(err, compress.ErrTooLarge) || errors.Is(err, ErrCorrupt) && (err != errVarint || b.Codec() != compress.None) {
			return s, fmt.Errorf("%s: %w: %w", r.Partition, err, kerr.InvalidRecord)
		}
		// Kafka's failure to decompress is an unchecked one, which its clients see as an unknown error; so is a bad length in a batch
		// that is not compressed.
		return s, fmt.Errorf("%s: failed to read the records: %w: %w", r.Partition, err, kerr.UnknownServerError)
	}
	return s, bad.err()
}

// checkRecord returns what is wrong with one record, in Kafka's words, and the protocol error.
func (r *Rules) checkRecord(b Batch, rec *Record) (string, error) {
	switch {
	case r.Compacted && rec.KeySize < 0:
		return fmt.Sprintf("Compacted topic cannot accept message without key in topic partition %s", r.Partition), kerr.InvalidRecord
	case r.TimestampType == kafka.CreateTime && rec.Timestamp != kafka.NoTimestamp:
		if r.outOfWindow(rec.Timestamp) {
			return fmt.Sprintf("Timestamp %d of message with offset %d is out of range. The timestamp should be within [%d, %d]",
				rec.Timestamp, int64(b.BaseOffset())+int64(rec.OffsetDelta), r.Now-windowMs(r.Before), r.Now+windowMs(r.After)), kerr.InvalidTimestamp
		}
	case b.TimestampType() == kafka.LogAppendTime:
		kind, key, value := "DefaultRecord", max(rec.KeySize, 0), max(rec.ValueSize, 0)
		if b.Codec() != compress.None {
			kind, key, value = "PartialDefaultRecord", rec.KeySize, rec.ValueSize
		}
		return fmt.Sprintf("Invalid timestamp type in message %s(offset=%d, timestamp=%d, key=%d bytes, value=%d bytes). Producer should not set timestamp type to LogAppendTime.",
			kind, int64(b.BaseOffset())+int64(rec.OffsetDelta), rec.Timestamp, key, value), kerr.InvalidTimestamp
	}
	return "", nil
}

// outOfWindow reports whether a record's own timestamp is too far from now.
func (r *Rules) outOfWindow(timestamp int64) bool {
	oldest, newest := r.window()
	return timestamp != kafka.NoTimestamp && (timestamp < oldest || timestamp > newest)
}

// window returns the bounds of what a record's own timestamp may be, in ms since 1970, both inclusive.
func (r *Rules) window() (oldest, newest int64) {
	oldest, newest = math.MinInt64, math.MaxInt64
	if r.TimestampType != kafka.CreateTime {
		return oldest, newest
	}
	if before := windowMs(r.Before); before != math.MaxInt64 {
		oldest = r.Now - before
	}
	if after := windowMs(r.After); after != math.MaxInt64 {
		newest = r.Now + after
	}
	return oldest, newest
}

// windowMs returns d in ms; a negative one, and the longest that there is, stand for Kafka's longest.
func windowMs(d time.Duration) int64 {
	if d < 0 || d.Milliseconds() == time.Duration(math.MaxInt64).Milliseconds() {
		return math.MaxInt64
	}
	return d.Milliseconds()
}

// Bounds of what a refusal tells.
const (
	shownErrors = 3    // in the message, as in Kafka
	maxErrors   = 1000 // in the list, where Kafka has no bound
)

// refusals collects the records of a batch that are refused.
type refusals struct {
	records   []RecordError
	count     int
	timestamp bool // one of them for its timestamp
}

func (f *refusals) add(index int32, message string, code error) *refusals {
	if f == nil {
		f = &refusals{}
	}
	f.count++
	f.timestamp = f.timestamp || code == kerr.InvalidTimestamp
	if len(f.records) < maxErrors {
		f.records = append(f.records, RecordError{Index: index, Message: message})
	}
	return f
}

func (f *refusals) err() error {
	if f == nil {
		return nil
	}
	if f.timestamp {
		return &InvalidRecordsError{
			Code: kerr.InvalidTimestamp, Records: f.records,
			Message: "One or more records have been rejected due to invalid timestamp",
		}
	}
	var shown strings.Builder
	for i, e := range f.records[:min(shownErrors, len(f.records))] {
		if i > 0 {
			shown.WriteString(", ")
		}
		fmt.Fprintf(&shown, "RecordError(batchIndex=%d, message='%s')", e.Index, e.Message)
	}
	return &InvalidRecordsError{
		Code: kerr.InvalidRecord, Records: f.records,
		Message: fmt.Sprintf("One or more records have been rejected due to %d record errors in total, and only showing the first three errors at most: [%s]",
			f.count, shown.String()),
	}
}

// maxRewritten is how much memory the records of a batch of ordinary size may take while it is written anew, in bytes.
const maxRewritten = 64 << 20

// checkRewrite refuses a batch whose records, bytes long without compression, are too many to be held for writing them anew.
func (r *Rules) checkRewrite(b Batch, bytes int64) error {
	limit := int64(max(maxRewritten, 16*r.MaxBatchBytes))
	if r.Codec == compress.None {
		limit = int64(r.MaxBatchBytes) + maxVarint32*int64(b.Count()) // offsets may get shorter
	}
	if bytes > limit {
		return fmt.Errorf("the records in the append to %s are %d bytes without compression, the topic's compression.type can be given to %d: %w",
			r.Partition, bytes, limit, kerr.MessageTooLarge)
	}
	return nil
}

var builders = sync.Pool{New: func() any { return new(Builder) }}

// keepBuilder is the largest memory of a builder that is kept for the next batch, in bytes.
const keepBuilder = 4 << 20

// rewriting bounds how many batches are rewritten at once. A rewrite holds a batch decompressed, which may be a thousand
// times what came in: more of them than processors would be memory that a few small requests have asked for.
var rewriting = make(chan struct{}, runtime.GOMAXPROCS(0))

// rewrite builds the batch anew in memory of its own, with consecutive offsets and the codec that the rules ask for.
func (r *Rules) rewrite(b Batch) (Validated, error) {
	rewriting <- struct{}{}
	defer func() { <-rewriting }()
	var w Walker
	defer w.Close()
	w.Reset(b, compress.Limit(len(b), math.MaxInt32))
	builder := builders.Get().(*Builder)
	defer func() {
		if cap(builder.records) <= keepBuilder {
			builders.Put(builder)
		}
	}()
	o := Options{
		BaseOffset: b.BaseOffset(), LeaderEpoch: b.LeaderEpoch(), Codec: b.Codec(), Level: compress.DefaultLevel,
		TimestampType: r.TimestampType, AppendTime: r.Now,
		ProducerID: b.ProducerID(), ProducerEpoch: b.ProducerEpoch(), BaseSequence: b.BaseSequence(),
		Transactional: b.IsTransactional(), Control: b.IsControl(),
	}
	if r.Recompress {
		o.Codec, o.Level = r.Codec, r.Level
	}
	builder.Begin(o)
	for w.Next() {
		builder.addCopy(builder.lastDelta+1, &w.Record)
	}
	if err := w.Err(); err != nil {
		return Validated{}, fmt.Errorf("%s: %w: %w", r.Partition, err, kerr.UnknownServerError)
	}
	rewritten, err := builder.AppendTo(nil)
	if err != nil {
		return Validated{}, fmt.Errorf("%s: %w: %w", r.Partition, err, kerr.UnknownServerError)
	}
	if len(rewritten) > r.MaxBatchBytes {
		return Validated{}, fmt.Errorf("message batch size is %d bytes in append to %s, which exceeds the maximum configured size of %d: %w",
			len(rewritten), r.Partition, r.MaxBatchBytes, kerr.MessageTooLarge)
	}
	return Validated{Batch: rewritten, Rewritten: true, MaxTimestamp: Batch(rewritten).MaxTimestamp()}, nil
}
