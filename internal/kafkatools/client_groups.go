package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// groupListing is a row of a list of groups.
type groupListing struct{ id, groupType, state, protocol string }

// listGroups asks all brokers, in the order in which Java's client gives the groups. Types and states filter where they are given.
func (c *client) listGroups(ctx context.Context, types, states []string) ([]groupListing, error) {
	req := kmsg.NewPtrListGroupsRequest()
	req.TypesFilter, req.StatesFilter = types, states
	resp, err := ask[*kmsg.ListGroupsResponse](ctx, c, "listGroups", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, nil)
	}
	if err != nil {
		return nil, err
	}
	var all []groupListing
	for _, g := range resp.Groups {
		all = append(all, groupListing{g.Group, groupTypeName(g.GroupType), groupState(g.GroupState), g.ProtocolType})
	}
	return java.HashOrder(all, func(g groupListing) int32 { return java.HashString(g.id) }), nil
}

// listConsumerGroups are the groups of consumers among them.
func (c *client) listConsumerGroups(ctx context.Context, types, states []string) ([]groupListing, error) {
	all, err := c.listGroups(ctx, types, states)
	return slices.DeleteFunc(all, func(g groupListing) bool { return g.protocol != "" && g.protocol != "consumer" }), err
}

// consumerTypes are the types of groups that consumers are in.
var consumerTypes = []string{"Classic", "Consumer"}

// groupTypes and groupStates are what Java's client knows, by the name in small letters.
var (
	groupTypes  = nameTable("Unknown", "Consumer", "Classic", "Share", "Streams")
	groupStates = nameTable("Unknown", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty", "Assigning", "Reconciling", "NotReady")
)

func nameTable(names ...string) map[string]string {
	table := map[string]string{}
	for _, n := range names {
		table[strings.ToLower(n)] = n
	}
	return table
}

// groupState is a state as Java's client spells it.
func groupState(s string) string {
	if known, ok := groupStates[strings.ToLower(s)]; ok {
		return known
	}
	return groupUnknown
}

const (
	groupUnknown = "Unknown"
	groupDead    = "Dead"
	groupEmpty   = "Empty"
	groupStable  = "Stable"
)

// groupTypeName is a type as Java's client spells it.
func groupTypeName(s string) string {
	if known, ok := groupTypes[strings.ToLower(s)]; ok {
		return known
	}
	return groupUnknown
}

// groupDescription is a group of consumers of either protocol.
type groupDescription struct {
	id, state, assignor string
	members             []groupMember
	// epoch and targetEpoch are those of a group of the new protocol, nil for a classic one.
	epoch, targetEpoch *int32
}

type groupMember struct {
	id, instance, client, host string
	assigned, target           []kafka.TopicPartition
	epoch                      *int32
	// upgraded tells a member of the new protocol from a classic one in the same group; nil where it is not known.
	upgraded *bool
}

// describeGroup asks for a group of the new protocol, and for a classic one if there is none.
func (c *client) describeGroup(ctx context.Context, group string) (*groupDescription, error) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{group}
	resp, err := ask[*kmsg.ConsumerGroupDescribeResponse](ctx, c, "describeConsumerGroups", req)
	if errors.Is(err, errNoSuchAPI) {
		return c.describeClassic(ctx, group, nil)
	}
	if err != nil {
		return nil, err
	}
	if len(resp.Groups) != 1 {
		return c.describeClassic(ctx, group, nil)
	}
	g := resp.Groups[0]
	if g.ErrorCode == kerr.GroupIDNotFound.Code || g.ErrorCode == kerr.UnsupportedVersion.Code {
		return c.describeClassic(ctx, group, g.ErrorMessage)
	}
	if err := javaCode(g.ErrorCode, g.ErrorMessage); err != nil {
		return nil, err
	}
	d := &groupDescription{id: group, state: groupState(g.State), assignor: g.AssignorName, epoch: &g.Epoch, targetEpoch: &g.AssignmentEpoch}
	for _, m := range g.Members {
		member := groupMember{id: m.MemberID, client: m.ClientID, host: m.ClientHost, epoch: &m.MemberEpoch,
			assigned: partitionsOf(m.Assignment), target: partitionsOf(m.TargetAssignment)}
		if m.InstanceID != nil {
			member.instance = *m.InstanceID
		}
		if m.MemberType >= 0 {
			upgraded := m.MemberType == 1
			member.upgraded = &upgraded
		}
		d.members = append(d.members, member)
	}
	return d, nil
}

