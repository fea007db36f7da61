package group

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/shard"
)

// Requests of the classic protocol that name a consumer group with members.

func (s *Shard) joinConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd JoinGroup) {
	classic.RefuseJoin(t, ticket, cmd.Request, cmd.Request.MemberID, kerr.InconsistentGroupProtocol)
}

func (s *Shard) syncConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd SyncGroup) {
	classic.RefuseSync(t, ticket, cmd.Request.Version, kerr.UnknownMemberID)
}

func (s *Shard) heartbeatConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd Heartbeat) {
	classic.AnswerHeartbeat(t, ticket, cmd.Request.Version, kerr.UnknownMemberID)
}

func (s *Shard) leaveConsumerGroup(t *shard.Turn, ticket shard.Ticket, cmd LeaveGroup) {
	classic.AnswerLeave(t, ticket, cmd.Request, func(kmsg.LeaveGroupRequestMember) *kerr.Error { return kerr.UnknownMemberID })
}
