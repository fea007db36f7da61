package quorum

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// maxBatch bounds a decompressed batch of the metadata log; Kafka writes none larger than 8 MiB.
const maxBatch = 64 << 20

// batch is a decoded batch of the metadata log or of a snapshot.
type batch struct {
	metadata.Batch
	base     kafka.Offset
	versions []int16
	voters   *schema.VotersRecord       // of a control batch, or nil
	kraft    *schema.KRaftVersionRecord // of a control batch, or nil
	header   *schema.SnapshotHeaderRecord
	footer   bool
}

// decode reads a batch whose CRC was checked.
func decode(b record.Batch) (*batch, error) {
	d := &batch{base: b.BaseOffset()}
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
			return nil, fmt.Errorf("%w: record at offset %d: %w", ErrDamaged, d.base+kafka.Offset(w.Record.OffsetDelta), err)
		}
	}
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("%w: batch at offset %d: %w", ErrDamaged, d.base, err)
	}
	return d, nil
}

func (d *batch) data(value []byte) error {
	r, version, err := schema.ParseMetadata(value)
	if err != nil {
		return err
	}
	d.Records = append(d.Records, r)
	d.versions = append(d.versions, version)
	return nil
}

// control reads a control record. Unknown ones are skipped, as Kafka does: they say nothing about the metadata.
func (d *batch) control(key, value []byte) error {
	kind, err := record.ParseControlKey(key)
	if err != nil {
		return err
	}
	switch kind {
	case record.Voters:
		d.voters = new(schema.VotersRecord)
		return d.voters.ReadFrom(value, schema.ControlVersion)
	case record.KRaftVersion:
		d.kraft = new(schema.KRaftVersionRecord)
		return d.kraft.ReadFrom(value, schema.ControlVersion)
	case record.SnapshotHeader:
		d.header = new(schema.SnapshotHeaderRecord)
		return d.header.ReadFrom(value, schema.ControlVersion)
	case record.SnapshotFooter:
		d.footer = true
	}
	return nil
}

// encoder builds batches and keeps its memory.
type encoder struct {
	builder record.Builder
	value   []byte
}

// data builds a batch of metadata records at base.
func (e *encoder) data(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, records []metadata.Record) ([]byte, error) {
	e.builder.Begin(record.NewOptions(base, epoch))
	for _, r := range records {
		e.value = schema.AppendMetadata(e.value[:0], r.Body, r.Version)
		e.builder.Add(timestamp, nil, e.value)
	}
	return e.builder.AppendTo(dst)
}

// controlRecord is a control record to be written.
type controlRecord struct {
	kind record.ControlType
	body schema.Record
}

// control builds a control batch at base.
func (e *encoder) control(dst []byte, base kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64, records ...controlRecord) ([]byte, error) {
	options := record.NewOptions(base, epoch)
	options.Control = true
	e.builder.Begin(options)
	for _, r := range records {
		e.value = r.body.AppendTo(e.value[:0], schema.ControlVersion)
		e.builder.Add(timestamp, record.ControlKey(r.kind), e.value)
	}
	return e.builder.AppendTo(dst)
}
