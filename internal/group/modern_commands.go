package group

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

func (s *Shard) consumerGroupHeartbeat(t *shard.Turn, ticket shard.Ticket, cmd ConsumerGroupHeartbeat) {
	req := cmd.Request
	if err := s.config.Modern.CheckRequest(req); err != nil {
		t.Reply(ticket, modern.Refuse(err))
		return
	}
	if req.MemberEpoch < 0 {
		s.leaveModern(t, ticket, req)
		return
	}
	g, err := s.enterConsumerGroup(t, cmd)
	if err != nil {
		t.Reply(ticket, modern.Refuse(err))
		return
	}
	t.Reply(ticket, g.Heartbeat(t, req, cmd.Client))
}

// enterConsumerGroup returns the group that a heartbeat is of, in which it passes Check. A member that joins finds one made
// where there is none, and one converted where there is a classic group.
func (s *Shard) enterConsumerGroup(t *shard.Turn, cmd ConsumerGroupHeartbeat) (*modern.Group, *kerr.Error) {
	const notConsumer = "Group %s is not a consumer group."
	req := cmd.Request
	joins := req.MemberEpoch == 0
	old := s.groups[req.Group]
	if g, ok := old.(*modern.Group); ok {
		return g, g.Check(t, req, cmd.Client)
	}
	switch {
	case old == nil && !joins:
		return nil, modern.NotFound("Consumer group %s not found.", req.Group)
	case !joins:
		return nil, modern.NotFound(notConsumer, req.Group)
	case old != nil && !old.Empty():
		return s.upgrade(t, old.(*classic.Group), cmd)
	}
	g := modern.New(req.Group, s.modern)
	if err := g.Check(t, req, cmd.Client); err != nil {
		return nil, err
	}
	if old != nil {
		old.Delete(t)
	}
	s.groups[req.Group] = g
	return g, nil
}

// leaveModern answers a member that leaves, for good or for a while.
func (s *Shard) leaveModern(t *shard.Turn, ticket shard.Ticket, req *kmsg.ConsumerGroupHeartbeatRequest) {
	g, err := s.consumerGroup(req.Group)
	if err != nil {
		t.Reply(ticket, modern.Refuse(err))
		return
	}
	resp, leaves := g.Leave(t, req)
	if leaves != "" {
		s.removeModern(t, g, req.Group, []string{leaves})
	}
	t.Reply(ticket, resp)
}

func (s *Shard) consumerGroup(id string) (*modern.Group, *kerr.Error) {
	switch g := s.groups[id].(type) {
	case nil:
		return nil, modern.NotFound("Group %s not found.", id)
	case *modern.Group:
		return g, nil
	}
	return nil, modern.NotFound("Group %s is not a consumer group.", id)
}

func (s *Shard) describeConsumerGroups(t *shard.Turn, ticket shard.Ticket, cmd DescribeConsumerGroups) {
	list := make([]kmsg.ConsumerGroupDescribeResponseGroup, 0, len(cmd.GroupIDs))
	for _, id := range cmd.GroupIDs {
		g, err := s.consumerGroup(id)
		if err == nil {
			list = append(list, g.Describe())
			continue
		}
		d := kmsg.NewConsumerGroupDescribeResponseGroup()
		d.Group, d.ErrorCode, d.ErrorMessage = id, err.Code, &err.Description
		list = append(list, d)
	}
	t.Reply(ticket, list)
}

// removeModern takes members out of a consumer group. If only members of the classic protocol stay, the group becomes a
// classic one.
func (s *Shard) removeModern(t *shard.Turn, g *modern.Group, id string, members []string) {
	if s.mayDowngrade(g, members) {
		s.downgrade(t, g, id, members, true)
		return
	}
	g.Remove(t, members)
}

// replayModern applies a record of the types 3 to 8 and 16. A record of a group that is there in another kind takes its
// place: the log tells of the change in this order.
func (s *Shard) replayModern(record schema.GroupRecord) error {
	id := groupOf(record.Key)
	g, ok := s.groups[id].(*modern.Group)
	if !ok {
		if record.Value == nil {
			return nil
		}
		g = modern.New(id, s.modern)
		s.groups[id] = g
	}
	if !g.Replay(record.Key, record.Value) {
		g.Forget()
		delete(s.groups, id)
	}
	return nil
}

// groupOf is the group that a record of a consumer group belongs to.
func groupOf(key schema.GroupMessage) string {
	switch key := key.(type) {
	case *schema.ConsumerGroupMetadataKey:
		return key.GroupID
	case *schema.ConsumerGroupPartitionMetadataKey:
		return key.GroupID
	case *schema.ConsumerGroupMemberMetadataKey:
		return key.GroupID
	case *schema.ConsumerGroupTargetAssignmentMetadataKey:
		return key.GroupID
	case *schema.ConsumerGroupTargetAssignmentMemberKey:
		return key.GroupID
	case *schema.ConsumerGroupCurrentMemberAssignmentKey:
		return key.GroupID
	case *schema.ConsumerGroupRegularExpressionKey:
		return key.GroupID
	}
	return ""
}

// loadedModern begins the sessions of the members of all consumer groups.
func (s *Shard) loadedModern(t *shard.Turn) {
	s.modern.Refresh(metadata.Empty())
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		if g, ok := s.groups[id].(*modern.Group); ok {
			g.Loaded(t)
		}
	}
}

// expireModern takes out a member that missed a deadline.
func (s *Shard) expireModern(t *shard.Turn, alarm modern.Alarm) {
	if g, ok := s.groups[alarm.Group].(*modern.Group); ok && g.Has(alarm.Member) {
		s.removeModern(t, g, alarm.Group, []string{alarm.Member})
	}
}
