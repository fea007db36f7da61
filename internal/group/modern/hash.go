package modern

import (
	"encoding/binary"
	"maps"
	"slices"
	"unicode/utf16"

	"github.com/zeebo/xxh3"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// hashTopics is the hash over the topics that the group subscribes to and that exist, 0 if there are none. It is Kafka's to
// the bit (KIP-1101): a group that moves between Kafka and Ottla is not rebalanced for that.
func (g *Group) hashTopics() int64 {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(g.topics)) {
		if topic := g.env.Image.Topics.ByName(name); topic != nil {
			b = binary.LittleEndian.AppendUint64(b, g.env.hash(topic))
		}
	}
	if len(b) == 0 {
		return 0
	}
	return int64(xxh3.Hash(b))
}

func (e *Env) hash(topic *metadata.Topic) uint64 {
	f := e.followed[topic.Name]
	if f == nil {
		return hashTopic(topic, e.Image.Cluster)
	}
	if f.topic != topic {
		f.topic, f.hash = topic, hashTopic(topic, e.Image.Cluster)
	}
	return f.hash
}

// hashTopic covers the id, the name, and the racks of each partition's replicas.
func hashTopic(topic *metadata.Topic, cluster *metadata.Cluster) uint64 {
	const magic = 0
	b := []byte{magic}
	b = binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(topic.ID[:]))
	b = binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(topic.ID[8:]))
	b = appendJavaString(b, topic.Name)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(topic.Partitions)))
	for i, p := range topic.Partitions {
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
		var racks []string
		for _, id := range p.Replicas {
			if broker := cluster.Broker(kafka.NodeID(id)); broker != nil && broker.Rack != nil {
				racks = append(racks, *broker.Rack)
			}
		}
		slices.Sort(racks)
		for _, rack := range racks {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(utf16.Encode([]rune(rack)))))
			b = appendJavaString(b, rack)
		}
	}
	return xxh3.Hash(b)
}

// appendJavaString appends the units of UTF-16 and then their number.
func appendJavaString(b []byte, s string) []byte {
	units := utf16.Encode([]rune(s))
	for _, unit := range units {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return binary.LittleEndian.AppendUint32(b, uint32(len(units)))
}
