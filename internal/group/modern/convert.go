package modern

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/assignor"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// Upgrade returns the records of a consumer group that is made of a classic one: its members stay, with what they have, in an
// epoch that is the generation. offers are the protocols of a member.
func Upgrade(id string, from *schema.GroupMetadataValue, offers func(member string) []schema.ClassicProtocol, env *Env) ([]schema.GroupRecord, *kerr.Error) {
	if from.Protocol == nil {
		return nil, kerr.UnknownServerError // Kafka fails on a group that has never completed a rebalance
	}
	var said, targets, currents []schema.GroupRecord
	scratch := New(id, env.Scratch())
	owned := make(map[kafka.TopicID]map[int32]struct{})
	for i := range from.Members {
		m := &from.Members[i]
		member, err := scratch.upgradeMember(m, offers(m.MemberID))
		if err != nil {
			return nil, err
		}
		target, err := scratch.upgradeAssignment(m.Assignment)
		if err != nil {
			return nil, err
		}
		if !claim(owned, target) {
			return nil, kerr.UnknownServerError // an assignor gave a partition to two
		}
		has := &current{State: stable, MemberEpoch: from.Generation, PreviousMemberEpoch: from.Generation}
		for _, topic := range target {
			p := portion{TopicID: topic.ID, Partitions: topic.Partitions, AssignmentEpochs: make([]int32, len(topic.Partitions))}
			for i := range p.AssignmentEpochs {
				p.AssignmentEpochs[i] = from.Generation
			}
			has.AssignedPartitions = append(has.AssignedPartitions, p)
		}
		said = append(said, schema.GroupRecord{Key: scratch.memberKey(m.MemberID), Value: member})
		targets = append(targets, schema.GroupRecord{
			Key:   &schema.ConsumerGroupTargetAssignmentMemberKey{GroupID: id, MemberID: m.MemberID},
			Value: targetRecord(target),
		})
		currents = append(currents, schema.GroupRecord{Key: scratch.currentKey(m.MemberID), Value: has})
		scratch.replaySaid(m.MemberID, member)
	}
	return slices.Concat(said, []schema.GroupRecord{{
		Key:   &schema.ConsumerGroupMetadataKey{GroupID: id},
		Value: &schema.ConsumerGroupMetadataValue{Epoch: from.Generation, MetadataHash: scratch.hashTopics()},
	}}, targets, []schema.GroupRecord{{
		Key:   &schema.ConsumerGroupTargetAssignmentMetadataKey{GroupID: id},
		Value: &schema.ConsumerGroupTargetAssignmentMetadataValue{AssignmentEpoch: from.Generation},
	}}, currents), nil
}

// cannotUpgrade is the error for a member whose bytes are in the way.
func (g *Group) cannotUpgrade(why string) *kerr.Error {
	return refuse(kerr.GroupIDNotFound, "Cannot upgrade classic group %s to consumer group because %s.", g.id, why)
}

func (g *Group) upgradeMember(m *schema.MemberMetadata, offers []schema.ClassicProtocol) (*said, *kerr.Error) {
	subscription, err := readSubscription(m.Subscription)
	if err != nil {
		return nil, g.cannotUpgrade("the embedded consumer protocol is malformed")
	}
	noRegex := ""
	member := &said{
		InstanceID: m.GroupInstanceID, ClientID: m.ClientID, ClientHost: m.ClientHost,
		SubscribedTopicNames: distinct(subscription.Topics), SubscribedTopicRegex: &noRegex,
		RebalanceTimeoutMs: m.RebalanceTimeout,
		ClassicMemberMetadata: &schema.ClassicMemberMetadata{
			SessionTimeoutMs: m.SessionTimeout, SupportedProtocols: offers,
		},
	}
	if subscription.Rack != nil && *subscription.Rack != "" {
		member.RackID = subscription.Rack
	}
	return member, nil
}

