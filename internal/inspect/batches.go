package inspect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// unpackLimit bounds what the records of one batch may decompress to.
const unpackLimit = 1 << 30

// offsetIn reads the offset that a segment's, an index's or a snapshot's name begins with.
func offsetIn(name string) int64 {
	digits, _, _ := strings.Cut(path.Base(name), ".")
	digits, _, _ = strings.Cut(digits, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// scan visits the batches of a log from its start and returns the position where they end: size, or where no batch can be read, and
// then why not. Memory is bounded by the size of the largest batch that the file really holds.
func scan(r io.ReaderAt, size int64, visit func(position int64, b record.Batch)) (int64, error) {
	var head [record.HeaderSize]byte
	var buf []byte
	var position int64
	for position < size {
		n, err := r.ReadAt(head[:min(int64(len(head)), size-position)], position)
		if err != nil && !(errors.Is(err, io.EOF) && int64(n) == size-position) {
			return position, err
		}
		length, err := record.SizeAt(head[:n])
		if err != nil {
			return position, err
		}
		if int64(length) > size-position {
			return position, fmt.Errorf("a batch of %d bytes, of which %d are there: %w", length, size-position, record.ErrShort)
		}
		if cap(buf) < length {
			buf = make([]byte, length)
		}
		buf = buf[:length]
		if n, err := r.ReadAt(buf, position); n < length {
			return position, err
		}
		b, _, err := record.Next(buf)
		if err != nil {
			return position, err
		}
		visit(position, b)
		position += int64(length)
	}
	return position, nil
}

// segment is what has been seen of a log so far: what follows is checked against it.
type segment struct {
	next  int64 // offset behind the last batch
	epoch kafka.LeaderEpoch
	w     record.Walker
}

// batches prints a log segment or a snapshot.
func (f *reading) batches() error {
	s := &segment{next: f.base, epoch: -1}
	if strings.HasSuffix(f.name, ".checkpoint") {
		s.next = 0 // a snapshot's name has its end, its batches count from 0
	}
	defer s.w.Close()
	if c := f.o.chain; c != nil && strings.HasSuffix(f.name, ".log") {
		f.follow(c)
		defer func() { c.begun, c.next = true, s.next }()
	}
	position, err := scan(f.r, f.size, func(position int64, b record.Batch) { f.batch(s, position, b) })
	if err == nil {
		return nil
	}
	zeros, rerr := zeroFrom(f.r, position, f.size)
	switch {
	case rerr != nil:
		return rerr
	case zeros: // preallocated
		f.unused(position)
	case errors.Is(err, record.ErrShort):
		f.damaged(position, "torn tail of %d bytes: %v", f.size-position, err)
	default:
		f.damaged(position, "%v; the %d bytes from here on can't be read", err, f.size-position)
	}
	return f.err
}

// chain is how far the data files of a folder go that were read, in the order of their names.
type chain struct {
	begun  bool
	next   int64 // offset behind the last batch
	sparse bool  // offsets are missing within files: the topic is, or was, compacted
}

// follow looks whether a data file begins where the one before it ends. In a log that nobody compacted, a file is missing there.
func (f *reading) follow(c *chain) {
	switch {
	case !c.begun || f.base <= c.next:
	case c.sparse:
		f.put(entry("gap").str("name", f.name).str("what", fmt.Sprintf("no offsets from %d to %d: compacted away, or a file is missing", c.next, f.base-1)))
	default:
		f.damaged(0, "offsets %d to %d are missing before this file", c.next, f.base-1)
	}
}

// zeroFrom reports whether all bytes of r in [from, size) are zero.
func zeroFrom(r io.ReaderAt, from, size int64) (bool, error) {
	var buf [64 << 10]byte
	for at := from; at < size; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		for _, b := range buf[:n] {
			if b != 0 {
				return false, nil
			}
		}
		if n == 0 {
			return false, err
		}
		at += int64(n)
	}
	return true, nil
}

// unused prints that the rest of the file was preallocated and not written yet.
func (f *reading) unused(position int64) {
	f.put(entry("tail").int("position", position).int("size", f.size-position).str("what", "zeros: preallocated and never written"))
}

func (f *reading) batch(s *segment, position int64, b record.Batch) {
	f.entries++
	crc := b.CheckCRC()
	if !f.o.Verify {
		f.put(describe(position, b, crc == nil))
	}
	switch base := int64(b.BaseOffset()); {
	case crc != nil:
		f.damaged(position, "batch at offset %d: %v", base, crc)
	case base < s.next:
		f.damaged(position, "batch at offset %d, which must be %d or more", base, s.next)
	case b.LastOffsetDelta() < 0:
		f.damaged(position, "batch at offset %d has last offset delta %d", base, b.LastOffsetDelta())
	case b.NextOffset() < b.BaseOffset():
		f.damaged(position, "batch at offset %d ends beyond the highest offset that there is", base)
	case int64(b.LastOffset())-f.base > math.MaxInt32 && strings.HasSuffix(strings.TrimSuffix(f.name, ".deleted"), ".log"):
		f.damaged(position, "batch at offset %d is further from the segment's base than an index can say", base)
	case b.LeaderEpoch() < s.epoch:
		f.damaged(position, "batch at offset %d has leader epoch %d after epoch %d", base, b.LeaderEpoch(), s.epoch)
	}
	if c := f.o.chain; c != nil && int64(b.BaseOffset()) > s.next {
		c.sparse = true
	}
	s.next, s.epoch = int64(b.NextOffset()), b.LeaderEpoch()
	if crc == nil && (f.o.Verify || f.o.Records || f.o.Metadata || f.o.Offsets || f.o.Transactions || b.IsControl()) {
		f.walk(s, position, b)
	}
}

// describe returns the header of a batch.
func describe(position int64, b record.Batch, valid bool) *fields {
	e := entry("batch").
		int("baseOffset", int64(b.BaseOffset())).int("lastOffset", int64(b.LastOffset())).int("count", int64(b.Count())).
		int("position", position).int("size", int64(b.Size())).int("leaderEpoch", int64(b.LeaderEpoch())).
		str("codec", b.Codec().String()).str("timestampType", stampName(b.TimestampType())).
		int("baseTimestamp", b.BaseTimestamp()).int("maxTimestamp", b.MaxTimestamp())
	if b.HasProducerID() {
		e.int("producerID", int64(b.ProducerID())).int("producerEpoch", int64(b.ProducerEpoch())).
			int("baseSequence", int64(b.BaseSequence())).int("lastSequence", int64(b.LastSequence()))
	}
	if b.IsTransactional() {
		e.bool("transactional", true)
	}
	if b.IsControl() {
		e.bool("control", true)
	}
	if b.HasDeleteHorizon() {
		e.int("deleteHorizon", b.BaseTimestamp())
	}
	return e.str("crc", fmt.Sprintf("%08x", b.CRC())).bool("valid", valid)
}

func stampName(t kafka.TimestampType) string {
	if t == kafka.LogAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}

// walk visits the records of a batch: to print them, or to find damage.
func (f *reading) walk(s *segment, position int64, b record.Batch) {
	s.w.Reset(b, unpackLimit)
	last := int32(-1)
	for s.w.Next() {
		r := &s.w.Record
		f.records++
		if r.OffsetDelta <= last || r.OffsetDelta > b.LastOffsetDelta() {
			f.damaged(position, "batch at offset %d has a record of offset delta %d after %d, with %d the last",
				b.BaseOffset(), r.OffsetDelta, last, b.LastOffsetDelta())
		}
		last = r.OffsetDelta
		offset := int64(b.BaseOffset()) + int64(r.OffsetDelta)
		switch {
		case b.IsControl():
			f.control(position, offset, r)
		case f.o.Metadata:
			f.metadata(position, offset, r)
		case f.o.Offsets:
			f.group(position, offset, r)
		case f.o.Transactions:
			f.transaction(position, offset, r)
		case f.o.Records && !f.o.Verify:
			f.record(offset, r)
		}
	}
	if err := s.w.Err(); err != nil {
		f.damaged(position, "records of the batch at offset %d: %v", b.BaseOffset(), err)
	}
}

func (f *reading) record(offset int64, r *record.Record) {
	f.put(entry("record").int("offset", offset).int("timestamp", r.Timestamp).bytes("key", r.Key).bytes("value", r.Value).
		int("headers", int64(r.HeaderCount)))
	for key, value := range r.Headers() {
		f.put(entry("header").bytes("key", key).bytes("value", value))
	}
}

// metadata prints a record of __cluster_metadata decoded.
func (f *reading) metadata(position, offset int64, r *record.Record) {
	rec, version, err := schema.ParseMetadata(r.Value)
	if err != nil {
		f.damaged(position, "metadata record at offset %d: %v", offset, err)
		return
	}
	if f.o.Verify {
		return
	}
	f.put(entry("record").int("offset", offset).int("timestamp", r.Timestamp).raw("metadata", schema.AppendMetadataJSON(nil, rec, version)))
}

// group prints a record of __consumer_offsets decoded. Types of a newer release, and of groups that are not served here, are printed as
// any record.
func (f *reading) group(position, offset int64, r *record.Record) {
	key, err := schema.ParseGroupKey(r.Key)
	if errors.Is(err, schema.ErrUnknownRecord) {
		if !f.o.Verify {
			f.record(offset, r)
		}
		return
	}
	var value schema.GroupMessage
	var version int16
	if err == nil && r.Value != nil {
		value, version, err = schema.ParseGroupValue(key.APIKey(), r.Value)
	}
	if err != nil {
		f.damaged(position, "group record at offset %d: %v", offset, err)
		return
	}
	if f.o.Verify {
		return
	}
	e := entry("record").int("offset", offset).int("timestamp", r.Timestamp).int("type", int64(key.APIKey())).raw("key", key.AppendJSON(nil, 0))
	if value == nil {
		f.put(e.raw("value", []byte("null")))
		return
	}
	f.put(e.int("version", int64(version)).raw("value", value.AppendJSON(nil, version)))
}

// transaction prints a record of __transaction_state decoded. Another type is of a newer release, and printed as any record.
func (f *reading) transaction(position, offset int64, r *record.Record) {
	key, err := schema.ParseTransactionKey(r.Key)
	if errors.Is(err, schema.ErrUnknownRecord) {
		if !f.o.Verify {
			f.record(offset, r)
		}
		return
	}
	var value *schema.TransactionLogValue
	var version int16
	if err == nil && r.Value != nil {
		value, version, err = schema.ParseTransactionValue(r.Value)
	}
	if err != nil {
		f.damaged(position, "transaction record at offset %d: %v", offset, err)
		return
	}
	if f.o.Verify {
		return
	}
	e := entry("record").int("offset", offset).int("timestamp", r.Timestamp).raw("key", key.AppendJSON(nil, 0))
	if r.Value == nil {
		f.put(e.raw("value", []byte("null")))
		return
	}
	f.put(e.int("version", int64(version)).raw("value", value.AppendJSON(nil, version)))
}

// controls are the values of the quorum's control records.
var controls = map[record.ControlType]func() schema.Record{
	record.LeaderChange:   func() schema.Record { return new(schema.LeaderChangeMessage) },
	record.SnapshotHeader: func() schema.Record { return new(schema.SnapshotHeaderRecord) },
	record.SnapshotFooter: func() schema.Record { return new(schema.SnapshotFooterRecord) },
	record.KRaftVersion:   func() schema.Record { return new(schema.KRaftVersionRecord) },
	record.Voters:         func() schema.Record { return new(schema.VotersRecord) },
}

var controlNames = map[record.ControlType]string{
	record.Abort: "abort", record.Commit: "commit", record.LeaderChange: "leader change", record.SnapshotHeader: "snapshot header",
	record.SnapshotFooter: "snapshot footer", record.KRaftVersion: "kraft version", record.Voters: "voters",
}

// control prints a control record: the end of a transaction, or one of the metadata quorum.
func (f *reading) control(position, offset int64, r *record.Record) {
	t, err := record.ParseControlKey(r.Key)
	if err != nil {
		f.damaged(position, "control record at offset %d: %v", offset, err)
		return
	}
	name, ok := controlNames[t]
	if !ok {
		name = fmt.Sprintf("type %d", t)
	}
	e := entry("control").int("offset", offset).int("timestamp", r.Timestamp).str("type", name)
	body, err := controlBody(t, r.Value)
	if err != nil {
		f.damaged(position, "control record at offset %d, %s: %v", offset, name, err)
		return
	}
	if body != nil {
		e.raw("body", body)
	} else {
		e.bytes("value", r.Value)
	}
	if !f.o.Verify {
		f.put(e)
	}
}

// controlBody returns the value of a control record as JSON, nil for a kind that is not known.
func controlBody(t record.ControlType, value []byte) ([]byte, error) {
	if t == record.Abort || t == record.Commit {
		if len(value) < 6 {
			return nil, fmt.Errorf("its value has %d bytes, want 6", len(value))
		}
		return fmt.Appendf(nil, `{"coordinatorEpoch":%d}`, int32(binary.BigEndian.Uint32(value[2:]))), nil
	}
	fresh, ok := controls[t]
	if !ok {
		return nil, nil
	}
	// The quorum's control records begin with their version, which is the first field of the body too.
	if len(value) < 2 {
		return nil, fmt.Errorf("its value has %d bytes", len(value))
	}
	version := int16(binary.BigEndian.Uint16(value))
	rec := fresh()
	if err := rec.ReadFrom(value, version); err != nil {
		return nil, err
	}
	return rec.AppendJSON(nil, version), nil
}
