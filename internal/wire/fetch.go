package wire

import (
	"math"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

const keyFetch = 1

// FetchRequest is the body of a Fetch request, versions 4 to 18, laid out flat. Reading into one that was used before
// reuses its slices. Bytes fields alias the body.
type FetchRequest struct {
	// ClusterID is nil when absent; voters and observers of the quorum send it.
	ClusterID []byte
	// ReplicaID is kafka.NoNode for a consumer.
	ReplicaID kafka.NodeID
	// ReplicaEpoch is the follower's broker epoch, or -1.
	ReplicaEpoch kafka.BrokerEpoch
	// MaxWait may be negative.
	MaxWait      time.Duration
	MinBytes     int32
	MaxBytes     int32
	Isolation    int8 // 0 read_uncommitted, 1 read_committed
	SessionID    int32
	SessionEpoch int32
	RackID       []byte

	Partitions []FetchPartition
	Forgotten  []ForgottenPartition
}

// FetchPartition is a partition to fetch from.
type FetchPartition struct {
	Topic   []byte     // until version 12
	TopicID kafka.UUID // from version 13

	Partition          int32
	CurrentLeaderEpoch kafka.LeaderEpoch
	FetchOffset        kafka.Offset
	LastFetchedEpoch   kafka.LeaderEpoch
	LogStartOffset     kafka.Offset // the follower's; -1 from a consumer
	MaxBytes           int32
	ReplicaDirectoryID kafka.UUID
	// HighWatermark is the follower's, math.MaxInt64 when it did not say (KIP-1166).
	HighWatermark kafka.Offset
}

// ForgottenPartition leaves a fetch session.
type ForgottenPartition struct {
	Topic     []byte     // until version 12
	TopicID   kafka.UUID // from version 13
	Partition int32
}

// Read makes f the request in body, all of which it checks first. The errors are those of Check.
func (f *FetchRequest) Read(version int16, body []byte) error {
	*f = FetchRequest{
		ReplicaID: kafka.NoNode, ReplicaEpoch: kafka.NoBrokerEpoch, SessionEpoch: -1,
		Partitions: f.Partitions[:0], Forgotten: f.Forgotten[:0],
	}
	if err := Check(Header{Key: keyFetch, Version: version}, body); err != nil {
		return err
	}
	w := walker{b: body, version: version, flexible: version >= layouts[keyFetch].flexible}
	if version <= 14 {
		f.ReplicaID = kafka.NodeID(w.int32())
	}
	f.MaxWait = time.Duration(w.int32()) * time.Millisecond
	f.MinBytes = w.int32()
	f.MaxBytes = w.int32()
	f.Isolation = w.int8()
	if version >= 7 {
		f.SessionID = w.int32()
		f.SessionEpoch = w.int32()
	}
	for n := w.count(false, 1); n > 0; n-- {
		f.readTopic(&w)
	}
	if version >= 7 {
		for n := w.count(false, 1); n > 0; n-- {
			f.readForgotten(&w)
		}
	}
	if version >= 11 {
		f.RackID = w.str(false)
	}
	for n := w.tagCount(); n > 0; n-- {
		switch tag, value := w.nextTag(); {
		case tag == 0:
			f.ClusterID = value.str(true)
		case tag == 1 && version >= 15:
			f.ReplicaID = kafka.NodeID(value.int32())
			f.ReplicaEpoch = kafka.BrokerEpoch(value.int64())
		}
	}
	return nil
}

func (f *FetchRequest) readTopic(w *walker) {
	name, id := w.topic()
	for n := w.count(false, 1); n > 0; n-- {
		f.Partitions = append(f.Partitions, FetchPartition{Topic: name, TopicID: id})
		f.Partitions[len(f.Partitions)-1].read(w)
	}
	w.skipTags()
}

func (p *FetchPartition) read(w *walker) {
	p.CurrentLeaderEpoch, p.LastFetchedEpoch = kafka.NoEpoch, kafka.NoEpoch
	p.LogStartOffset, p.HighWatermark = kafka.NoOffset, math.MaxInt64
	p.Partition = w.int32()
	if w.version >= 9 {
		p.CurrentLeaderEpoch = kafka.LeaderEpoch(w.int32())
	}
	p.FetchOffset = kafka.Offset(w.int64())
	if w.version >= 12 {
		p.LastFetchedEpoch = kafka.LeaderEpoch(w.int32())
	}
	if w.version >= 5 {
		p.LogStartOffset = kafka.Offset(w.int64())
	}
	p.MaxBytes = w.int32()
	for n := w.tagCount(); n > 0; n-- {
		switch tag, value := w.nextTag(); {
		case tag == 0 && w.version >= 17:
			p.ReplicaDirectoryID = value.uuid()
		case tag == 1 && w.version >= 18:
			p.HighWatermark = kafka.Offset(value.int64())
		}
	}
}

func (f *FetchRequest) readForgotten(w *walker) {
	name, id := w.topic()
	for n := w.count(false, 4); n > 0; n-- {
		f.Forgotten = append(f.Forgotten, ForgottenPartition{Topic: name, TopicID: id, Partition: w.int32()})
	}
	w.skipTags()
}

// topic reads a topic's name or, from version 13 of Produce and Fetch, its id.
func (w *walker) topic() (name []byte, id kafka.UUID) {
	if TopicsByID(w.version) {
		return nil, w.uuid()
	}
	return w.str(false), kafka.UUID{}
}

// tagCount starts the tagged section of a checked body: so many calls of nextTag follow.
func (w *walker) tagCount() int {
	if !w.flexible {
		return 0
	}
	return int(w.uvarint())
}

// nextTag passes one tagged field and returns its tag and a walker over its value.
func (w *walker) nextTag() (tag uint32, value walker) {
	tag = w.uvarint()
	value = *w
	value.b, value.at = w.skip(int(w.uvarint())), 0
	return tag, value
}

// skipTags passes the tagged section of a checked body.
func (w *walker) skipTags() {
	for n := w.tagCount(); n > 0; n-- {
		w.nextTag()
	}
}
