package modern

import (
	"slices"

	"github.com/ottla/ottla/internal/group/assignor"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// compareIDs is the order of topics everywhere.
func compareIDs(a, b kafka.TopicID) int { return assignor.CompareIDs(a, b) }

// Replay applies a record of the group; a nil value is a tombstone. It returns false for the record that takes the group out.
func (g *Group) Replay(key, value schema.GroupMessage) bool {
	switch key := key.(type) {
	case *schema.ConsumerGroupMetadataKey:
		value, ok := value.(*schema.ConsumerGroupMetadataValue)
		if !ok {
			return false
		}
		g.epoch, g.hash = value.Epoch, value.MetadataHash
	case *schema.ConsumerGroupPartitionMetadataKey:
		g.oldTopics = value != nil
	case *schema.ConsumerGroupMemberMetadataKey:
		value, _ := value.(*said)
		g.replaySaid(key.MemberID, value)
	case *schema.ConsumerGroupTargetAssignmentMetadataKey:
		value, ok := value.(*schema.ConsumerGroupTargetAssignmentMetadataValue)
		if !ok {
			g.assignmentEpoch, g.assignedAt = -1, 0
			break
		}
		g.assignmentEpoch, g.assignedAt = value.AssignmentEpoch, value.AssignmentTimestamp
	case *schema.ConsumerGroupTargetAssignmentMemberKey:
		value, ok := value.(*schema.ConsumerGroupTargetAssignmentMemberValue)
		if !ok {
			delete(g.targets, key.MemberID)
			break
		}
		g.targets[key.MemberID] = targetOf(value)
	case *schema.ConsumerGroupCurrentMemberAssignmentKey:
		value, _ := value.(*current)
		g.replayCurrent(key.MemberID, value)
	case *schema.ConsumerGroupRegularExpressionKey:
		value, _ := value.(*schema.ConsumerGroupRegularExpressionValue)
		g.replayRegex(key.RegularExpression, value)
	}
	return true
}

func (g *Group) replaySaid(id string, value *said) {
	m := g.members[id]
	if m != nil {
		g.count(m, -1)
	}
	if value == nil {
		if m != nil {
			g.release(m)
			delete(g.members, id)
		}
		return
	}
	if m == nil {
		m = newMember(id)
		g.members[id] = m
		g.acquire(m)
	}
	if !slices.IsSorted(value.SubscribedTopicNames) {
		value.SubscribedTopicNames = distinct(value.SubscribedTopicNames)
	}
	m.said = value
	g.count(m, 1)
}

func (g *Group) replayCurrent(id string, value *current) {
	m := g.members[id]
	switch {
	case m == nil && value == nil:
		return
	case m == nil:
		m = newMember(id)
		g.members[id] = m
		g.count(m, 1)
	default:
		g.release(m)
	}
	if value == nil {
		value = &current{MemberEpoch: -1, PreviousMemberEpoch: -1}
	}
	switch value.State {
	case stable, unrevoked, unreleased:
	default:
		value.State = unknown
	}
	value.AssignedPartitions = portionsOf(value.AssignedPartitions, value.MemberEpoch)
	value.PartitionsPendingRevocation = portionsOf(value.PartitionsPendingRevocation, value.MemberEpoch)
	m.has = value
	g.acquire(m)
}

func (g *Group) replayRegex(regex string, value *schema.ConsumerGroupRegularExpressionValue) {
	if old := g.resolved[regex]; old != nil {
		for _, name := range old.topics {
			g.countTopic(name, 0, -1)
		}
		delete(g.resolved, regex)
	}
	if value == nil {
		return
	}
	r := &resolved{topics: distinct(value.Topics), version: value.Version, at: value.Timestamp}
	for _, name := range r.topics {
		g.countTopic(name, 0, 1)
	}
	g.resolved[regex] = r
}

// count adds what a member said to what the group counts, or takes it away.
func (g *Group) count(m *member, n int) {
	for _, name := range m.said.SubscribedTopicNames {
		g.countTopic(name, n, 0)
	}
	if regex := m.regex(); regex != "" {
		add(g.regexes, regex, n)
	}
	if name := m.said.ServerAssignor; name != nil {
		add(g.assignors, *name, n)
	}
	if c := m.said.ClassicMemberMetadata; c != nil {
		g.classic += n
		for i := range c.SupportedProtocols {
			add(g.protocols, c.SupportedProtocols[i].Name, n)
		}
	}
	switch instance := m.said.InstanceID; {
	case instance == nil:
	case n > 0:
		g.statics[*instance] = m.id
	case g.statics[*instance] == m.id:
		delete(g.statics, *instance)
	}
}

// add changes a count, which has no entry while it is 0.
func add[K comparable](counts map[K]int, key K, n int) {
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}

func (g *Group) countTopic(name string, names, regexes int) {
	s, known := g.topics[name]
	s.names += names
	s.regexes += regexes
	switch {
	case s != subscription{}:
		g.topics[name] = s
		if !known {
			g.env.follow(name, g)
		}
	case known:
		delete(g.topics, name)
		g.env.unfollow(name, g)
	}
}

// acquire makes a member the owner of what it has, and counts its state.
func (g *Group) acquire(m *member) {
	if m.has.State == stable {
		add(g.stable, m.has.MemberEpoch, 1)
	}
	for _, list := range [...][]portion{m.has.AssignedPartitions, m.has.PartitionsPendingRevocation} {
		for i := range list {
			owners := g.owners[list[i].TopicID]
			if owners == nil {
				owners = make(map[int32]string, len(list[i].Partitions))
				g.owners[list[i].TopicID] = owners
			}
			for _, p := range list[i].Partitions {
				owners[p] = m.id
			}
		}
	}
}

// release takes back what acquire did, but for a partition that has another owner by now: a log that was compacted may tell
// of the new owner before it tells of the old one.
func (g *Group) release(m *member) {
	if m.has.State == stable {
		add(g.stable, m.has.MemberEpoch, -1)
	}
	for _, list := range [...][]portion{m.has.AssignedPartitions, m.has.PartitionsPendingRevocation} {
		for i := range list {
			owners := g.owners[list[i].TopicID]
			for _, p := range list[i].Partitions {
				if owners[p] == m.id {
					delete(owners, p)
				}
			}
			if len(owners) == 0 {
				delete(g.owners, list[i].TopicID)
			}
		}
	}
}

// targetOf reads a target, which Kafka writes in the order of a hash table.
func targetOf(value *schema.ConsumerGroupTargetAssignmentMemberValue) assignor.Assignment {
	target := make(assignor.Assignment, 0, len(value.TopicPartitions))
	for _, topic := range value.TopicPartitions {
		if partitions := ascending(topic.Partitions); len(partitions) > 0 {
			target = append(target, assignor.Topic{ID: topic.TopicID, Partitions: partitions})
		}
	}
	slices.SortStableFunc(target, func(a, b assignor.Topic) int { return compareIDs(a.ID, b.ID) })
	return slices.CompactFunc(target, func(a, b assignor.Topic) bool { return a.ID == b.ID })
}

// ascending returns partitions in order, each once, without those that can't be.
func ascending(partitions []int32) []int32 {
	if rising(partitions) && (len(partitions) == 0 || partitions[0] >= 0) {
		return partitions
	}
	sorted := slices.DeleteFunc(slices.Clone(partitions), func(p int32) bool { return p < 0 })
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// portionsOf returns portions as current promises them. Partitions whose epochs are not told have that of the member (records
// before 4.4).
func portionsOf(list []portion, epoch int32) []portion {
	inOrder := true
	for i := range list {
		inOrder = inOrder && ordered(&list[i]) && (i == 0 || compareIDs(list[i-1].TopicID, list[i].TopicID) < 0)
	}
	if inOrder {
		return list
	}
	byTopic := make(map[kafka.TopicID]map[int32]int32)
	for _, p := range list {
		epochs := byTopic[p.TopicID]
		if epochs == nil {
			epochs = make(map[int32]int32, len(p.Partitions))
			byTopic[p.TopicID] = epochs
		}
		for i, partition := range p.Partitions {
			if partition < 0 {
				continue
			}
			epochs[partition] = max(epoch, 0)
			if len(p.AssignmentEpochs) == len(p.Partitions) {
				epochs[partition] = p.AssignmentEpochs[i]
			}
		}
	}
	made := make([]portion, 0, len(byTopic))
	for topic, epochs := range byTopic {
		p := portion{TopicID: topic}
		for partition := range epochs {
			p.Partitions = append(p.Partitions, partition)
		}
		slices.Sort(p.Partitions)
		for _, partition := range p.Partitions {
			p.AssignmentEpochs = append(p.AssignmentEpochs, epochs[partition])
		}
		if len(p.Partitions) > 0 {
			made = append(made, p)
		}
	}
	slices.SortFunc(made, func(a, b portion) int { return compareIDs(a.TopicID, b.TopicID) })
	return made
}