func (g *Group) upgradeAssignment(b []byte) (assignor.Assignment, *kerr.Error) {
	if len(b) == 0 {
		return nil, nil
	}
	a := kmsg.NewConsumerMemberAssignment()
	if err := a.ReadFrom(b); err != nil || a.Version < 0 {
		return nil, g.cannotUpgrade("the embedded consumer protocol is malformed")
	}
	if len(a.UserData) > 0 {
		return nil, g.cannotUpgrade("an unsupported custom assignor is in use. " +
			"Please refer to the documentation or switch to a default assignor before re-attempting the upgrade")
	}
	value := &schema.ConsumerGroupTargetAssignmentMemberValue{}
	for _, topic := range a.Topics {
		if t := g.env.Image.Topics.ByName(topic.Topic); t != nil {
			value.TopicPartitions = append(value.TopicPartitions, schema.TargetTopicPartitions{TopicID: t.ID, Partitions: topic.Partitions})
		}
	}
	return targetOf(value), nil
}

// claim adds partitions to those that are owned; false if one of them is already.
func claim(owned map[kafka.TopicID]map[int32]struct{}, target assignor.Assignment) bool {
	for _, topic := range target {
		partitions := owned[topic.ID]
		if partitions == nil {
			partitions = make(map[int32]struct{})
			owned[topic.ID] = partitions
		}
		for _, p := range topic.Partitions {
			if _, taken := partitions[p]; taken {
				return false
			}
			partitions[p] = struct{}{}
		}
	}
	return true
}

// OnlyClassic says how many members stay without those that leave, and whether all that stay speak the classic protocol.
func (g *Group) OnlyClassic(leaving []string) (stay int, only bool) {
	stay, classic := len(g.members), g.classic
	for _, id := range leaving {
		if m := g.members[id]; m != nil {
			stay--
			if m.classic() {
				classic--
			}
		}
	}
	return stay, classic == stay
}

// Downgrade returns what a record says of the classic group that is left without the members that leave, all of which speak
// the classic protocol: a stable one with the targets for assignments, and the group epoch for a generation.
func (g *Group) Downgrade(leaving []string, now time.Time) *schema.GroupMetadataValue {
	stay := slices.DeleteFunc(g.ids(), func(id string) bool { return slices.Contains(leaving, id) })
	protocol := g.vote(stay)
	value := &schema.GroupMetadataValue{
		ProtocolType: consumerType, Generation: g.epoch, Protocol: &protocol, Leader: &stay[0], CurrentStateTimestamp: now.UnixMilli(),
	}
	for _, id := range stay {
		m, target := g.members[id], g.targets[id]
		c := m.said.ClassicMemberMetadata
		var subscription []byte
		for _, p := range c.SupportedProtocols {
			if p.Name == protocol {
				subscription = p.Metadata
			}
		}
		value.Members = append(value.Members, schema.MemberMetadata{
			MemberID: id, GroupInstanceID: m.said.InstanceID, ClientID: m.said.ClientID, ClientHost: m.said.ClientHost,
			RebalanceTimeout: m.said.RebalanceTimeoutMs, SessionTimeout: c.SessionTimeoutMs, Subscription: subscription,
			Assignment: assignmentBytes(g.env.Image, subscription, len(target), func(i int) (kafka.TopicID, []int32) {
				return target[i].ID, target[i].Partitions
			}),
		})
	}
	return value
}

// Offers are the classic protocols of a member.
func (g *Group) Offers(id string) []schema.ClassicProtocol {
	if m := g.members[id]; m != nil && m.said.ClassicMemberMetadata != nil {
		return m.said.ClassicMemberMetadata.SupportedProtocols
	}
	return nil
}

// vote returns the protocol that most members like best of those that all support.
func (g *Group) vote(members []string) string {
	supporters, votes := make(map[string]int), make(map[string]int)
	for _, id := range members {
		for _, p := range g.members[id].said.ClassicMemberMetadata.SupportedProtocols {
			supporters[p.Name]++
		}
	}
	for _, id := range members {
		for _, p := range g.members[id].said.ClassicMemberMetadata.SupportedProtocols {
			if supporters[p.Name] == len(members) {
				votes[p.Name]++
				break
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		return cmp.Or(cmp.Compare(votes[b], votes[a]), cmp.Compare(a, b))
	})
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
