package metalog

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// maxBatch bounds a decompressed batch of the metadata log; Kafka writes none larger than 8 MiB.
const maxBatch = 64 << 20

// Batch is a decoded batch of the metadata log or of a snapshot.
type Batch struct {
	metadata.Batch
	// Base is the offset of the first record.
	Base kafka.Offset
	// Voters and KRaft are those of a control batch, or nil; so is Header, of a snapshot. Footer says that the batch ends one.
	Voters *schema.VotersRecord
	KRaft  *schema.KRaftVersionRecord
	Header *schema.SnapshotHeaderRecord
	Footer bool
}

// Decode reads a batch whose CRC was checked. Errors wrap ErrDamaged.
func Decode(b record.Batch) (*Batch, error) {
	d := &Batch{Base: b.BaseOffset()}
	d.Offset, d.Epoch, d.Timestamp = b.LastOffset(), b.LeaderEpoch(), b.MaxTimestamp()
	var w record.Walker
	defer w.Close()
	w.Reset(b, maxBatch)
	for w.Next() {
		var err error
		if b.IsControl() {
			err = d.control(w.Record.Key, w.Record.Value)
		} else {
			err = d.data(w.Record.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: record at offset %d: %w", ErrDamaged, d.Base+kafka.Offset(w.Record.OffsetDelta), err)
		}
	}
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("%w: batch at offset %d: %w", ErrDamaged, d.Base, err)
	}
	return d, nil
}

func (d *Batch) data(value []byte) error {
	r, _, err := schema.ParseMetadata(value)
	if err != nil {
		return err
	}
	d.Records = append(d.Records, r)
	return nil
}

// control reads a control record. Unknown ones are skipped, as Kafka does: they say nothing about the metadata.
func (d *Batch) control(key, value []byte) error {
	kind, err := record.ParseControlKey(key)
	if err != nil {
		return err
	}
	switch kind {
	case record.Voters:
		d.Voters = new(schema.VotersRecord)
		return d.Voters.ReadFrom(value, schema.ControlVersion)
	case record.KRaftVersion:
		d.KRaft = new(schema.KRaftVersionRecord)
		return d.KRaft.ReadFrom(value, schema.ControlVersion)
	case record.SnapshotHeader:
		d.Header = new(schema.SnapshotHeaderRecord)
		return d.Header.ReadFrom(value, schema.ControlVersion)
	case record.SnapshotFooter:
		d.Footer = true
	}
	return nil
}

// Encoder builds batches and keeps its memory.
type Encoder struct {
	builder record.Builder
	value   []byte
}

// Data appends to dst a batch of metadata records at base.
func (e *Encoder) Data(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, records []metadata.Record) ([]byte, error) {
	e.builder.Begin(record.NewOptions(base, epoch))
	for _, r := range records {
		e.value = schema.AppendMetadata(e.value[:0], r.Body, r.Version)
		e.builder.Add(timestamp, nil, e.value)
	}
	return e.builder.AppendTo(dst)
}

// ControlRecord is a control record to be written.
type ControlRecord struct {
	Kind record.ControlType
	Body schema.Record
}

// Control appends to dst a control batch at base.
func (e *Encoder) Control(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, records ...ControlRecord) ([]byte, error) {
	options := record.NewOptions(base, epoch)
	options.Control = true
	e.builder.Begin(options)
	for _, r := range records {
		e.value = r.Body.AppendTo(e.value[:0], schema.ControlVersion)
		e.builder.Add(timestamp, record.ControlKey(r.Kind), e.value)
	}
	return e.builder.AppendTo(dst)
}
