package metadata

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// Image is the state of the cluster after one record of the metadata log. Immutable.
type Image struct {
	// Offset is the last record that the image contains, kafka.NoOffset for the empty image. A snapshot of the
	// image is named after Offset+1.
	Offset kafka.Offset
	// Epoch is the leader epoch of that record.
	Epoch kafka.LeaderEpoch
	// Timestamp is the append time of that record's batch in milliseconds: the snapshot's header carries it.
	Timestamp int64

	Features    *Features
	Cluster     *Cluster
	Topics      *Topics
	Configs     *Configs
	ProducerIDs ProducerIDs
	Kept        *Kept
}

// Empty returns the image of a log without records.
func Empty() *Image {
	return &Image{
		Offset:   kafka.NoOffset,
		Epoch:    kafka.NoEpoch,
		Features: &Features{},
		Cluster:  &Cluster{},
		Topics:   &Topics{},
		Configs:  &Configs{},
		Kept:     &Kept{},
	}
}

// End is the offset after the image's last record, exclusive.
func (i *Image) End() kafka.Offset { return i.Offset + 1 }

// at returns the same state, known to hold up to a later record.
func (i *Image) at(offset kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64) *Image {
	moved := *i
	moved.Offset, moved.Epoch, moved.Timestamp = offset, epoch, timestamp
	return &moved
}

// Record is a metadata record with the version that it is written in.
type Record struct {
	Body    schema.MetadataRecord
	Version int16
}

// Records visits the records of a snapshot of the image, in Kafka's order: features, brokers, controllers,
// topics, configurations, quotas, producer ids, ACLs, SCRAM credentials, delegation tokens. Equal images give
// equal sequences. It stops when yield returns false.
func (i *Image) Records(yield func(Record) bool) {
	w := &writer{yield: yield, level: i.Features.MetadataVersion()}
	i.Features.write(w)
	i.Cluster.write(w)
	i.Topics.write(w)
	i.Configs.write(w)
	i.Kept.write(w, quotaKey)
	i.ProducerIDs.write(w)
	i.Kept.write(w, aclKey)
	i.Kept.write(w, scramKey)
	i.Kept.write(w, tokenKey)
}

// writer passes records on until the consumer has enough.
type writer struct {
	yield func(Record) bool
	level Level // metadata.version, which decides the records' versions
	done  bool
}

func (w *writer) put(body schema.MetadataRecord, version int16) {
	if !w.done {
		w.done = !w.yield(Record{Body: body, Version: version})
	}
}
