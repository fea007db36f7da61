package offsets

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// Committed is an offset that a group committed.
type Committed struct {
	Partition   int32
	LeaderEpoch kafka.LeaderEpoch // of the last record that was read; kafka.NoEpoch if the client did not say
	Offset      kafka.Offset
	Metadata    string
	CommitTime  int64         // ms since 1970
	ExpireTime  int64         // ms since 1970; kafka.NoTimestamp where Config.Retention decides
	TopicID     kafka.TopicID // zero if the record has none

	at kafka.Offset // of the record
}

// OfTopic says that the offset may be one of the topic with the id: neither is unknown and another.
func (c *Committed) OfTopic(id kafka.TopicID) bool {
	return c.TopicID.IsZero() || id.IsZero() || c.TopicID == id
}

// Expired says whether the offset is too old, when it ages from a time, or from its commit if that is zero.
func (c *Committed) Expired(now, from time.Time, retention time.Duration) bool {
	if c.ExpireTime != kafka.NoTimestamp {
		return now.UnixMilli() >= c.ExpireTime
	}
	since := c.CommitTime
	if !from.IsZero() {
		since = from.UnixMilli()
	}
	return now.UnixMilli()-since >= retention.Milliseconds()
}

// Store holds what the groups of a shard committed. Groups and topics are many and most of them small: a group is one
// sorted list of topics, a topic one sorted list of partitions.
type Store struct {
	groups map[string][]topic
	// names counts the groups that have offsets of a topic, and has one copy of its name for all.
	names map[string]*named
	count int
}

type named struct {
	name   string
	groups int
}

type topic struct {
	name       *named
	partitions []Committed // by Partition
}

// NewStore returns a store without offsets.
func NewStore() *Store { return &Store{groups: map[string][]topic{}, names: map[string]*named{}} }

// Len is how many offsets there are.
func (s *Store) Len() int { return s.count }

// Replay applies the record at an offset of the log; a nil value is a tombstone. A commit that lies before the one that is
// known, as one of a transaction may when its end is replayed, changes nothing.
func (s *Store) Replay(at kafka.Offset, key *schema.OffsetCommitKey, value *schema.OffsetCommitValue) {
	if value == nil {
		s.remove(key.Group, key.Topic, key.Partition)
		return
	}
	t := s.topic(key.Group, key.Topic)
	i, found := t.find(key.Partition)
	if !found {
		t.partitions = slices.Insert(t.partitions, i, Committed{Partition: key.Partition})
		s.count++
	}
	c := &t.partitions[i]
	if found && at < c.at {
		return
	}
	*c = Committed{
		Partition: key.Partition, LeaderEpoch: kafka.LeaderEpoch(max(value.LeaderEpoch, int32(kafka.NoEpoch))),
		Offset: kafka.Offset(value.Offset), Metadata: value.Metadata, CommitTime: value.CommitTimestamp,
		ExpireTime: value.ExpireTimestamp, TopicID: value.TopicID, at: at,
	}
}

func compareName(t topic, name string) int { return cmp.Compare(t.name.name, name) }

func (t *topic) find(partition int32) (int, bool) {
	return slices.BinarySearchFunc(t.partitions, partition, func(c Committed, p int32) int { return cmp.Compare(c.Partition, p) })
}

// topic returns the entry of a group and topic, a new one if there is none. It is good until the next change.
func (s *Store) topic(group, name string) *topic {
	topics := s.groups[group]
	i, found := slices.BinarySearchFunc(topics, name, compareName)
	if !found {
		n := s.names[name]
		if n == nil {
			n = &named{name: name}
			s.names[name] = n
		}
		n.groups++
		topics = slices.Insert(topics, i, topic{name: n})
		s.groups[group] = topics
	}
	return &topics[i]
}

func (s *Store) remove(group, name string, partition int32) {
	topics := s.groups[group]
	i, found := slices.BinarySearchFunc(topics, name, compareName)
	if !found {
		return
	}
	t := &topics[i]
	j, found := t.find(partition)
	if !found {
		return
	}
	s.count--
	t.partitions = slices.Delete(t.partitions, j, j+1)
	if len(t.partitions) > 0 {
		return
	}
	if t.name.groups--; t.name.groups == 0 {
		delete(s.names, name)
	}
	if topics = slices.Delete(topics, i, i+1); len(topics) > 0 {
		s.groups[group] = topics
		return
	}
	delete(s.groups, group)
}

// Get returns an offset of a group; nil if there is none. It is read only, and good until the next Replay.
func (s *Store) Get(group, name string, partition int32) *Committed {
	topics := s.groups[group]
	i, found := slices.BinarySearchFunc(topics, name, compareName)
	if !found {
		return nil
	}
	if j, found := topics[i].find(partition); found {
		return &topics[i].partitions[j]
	}
	return nil
}

// Has says whether a group has offsets.
func (s *Store) Has(group string) bool { return len(s.groups[group]) > 0 }

// Of visits the topics of a group in the order of their names, with the offsets in the order of their partitions. Both are
// read only, and good until the next Replay: collect what is to be changed.
func (s *Store) Of(group string) iter.Seq2[string, []Committed] {
	return func(yield func(string, []Committed) bool) {
		for _, t := range s.groups[group] {
			if !yield(t.name.name, t.partitions) {
				return
			}
		}
	}
}

// Topics visits the names of all topics with offsets, in no particular order.
func (s *Store) Topics() iter.Seq[string] { return maps.Keys(s.names) }

// Groups are the ids of the groups with offsets, sorted.
func (s *Store) Groups() []string { return slices.Sorted(maps.Keys(s.groups)) }
