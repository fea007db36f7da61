package modern

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/assignor"
	"github.com/ottla/ottla/internal/kafka"
)

// Describe describes the group and its members. Topics that do not exist any more are left out.
func (g *Group) Describe() kmsg.ConsumerGroupDescribeResponseGroup {
	d := kmsg.NewConsumerGroupDescribeResponseGroup()
	d.Group, d.State = g.id, g.State()
	d.Epoch, d.AssignmentEpoch = g.epoch, g.assignmentEpoch
	d.AssignorName = g.assignor()
	for _, id := range g.ids() {
		d.Members = append(d.Members, g.describeMember(g.members[id]))
	}
	return d
}

func (g *Group) describeMember(m *member) kmsg.ConsumerGroupDescribeResponseGroupMember {
	d := kmsg.NewConsumerGroupDescribeResponseGroupMember()
	d.MemberID, d.InstanceID, d.RackID = m.id, m.said.InstanceID, m.said.RackID
	d.ClientID, d.ClientHost = m.said.ClientID, m.said.ClientHost
	d.MemberEpoch = m.has.MemberEpoch
	d.SubscribedTopics, d.SubscribedTopicRegex = m.said.SubscribedTopicNames, m.said.SubscribedTopicRegex
	d.MemberType = 1
	if m.classic() {
		d.MemberType = 0
	}
	has := m.has.AssignedPartitions
	for _, p := range m.has.PartitionsPendingRevocation {
		has = join(has, p)
	}
	for _, p := range has {
		d.Assignment.TopicPartitions = g.describeTopic(d.Assignment.TopicPartitions, p.TopicID, p.Partitions)
	}
	for _, topic := range g.targets[m.id] {
		d.TargetAssignment.TopicPartitions = g.describeTopic(d.TargetAssignment.TopicPartitions, topic.ID, topic.Partitions)
	}
	return d
}

func (g *Group) describeTopic(list []kmsg.AssignmentTopicPartition, id kafka.TopicID, partitions []int32) []kmsg.AssignmentTopicPartition {
	topic := g.env.Image.Topics.ByID(id)
	if topic == nil {
		return list
	}
	return append(list, kmsg.AssignmentTopicPartition{TopicID: id, Topic: topic.Name, Partitions: partitions})
}

// String is all that the group's records say of it.
func (g *Group) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, epoch %d, assigned %d at %d, hash %x\n", g.id, g.State(), g.epoch, g.assignmentEpoch, g.assignedAt, uint64(g.hash))
	for _, regex := range slices.Sorted(maps.Keys(g.resolved)) {
		r := g.resolved[regex]
		fmt.Fprintf(&b, "  regex %s: %v as of %d at %d\n", regex, r.topics, r.version, r.at)
	}
	for _, id := range g.ids() {
		m := g.members[id]
		fmt.Fprintf(&b, "  %s epoch %d<%d %s", id, m.has.MemberEpoch, m.has.PreviousMemberEpoch, stateName(m.has.State))
		fmt.Fprintf(&b, " has %s", g.portions(m.has.AssignedPartitions))
		if len(m.has.PartitionsPendingRevocation) > 0 {
			fmt.Fprintf(&b, " revoking %s", g.portions(m.has.PartitionsPendingRevocation))
		}
		fmt.Fprintf(&b, " target %s\n", g.target(g.targets[id]))
		fmt.Fprintf(&b, "    %v", m.said.SubscribedTopicNames)
		for _, word := range []struct {
			name  string
			value *string
		}{
			{"regex", m.said.SubscribedTopicRegex}, {"instance", m.said.InstanceID},
			{"rack", m.said.RackID}, {"assignor", m.said.ServerAssignor},
		} {
			if word.value != nil && *word.value != "" {
				fmt.Fprintf(&b, " %s %s", word.name, *word.value)
			}
		}
		fmt.Fprintf(&b, " %dms %s%s", m.said.RebalanceTimeoutMs, m.said.ClientID, m.said.ClientHost)
		if c := m.said.ClassicMemberMetadata; c != nil {
			fmt.Fprintf(&b, " classic %dms", c.SessionTimeoutMs)
			for _, p := range c.SupportedProtocols {
				fmt.Fprintf(&b, " %s", p.Name)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func stateName(state int8) string {
	switch state {
	case stable:
		return "stable"
	case unrevoked:
		return "unrevoked"
	case unreleased:
		return "unreleased"
	}
	return "unknown"
}

func (g *Group) portions(list []portion) string {
	if len(list) == 0 {
		return "-"
	}
	var words []string
	for _, p := range list {
		for i, partition := range p.Partitions {
			words = append(words, fmt.Sprintf("%s-%d@%d", g.name(p.TopicID), partition, p.AssignmentEpochs[i]))
		}
	}
	return strings.Join(words, ",")
}

func (g *Group) target(a assignor.Assignment) string {
	if len(a) == 0 {
		return "-"
	}
	var words []string
	for _, topic := range a {
		for _, p := range topic.Partitions {
			words = append(words, fmt.Sprintf("%s-%d", g.name(topic.ID), p))
		}
	}
	return strings.Join(words, ",")
}

func (g *Group) name(id kafka.TopicID) string {
	if topic := g.env.Image.Topics.ByID(id); topic != nil {
		return topic.Name
	}
	return id.String()
}
