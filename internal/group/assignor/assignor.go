package assignor

import (
	"bytes"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Topic are partitions of one topic, ascending.
type Topic struct {
	ID         kafka.TopicID
	Partitions []int32
}

// Assignment are the partitions of one member, sorted by topic id, without empty topics. It is not changed once it is
// made: assignments share their slices.
type Assignment []Topic

// Equal reports whether both hold the same partitions.
func (a Assignment) Equal(b Assignment) bool {
	return slices.EqualFunc(a, b, func(x, y Topic) bool { return x.ID == y.ID && slices.Equal(x.Partitions, y.Partitions) })
}

// Partitions returns those of one topic, ascending.
func (a Assignment) Partitions(id kafka.TopicID) []int32 {
	i, ok := slices.BinarySearchFunc(a, id, func(t Topic, id kafka.TopicID) int { return CompareIDs(t.ID, id) })
	if !ok {
		return nil
	}
	return a[i].Partitions
}

// Contains reports whether a partition is among them.
func (a Assignment) Contains(id kafka.TopicID, partition int32) bool {
	_, ok := slices.BinarySearch(a.Partitions(id), partition)
	return ok
}

// Len is the number of partitions.
func (a Assignment) Len() int {
	n := 0
	for _, t := range a {
		n += len(t.Partitions)
	}
	return n
}

// CompareIDs orders topic ids by their bytes, as Assignment does.
func CompareIDs(a, b kafka.TopicID) int { return bytes.Compare(a[:], b[:]) }

// Member is what an assignor knows of a member.
type Member struct {
	ID string
	// InstanceID is nil for a dynamic member.
	InstanceID *string
	// Topics are those that it subscribes to and that exist, sorted by CompareIDs, each once. Members may share the slice.
	Topics []kafka.TopicID
	// Target is what it was to have so far.
	Target Assignment
}

// Group is what an assignor is given.
type Group struct {
	// Members are sorted by id.
	Members []Member
	// Alike says that all members subscribe to the same topics.
	Alike bool
	// Partitions counts the partitions of a topic that a member subscribes to.
	Partitions func(kafka.TopicID) int
}

// Assignor computes the target of each member, in the order of the members. A target that did not change may share its
// slices with the one before.
type Assignor func(*Group) []Assignment

// Named returns the assignor of a name in group.consumer.assignors, nil if there is none.
func Named(name string) Assignor {
	switch name {
	case "uniform":
		return Uniform
	case "range":
		return Range
	}
	return nil
}

// owners is an assignment in the making: the index of the member that owns each partition, nobody for none.
type owners struct {
	topics []kafka.TopicID
	at     map[kafka.TopicID]int
	of     [][]int32
}

const nobody = -1

func newOwners(g *Group, topics []kafka.TopicID) *owners {
	o := &owners{topics: topics, at: make(map[kafka.TopicID]int, len(topics)), of: make([][]int32, len(topics))}
	for i, id := range topics {
		o.at[id] = i
		o.of[i] = make([]int32, g.Partitions(id))
		for p := range o.of[i] {
			o.of[i][p] = nobody
		}
	}
	return o
}

// partitions calls visit for each partition of a target that exists, in order.
func (o *owners) partitions(target Assignment, visit func(topic int, partition int32)) {
	for _, t := range target {
		topic, ok := o.at[t.ID]
		if !ok {
			continue
		}
		for _, p := range t.Partitions {
			if int(p) < len(o.of[topic]) {
				visit(topic, p)
			}
		}
	}
}

// assignments gives each member what it owns.
func (o *owners) assignments(members int) []Assignment {
	all := make([]Assignment, members)
	for topic, id := range o.topics {
		for p, m := range o.of[topic] {
			if m == nobody {
				continue
			}
			mine := &all[m]
			if n := len(*mine); n == 0 || (*mine)[n-1].ID != id {
				*mine = append(*mine, Topic{ID: id})
			}
			last := &(*mine)[len(*mine)-1]
			last.Partitions = append(last.Partitions, int32(p))
		}
	}
	return all
}

// union returns the topics that any member subscribes to, in order.
func union(g *Group) []kafka.TopicID {
	seen := make(map[kafka.TopicID]struct{})
	var topics []kafka.TopicID
	for i := range g.Members {
		for _, id := range g.Members[i].Topics {
			if _, ok := seen[id]; !ok {
				seen[id] = struct{}{}
				topics = append(topics, id)
			}
		}
	}
	slices.SortFunc(topics, CompareIDs)
	return topics
}
