package group

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// joinGroup makes the group if it is not there, for a member that has no id yet. A consumer group that lost its members
// becomes a classic group.
func (s *Shard) joinGroup(t *shard.Turn, ticket shard.Ticket, cmd JoinGroup) {
	req := cmd.Request
	if e := s.classic.Config.CheckJoin(req); e != nil {
		classic.RefuseJoin(t, ticket, req, req.MemberID, e)
		return
	}
	g, found := s.groups[req.Group].(*classic.Group)
	if other, ok := s.groups[req.Group].(*modern.Group); ok && !other.Empty() {
		s.joinConsumerGroup(t, ticket, cmd)
		return
	}
	if !found {
		if req.MemberID != "" {
			classic.RefuseJoin(t, ticket, req, req.MemberID, kerr.UnknownMemberID)
			return
		}
		if other := s.groups[req.Group]; other != nil {
			other.Delete(t)
		}
		t.Write(classic.EmptyRecord(req.Group, t.Now))
		g = s.groups[req.Group].(*classic.Group)
	}
	g.Join(t, ticket, req, cmd.Client)
}

func (s *Shard) syncGroup(t *shard.Turn, ticket shard.Ticket, cmd SyncGroup) {
	req := cmd.Request
	switch g := s.groups[req.Group].(type) {
	case *classic.Group:
		g.Sync(t, ticket, req)
	case *modern.Group:
		s.syncConsumerGroup(t, ticket, cmd)
	default:
		classic.RefuseSync(t, ticket, req.Version, kerr.UnknownMemberID)
	}
}

func (s *Shard) heartbeat(t *shard.Turn, ticket shard.Ticket, cmd Heartbeat) {
	req := cmd.Request
	switch g := s.groups[req.Group].(type) {
	case *classic.Group:
		g.Heartbeat(t, ticket, req)
	case *modern.Group:
		s.heartbeatConsumerGroup(t, ticket, cmd)
	default:
		classic.AnswerHeartbeat(t, ticket, req.Version, kerr.UnknownMemberID)
	}
}

func (s *Shard) leaveGroup(t *shard.Turn, ticket shard.Ticket, cmd LeaveGroup) {
	req := cmd.Request
	switch g := s.groups[req.Group].(type) {
	case *classic.Group:
		g.Leave(t, ticket, req)
	case *modern.Group:
		s.leaveConsumerGroup(t, ticket, cmd)
	default:
		classic.AnswerLeave(t, ticket, req, func(kmsg.LeaveGroupRequestMember) *kerr.Error { return kerr.UnknownMemberID })
	}
}

// replayClassic applies a GroupMetadata record; a nil value is a tombstone.
func (s *Shard) replayClassic(id string, value *schema.GroupMetadataValue) error {
	g, ok := s.groups[id].(*classic.Group)
	if value == nil {
		if ok {
			g.Forget()
			delete(s.groups, id)
		}
		return nil
	}
	if !ok {
		g = classic.New(id, s.classic)
		s.groups[id] = g
	}
	g.Replay(value)
	return nil
}

// loadedClassic begins the sessions of the members of all classic groups.
func (s *Shard) loadedClassic(t *shard.Turn) {
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		if g, ok := s.groups[id].(*classic.Group); ok {
			g.Loaded(t)
		}
	}
}

func (s *Shard) expireClassic(t *shard.Turn, alarm classic.Alarm) {
	if g, ok := s.groups[alarm.Group].(*classic.Group); ok {
		g.Expire(t, alarm)
	}
}
