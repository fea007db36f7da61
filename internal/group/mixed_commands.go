package group

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/shard"
)

// A mixed group: requests of the classic protocol that name a consumer group with members.

func (s *Shard) joinConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd JoinGroup) {
	const firstKnown = 4 // from this version on a dynamic member comes with an id that it was told (KIP-394)
	req, g := cmd.Request, s.groups[cmd.Request.Group].(*modern.Group)
	if req.Version == 0 {
		req.RebalanceTimeoutMillis = req.SessionTimeoutMillis
	}
	if !s.config.Classic.UpgradeToModern && !s.config.Classic.DowngradeFromModern {
		classic.RefuseJoin(t, ticket, req, "", kerr.InconsistentGroupProtocol)
		return
	}
	if err := g.CheckOffer(req); err != nil {
		classic.RefuseJoin(t, ticket, req, "", err)
		return
	}
	id := req.MemberID
	if id == "" {
		id = s.config.NewID().String()
		if req.InstanceID == nil && req.Version >= firstKnown {
			classic.RefuseJoin(t, ticket, req, id, kerr.MemberIDRequired)
			return
		}
	}
	if err := g.CheckJoin(t, req, cmd.Client); err != nil {
		classic.RefuseJoin(t, ticket, req, "", err)
		return
	}
	downgrade := s.mayReplace(g, g.Replaced(req))
	resp, err := g.Join(t, id, req, cmd.Client, downgrade)
	if err != nil {
		classic.RefuseJoin(t, ticket, req, "", err)
		return
	}
	if downgrade {
		s.downgrade(t, g, req.Group, nil, !g.Assigned())
	}
	resp.Version = req.Version
	t.Reply(ticket, resp)
}

func (s *Shard) syncConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd SyncGroup) {
	g := s.groups[cmd.Request.Group].(*modern.Group)
	resp, err := g.Sync(t, cmd.Request)
	if err != nil {
		classic.RefuseSync(t, ticket, cmd.Request.Version, err)
		return
	}
	t.Reply(ticket, resp)
}

func (s *Shard) heartbeatConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd Heartbeat) {
	g := s.groups[cmd.Request.Group].(*modern.Group)
	classic.AnswerHeartbeat(t, ticket, cmd.Request.Version, g.KeepClassic(t, cmd.Request))
}

func (s *Shard) leaveConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd LeaveGroup) {
	g := s.groups[cmd.Request.Group].(*modern.Group)
	var leaving []string
	classic.AnswerLeave(t, ticket, cmd.Request, func(who kmsg.LeaveGroupRequestMember) *kerr.Error {
		id, err := g.FindLeaving(who)
		if err == nil && !slices.Contains(leaving, id) {
			leaving = append(leaving, id)
		}
		return err
	})
	if len(leaving) > 0 {
		s.removeModern(t, g, cmd.Request.Group, leaving)
	}
}
