package modern

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

type (
	// said is what a member said of itself; a change makes another one.
	said = schema.ConsumerGroupMemberMetadataValue
	// current is what a member has; a change makes another one. Topics are in order of their ids, partitions ascending, and
	// each has its epoch.
	current = schema.ConsumerGroupCurrentMemberAssignmentValue
	// portion are partitions of one topic in a current.
	portion = schema.CurrentTopicPartitions
	// ownedTopic are partitions of one topic of which a member says that it has them.
	ownedTopic = kmsg.ConsumerGroupHeartbeatRequestTopic
)

// The states of a member in current.State, as on disk.
const (
	stable     = 0   // it is in its epoch and has what the target gives it
	unrevoked  = 1   // it is to give up partitions first
	unreleased = 2   // it waits for partitions that others are to give up
	unknown    = 127 // a newer release wrote a state that is not known here
)

// Epochs that a request names instead of that of the member.
const (
	joinEpoch  = 0
	leaveEpoch = -1
	// awayEpoch is of a static member that leaves and means to come back.
	awayEpoch = -2
)

type member struct {
	id   string
	said *said
	has  *current
}

func newMember(id string) *member {
	noRegex := ""
	return &member{
		id:   id,
		said: &said{RebalanceTimeoutMs: -1, SubscribedTopicRegex: &noRegex},
		has:  &current{PreviousMemberEpoch: -1},
	}
}

// classic says that the member speaks the classic protocol.
func (m *member) classic() bool { return m.said.ClassicMemberMetadata != nil }

func (m *member) regex() string { return regexOf(m.said) }

func regexOf(s *said) string {
	if s.SubscribedTopicRegex == nil {
		return ""
	}
	return *s.SubscribedTopicRegex
}

// reconciled says that the member is done with an assignment epoch.
func (m *member) reconciled(epoch int32) bool {
	return m.has.State == stable && m.has.MemberEpoch == epoch
}

// tell returns what is known of the member after a heartbeat: m.said itself if the heartbeat says nothing new.
func (m *member) tell(req *kmsg.ConsumerGroupHeartbeatRequest, client shard.Client) *said {
	next := *m.said
	changed := next.ClassicMemberMetadata != nil || next.ClientID != client.ID || next.ClientHost != client.Host
	next.ClassicMemberMetadata, next.ClientID, next.ClientHost = nil, client.ID, client.Host
	changed = update(&next.InstanceID, req.InstanceID) || changed
	changed = update(&next.RackID, req.RackID) || changed
	changed = update(&next.ServerAssignor, req.ServerAssignor) || changed
	changed = update(&next.SubscribedTopicRegex, req.SubscribedTopicRegex) || changed
	if ms := req.RebalanceTimeoutMillis; ms != -1 && ms != next.RebalanceTimeoutMs {
		next.RebalanceTimeoutMs, changed = ms, true
	}
	if req.SubscribedTopicNames != nil {
		names := distinct(req.SubscribedTopicNames)
		changed = changed || !slices.Equal(names, next.SubscribedTopicNames)
		next.SubscribedTopicNames = names
	}
	if !changed {
		return m.said
	}
	made := next
	return &made
}

// update sets what a request may leave out, and reports whether that changed it.
func update(field **string, value *string) bool {
	if value == nil || *field != nil && **field == *value {
		return false
	}
	*field = value
	return true
}

// distinct returns names sorted, each once.
func distinct(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// find returns the portion of a topic.
func find(list []portion, topic kafka.TopicID) *portion {
	i, ok := slices.BinarySearchFunc(list, topic, func(p portion, id kafka.TopicID) int { return compareIDs(p.TopicID, id) })
	if !ok {
		return nil
	}
	return &list[i]
}

// epochOf returns the epoch in which a partition was given, false if it is not in the list.
func epochOf(list []portion, topic kafka.TopicID, partition int32) (int32, bool) {
	p := find(list, topic)
	if p == nil {
		return 0, false
	}
	i, ok := slices.BinarySearch(p.Partitions, partition)
	if !ok {
		return 0, false
	}
	return p.AssignmentEpochs[i], true
}

func equalPortions(a, b []portion) bool {
	return slices.EqualFunc(a, b, func(x, y portion) bool {
		return x.TopicID == y.TopicID && slices.Equal(x.Partitions, y.Partitions) && slices.Equal(x.AssignmentEpochs, y.AssignmentEpochs)
	})
}

func equalCurrent(a, b *current) bool {
	return a.MemberEpoch == b.MemberEpoch && a.PreviousMemberEpoch == b.PreviousMemberEpoch && a.State == b.State &&
		equalPortions(a.AssignedPartitions, b.AssignedPartitions) &&
		equalPortions(a.PartitionsPendingRevocation, b.PartitionsPendingRevocation)
}

// ownsAny says that a member may still have one of the partitions: it says so, or it says nothing.
func ownsAny(owned []ownedTopic, list []portion) bool {
	if owned == nil {
		return true
	}
	for _, topic := range owned {
		for _, p := range topic.Partitions {
			if _, ok := epochOf(list, topic.TopicID, p); ok {
				return true
			}
		}
	}
	return false
}

// ownsOnly says that a member told what it has, and that all of it is in the list.
func ownsOnly(owned []ownedTopic, list []portion) bool {
	if owned == nil {
		return false
	}
	for _, topic := range owned {
		if find(list, topic.TopicID) == nil {
			return false
		}
		for _, p := range topic.Partitions {
			if _, ok := epochOf(list, topic.TopicID, p); !ok {
				return false
			}
		}
	}
	return true
}

// rising says that each is greater than the one before.
func rising(partitions []int32) bool {
	for i := 1; i < len(partitions); i++ {
		if partitions[i-1] >= partitions[i] {
			return false
		}
	}
	return true
}

// ordered says that a portion is as current promises.
func ordered(p *portion) bool {
	return len(p.Partitions) > 0 && p.Partitions[0] >= 0 && len(p.AssignmentEpochs) == len(p.Partitions) && rising(p.Partitions)
}

// grow appends a partition to a portion.
func grow(p *portion, partition, epoch int32) {
	p.Partitions = append(p.Partitions, partition)
	p.AssignmentEpochs = append(p.AssignmentEpochs, epoch)
}
