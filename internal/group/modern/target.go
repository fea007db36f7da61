package modern

import (
	"slices"

	"github.com/ottla/ottla/internal/group/assignor"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// largeTarget is from how many partitions on it is asked whether a target fits a batch.
const largeTarget = 10_000

// retarget computes the target assignment, if the group epoch rose since and the last time was long enough ago. It returns
// false if the target of a member is too large for a record; nothing is written then.
func (g *Group) retarget(t *shard.Turn) bool {
	now := t.Now.UnixMilli()
	interval := g.times().AssignmentInterval.Milliseconds()
	if g.assignmentEpoch >= g.epoch || g.assignedAt != 0 && interval > 0 && now < g.assignedAt+interval {
		return true
	}
	spec := g.spec()
	targets := assignor.Named(g.assignor())(spec)
	for _, target := range targets {
		if n := target.Len(); n > largeTarget && !t.Fits(schema.GroupRecord{Key: g.memberKey(""), Value: targetRecord(target)}) {
			return false
		}
	}
	for i := range spec.Members {
		id := spec.Members[i].ID
		if old, ok := g.targets[id]; ok && old.Equal(targets[i]) {
			continue
		}
		t.Cut() // a target that is cut short is computed again: its epoch comes last
		g.write(t, &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: id}, targetRecord(targets[i]))
	}
	g.writeAssignmentEpoch(t, g.epoch, now)
	return true
}

func (g *Group) writeAssignmentEpoch(t *shard.Turn, epoch int32, at int64) {
	g.write(t, &schema.ConsumerGroupTargetAssignmentMetadataKey{GroupID: g.id},
		&schema.ConsumerGroupTargetAssignmentMetadataValue{AssignmentEpoch: epoch, AssignmentTimestamp: at})
}

func targetRecord(target assignor.Assignment) *schema.ConsumerGroupTargetAssignmentMemberValue {
	value := &schema.ConsumerGroupTargetAssignmentMemberValue{TopicPartitions: make([]schema.TargetTopicPartitions, len(target))}
	for i, topic := range target {
		value.TopicPartitions[i] = schema.TargetTopicPartitions{TopicID: topic.ID, Partitions: topic.Partitions}
	}
	return value
}

// spec is what the assignor is told of the group.
func (g *Group) spec() *assignor.Group {
	topics := g.env.Image.Topics
	spec := &assignor.Group{
		Members:    make([]assignor.Member, 0, len(g.members)),
		Alike:      g.alike(),
		Partitions: func(id kafka.TopicID) int { return len(topics.ByID(id).Partitions) },
	}
	var shared []kafka.TopicID
	for i, id := range g.ids() {
		m := g.members[id]
		if i == 0 || !spec.Alike {
			shared = g.topicIDs(m)
		}
		spec.Members = append(spec.Members, assignor.Member{
			ID: id, InstanceID: m.said.InstanceID, Topics: shared, Target: g.targets[id],
		})
	}
	return spec
}

// alike says that all members subscribe to the same topics: by name, or by one regular expression and nothing else.
func (g *Group) alike() bool {
	if len(g.regexes) == 0 {
		for _, s := range g.topics {
			if s.names != len(g.members) {
				return false
			}
		}
		return true
	}
	for _, members := range g.regexes {
		if members != len(g.members) {
			return false
		}
	}
	for _, s := range g.topics {
		if s.regexes != 1 || s.names > 0 {
			return false
		}
	}
	return true
}

// topicIDs are the topics that a member subscribes to and that exist, in order.
func (g *Group) topicIDs(m *member) []kafka.TopicID {
	var ids []kafka.TopicID
	collect := func(names []string) {
		for _, name := range names {
			if topic := g.env.Image.Topics.ByName(name); topic != nil {
				ids = append(ids, topic.ID)
			}
		}
	}
	collect(m.said.SubscribedTopicNames)
	if r := g.resolved[m.regex()]; r != nil {
		collect(r.topics)
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

// subscribes says whether a member subscribes to a topic that exists.
func (g *Group) subscribes(m *member, id kafka.TopicID) bool {
	topic := g.env.Image.Topics.ByID(id)
	if topic == nil {
		return false
	}
	if _, ok := slices.BinarySearch(m.said.SubscribedTopicNames, topic.Name); ok {
		return true
	}
	r := g.resolved[m.regex()]
	if r == nil {
		return false
	}
	_, ok := slices.BinarySearch(r.topics, topic.Name)
	return ok
}
