package modern

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// refuse returns an error of the protocol whose description is what the answer tells.
func refuse(code *kerr.Error, format string, args ...any) *kerr.Error {
	refusal := *code
	refusal.Description = fmt.Sprintf(format, args...)
	return &refusal
}

// NotFound is the error for a group that is not there, or not of this kind.
func NotFound(format, id string) *kerr.Error { return refuse(kerr.GroupIDNotFound, format, id) }

// Refuse returns the answer to a heartbeat that is refused.
func Refuse(e *kerr.Error) *kmsg.ConsumerGroupHeartbeatResponse {
	resp := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	resp.ErrorCode = e.Code
	resp.ErrorMessage = &e.Description
	return resp
}

// CheckRequest says what is wrong with a heartbeat, whatever the group, nil for nothing.
func (c *Config) CheckRequest(req *kmsg.ConsumerGroupHeartbeatRequest) *kerr.Error {
	blank := func(s *string) bool { return s != nil && strings.TrimSpace(*s) == "" }
	named := req.Version >= 1 || req.MemberEpoch > 0 || req.MemberEpoch == leaveEpoch
	switch {
	case named && blank(&req.MemberID):
		return refuse(kerr.InvalidRequest, "MemberId can't be empty.")
	case blank(&req.Group):
		return refuse(kerr.InvalidRequest, "GroupId can't be empty.")
	case blank(req.InstanceID):
		return refuse(kerr.InvalidRequest, "InstanceId can't be empty.")
	case blank(req.RackID):
		return refuse(kerr.InvalidRequest, "RackId can't be empty.")
	case req.MemberEpoch == awayEpoch && req.InstanceID == nil:
		return refuse(kerr.InvalidRequest, "InstanceId can't be null.")
	case req.MemberEpoch < awayEpoch:
		return refuse(kerr.InvalidRequest, "MemberEpoch is invalid.")
	}
	if req.MemberEpoch == joinEpoch {
		switch {
		case req.RebalanceTimeoutMillis == -1:
			return refuse(kerr.InvalidRequest, "RebalanceTimeoutMs must be provided in first request.")
		case req.Topics == nil || len(req.Topics) > 0:
			return refuse(kerr.InvalidRequest, "TopicPartitions must be empty when (re-)joining.")
		case req.SubscribedTopicNames == nil && req.SubscribedTopicRegex == nil:
			return refuse(kerr.InvalidRequest,
				"Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
		}
	}
	if name := req.ServerAssignor; name != nil && !slices.Contains(c.Assignors, *name) {
		return refuse(kerr.UnsupportedAssignor, "ServerAssignor %s is not supported. Supported assignors: %s.",
			*name, strings.Join(c.Assignors, ", "))
	}
	return nil
}

// Check says why a heartbeat that joins or stays is refused, nil for not at all. It changes nothing.
func (g *Group) Check(t *shard.Turn, req *kmsg.ConsumerGroupHeartbeatRequest, client shard.Client) *kerr.Error {
	if err := g.checkSize(req.MemberID, req.InstanceID); err != nil {
		return err
	}
	m, err := g.checkMember(req)
	if err != nil {
		return err
	}
	if err := m.checkState(req.Topics); err != nil {
		return err
	}
	said := m.tell(req, client)
	if said == m.said {
		return nil
	}
	if regex := regexOf(said); regex != m.regex() && regex != "" && g.regexes[regex] == 0 {
		if _, err := compileRegex(regex); err != nil {
			return err
		}
	}
	if !t.Fits(schema.GroupRecord{Key: g.memberKey(req.MemberID), Value: said}) {
		return kerr.UnknownServerError
	}
	return nil
}

// checkMember returns the member that a heartbeat is of, one that the group has not for a new one.
func (g *Group) checkMember(req *kmsg.ConsumerGroupHeartbeatRequest) (*member, *kerr.Error) {
	if req.MemberEpoch != joinEpoch {
		m, err := g.know(req.MemberID, req.InstanceID)
		if err == nil {
			err = m.checkEpoch(req.MemberEpoch, req.Topics)
		}
		return m, err
	}
	m := g.members[req.MemberID]
	if req.InstanceID != nil {
		m = g.static(req.InstanceID)
		if m != nil && !m.classic() && m.has.MemberEpoch != awayEpoch {
			return nil, refuse(kerr.UnreleasedInstanceID,
				"Static member %s with instance id %s cannot join the group because the instance id is owned by %s member.",
				req.MemberID, *req.InstanceID, m.id)
		}
	}
	if m == nil {
		m = newMember(req.MemberID)
	}
	return m, nil
}

// know returns the member that a request names, or the error for one that is not in the group or was replaced.
func (g *Group) know(id string, instance *string) (*member, *kerr.Error) {
	if instance == nil {
		if m := g.members[id]; m != nil {
			return m, nil
		}
		return nil, refuse(kerr.UnknownMemberID, "Member %s is not a member of group %s.", id, g.id)
	}
	m := g.static(instance)
	switch {
	case m == nil:
		return nil, refuse(kerr.UnknownMemberID, "Instance id %s is unknown.", *instance)
	case m.id != id:
		return nil, refuse(kerr.FencedInstanceID, "Static member %s with instance id %s was fenced by member %s.", id, *instance, m.id)
	}
	return m, nil
}

// checkEpoch says whether a member may go on from the epoch that it names: its own, or the one before if it missed the last
// answer, which its partitions tell.
func (m *member) checkEpoch(epoch int32, owned []ownedTopic) *kerr.Error {
	const text = "The consumer group member has a %s member epoch (%d) than the one known by the group coordinator (%d). " +
		"The member must abandon all its partitions and rejoin."
	switch has := m.has; {
	case epoch == joinEpoch || epoch == has.MemberEpoch:
		return nil
	case epoch > has.MemberEpoch:
		return refuse(kerr.FencedMemberEpoch, text, "greater", epoch, has.MemberEpoch)
	case epoch != has.PreviousMemberEpoch || !ownsOnly(owned, has.AssignedPartitions):
		return refuse(kerr.FencedMemberEpoch, text, "smaller", epoch, has.MemberEpoch)
	}
	return nil
}

// checkState fences a member of whose state nothing is known, until it has given up everything.
func (m *member) checkState(owned []ownedTopic) *kerr.Error {
	if m.has.State == unknown && (owned == nil || len(owned) > 0) {
		return refuse(kerr.FencedMemberEpoch,
			"The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.")
	}
	return nil
}

// checkSize says whether the group may take in one more: a member that it knows already always may.
func (g *Group) checkSize(id string, instance *string) *kerr.Error {
	if g.static(instance) != nil || len(g.members) < g.env.Config.MaxSize || g.members[id] != nil {
		return nil
	}
	return refuse(kerr.GroupMaxSizeReached, "The consumer group has reached its maximum capacity of %d members.", g.env.Config.MaxSize)
}