func partitionsOf(a kmsg.Assignment) []kafka.TopicPartition {
	var all []kafka.TopicPartition
	for _, t := range a.TopicPartitions {
		for _, p := range t.Partitions {
			all = append(all, kafka.TopicPartition{Topic: t.Topic, Partition: p})
		}
	}
	return all
}

// describeClassic describes a classic group. notFound is what was said of it as a group of the new protocol.
func (c *client) describeClassic(ctx context.Context, group string, notFound *string) (*groupDescription, error) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	resp, err := ask[*kmsg.DescribeGroupsResponse](ctx, c, "describeConsumerGroups", req)
	switch {
	case err != nil:
		return nil, err
	case len(resp.Groups) != 1:
		return nil, fmt.Errorf("the server's answer does not mention group %s", group)
	}
	g := resp.Groups[0]
	message := g.ErrorMessage
	if notFound != nil && g.ErrorCode == kerr.GroupIDNotFound.Code {
		message = notFound
	}
	if err := javaCode(g.ErrorCode, message); err != nil {
		return nil, err
	}
	if g.ProtocolType != "" && g.ProtocolType != "consumer" {
		return nil, argumentf("GroupId %s is not a consumer group (%s).", group, g.ProtocolType)
	}
	d := &groupDescription{id: group, state: groupState(g.State), assignor: g.Protocol}
	for _, m := range g.Members {
		member := groupMember{id: m.MemberID, client: m.ClientID, host: m.ClientHost}
		if m.InstanceID != nil {
			member.instance = *m.InstanceID
		}
		if member.assigned, err = classicAssignment(m.MemberAssignment); err != nil {
			return nil, err
		}
		d.members = append(d.members, member)
	}
	return d, nil
}

func classicAssignment(b []byte) ([]kafka.TopicPartition, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(b); err != nil {
		return nil, fmt.Errorf("the assignment of a member: %w", err)
	}
	var all []kafka.TopicPartition
	for _, t := range a.Topics {
		for _, p := range t.Partitions {
			all = append(all, kafka.TopicPartition{Topic: t.Topic, Partition: p})
		}
	}
	return all, nil
}

// committedOffset is what a group has committed for a partition.
type committedOffset struct{ offset, epoch int64 }

// committed are the offsets of a group.
func (c *client) committed(ctx context.Context, group string) (map[kafka.TopicPartition]committedOffset, []kafka.TopicPartition, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	req.Groups = append(req.Groups, g)
	resp, err := ask[*kmsg.OffsetFetchResponse](ctx, c, "listConsumerGroupOffsets", req)
	switch {
	case err != nil:
		return nil, nil, err
	case len(resp.Groups) != 1:
		return nil, nil, fmt.Errorf("the server's answer does not mention group %s", group)
	}
	if err := javaCode(resp.Groups[0].ErrorCode, nil); err != nil {
		return nil, nil, err
	}
	offsets := map[kafka.TopicPartition]committedOffset{}
	var order []kafka.TopicPartition
	for _, t := range resp.Groups[0].Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 || p.Offset < 0 {
				continue
			}
			tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			order = append(order, tp)
			offsets[tp] = committedOffset{p.Offset, int64(p.LeaderEpoch)}
		}
	}
	return offsets, partitionOrder(order), nil
}

// coordinatorNode is the broker that looks after a group.
type coordinatorNode struct {
	id   int32
	host string
	port int32
}

func (c *client) groupCoordinator(ctx context.Context, group string) (coordinatorNode, error) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{group}
	resp, err := ask[*kmsg.FindCoordinatorResponse](ctx, c, "findCoordinator", req)
	switch {
	case err != nil:
		return coordinatorNode{}, err
	case len(resp.Coordinators) != 1:
		return coordinatorNode{}, fmt.Errorf("the server's answer does not mention group %s", group)
	}
	n := resp.Coordinators[0]
	return coordinatorNode{n.NodeID, n.Host, n.Port}, javaCode(n.ErrorCode, n.ErrorMessage)
}
