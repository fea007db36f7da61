package metadata

import (
	"cmp"
	"iter"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// Partition is what the log says of one partition. Immutable. Node ids are plain int32s, as on the wire, so that
// answers can refer to the lists without a copy.
type Partition struct {
	ID       int32
	Replicas []int32 // in order of preference
	// Directories has one entry for each replica (KIP-858).
	Directories []kafka.UUID
	ISR         []int32
	Adding      []int32
	Removing    []int32
	// ELR are replicas outside the ISR that hold all records up to the high watermark (KIP-966).
	ELR          []int32
	LastKnownELR []int32
	// Leader is kafka.NoNode while there is none.
	Leader kafka.NodeID
	// Recovering says that the leader came by an unclean election and has not recovered yet.
	Recovering     bool
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch kafka.PartitionEpoch
}

// Directory returns the directory of a replica, and false if node has none of the partition.
func (p *Partition) Directory(node kafka.NodeID) (kafka.UUID, bool) {
	i := slices.Index(p.Replicas, int32(node))
	if i < 0 {
		return kafka.UUID{}, false
	}
	if i >= len(p.Directories) {
		return kafka.MigratingDirectory, true
	}
	return p.Directories[i], true
}

// Record returns the partition as a record, in the version that a metadata.version writes.
func (p *Partition) Record(topic kafka.TopicID, level Level) (*schema.PartitionRecord, int16) {
	version := PartitionVersion(level)
	r := &schema.PartitionRecord{
		PartitionID:      p.ID,
		TopicID:          topic,
		Replicas:         p.Replicas,
		ISR:              p.ISR,
		RemovingReplicas: p.Removing,
		AddingReplicas:   p.Adding,
		Leader:           int32(p.Leader),
		LeaderEpoch:      int32(p.LeaderEpoch),
		PartitionEpoch:   int32(p.PartitionEpoch),
	}
	if p.Recovering {
		r.LeaderRecoveryState = 1
	}
	if version >= 1 {
		r.Directories = p.Directories
	}
	if version >= 2 && len(p.ELR) > 0 {
		r.EligibleLeaderReplicas = p.ELR
	}
	if version >= 2 && len(p.LastKnownELR) > 0 {
		r.LastKnownELR = p.LastKnownELR
	}
	return r, version
}

// Topic is one life of a topic. Immutable.
type Topic struct {
	Name string
	ID   kafka.TopicID
	// Partitions are in order of their ids, which count from 0.
	Partitions []*Partition
}

// Partition returns a partition or nil.
func (t *Topic) Partition(id int32) *Partition {
	if t == nil || id < 0 || int(id) >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[id]
}

// Topics is the set of topics. The zero value is empty.
type Topics struct {
	byName     Map[string, *Topic]
	byID       Map[kafka.TopicID, *Topic]
	partitions int
}

// ByName returns the topic of that name or nil.
func (t *Topics) ByName(name string) *Topic {
	found, _ := t.byName.Get(name)
	return found
}

// ByID returns the topic of that id or nil.
func (t *Topics) ByID(id kafka.TopicID) *Topic {
	found, _ := t.byID.Get(id)
	return found
}

// Len is the number of topics.
func (t *Topics) Len() int { return t.byName.Len() }

// Partitions is the number of partitions of all topics.
func (t *Topics) Partitions() int { return t.partitions }

// All visits the topics in no particular order.
func (t *Topics) All() iter.Seq[*Topic] {
	return func(yield func(*Topic) bool) {
		for _, topic := range t.byName.All() {
			if !yield(topic) {
				return
			}
		}
	}
}

// Sorted returns the topics sorted by name.
func (t *Topics) Sorted() []*Topic {
	return slices.SortedFunc(t.All(), func(a, b *Topic) int { return cmp.Compare(a.Name, b.Name) })
}

func (t *Topics) write(w *writer) {
	for _, topic := range t.Sorted() {
		w.put(&schema.TopicRecord{Name: topic.Name, TopicID: topic.ID}, 0)
		for _, p := range topic.Partitions {
			r, version := p.Record(topic.ID, w.level)
			w.put(r, version)
		}
	}
}
