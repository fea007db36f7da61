package group

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/shard"
)

// The commands of a Shard. A request that names several groups is cut into one command for each shard by the caller; who
// may do what is decided before. Each reply is the response that goes to the client, or the part of it that the command
// asked for, error codes included.

// JoinGroup joins a member to a classic group, or a classic member to a consumer group. Its reply is a
// *kmsg.JoinGroupResponse, which may come when the rebalance ends.
type JoinGroup struct {
	Request *kmsg.JoinGroupRequest
	Client  shard.Client
}

// SyncGroup gives and gets the assignment of a generation. Its reply is a *kmsg.SyncGroupResponse, which may come when the
// leader has given it.
type SyncGroup struct {
	Request *kmsg.SyncGroupRequest
}

// Heartbeat keeps the session of a classic member. Its reply is a *kmsg.HeartbeatResponse.
type Heartbeat struct {
	Request *kmsg.HeartbeatRequest
}

// LeaveGroup removes members. Its reply is a *kmsg.LeaveGroupResponse.
type LeaveGroup struct {
	Request *kmsg.LeaveGroupRequest
}

// DescribeGroups describes classic groups. Its reply is a []kmsg.DescribeGroupsResponseGroup in the order of GroupIDs.
type DescribeGroups struct {
	Version  int16
	GroupIDs []string
}

// ListGroups lists the groups of the shard. Its reply is a []kmsg.ListGroupsResponseGroup in the order of ids.
type ListGroups struct {
	// States and Types are those asked for, in any case; none stands for all.
	States, Types []string
}

// DeleteGroups deletes groups without members, and their offsets. Its reply is a []kmsg.DeleteGroupsResponseGroup in the
// order of GroupIDs.
type DeleteGroups struct {
	GroupIDs []string
}

// CommitOffsets commits offsets of a group. Its reply is a *kmsg.OffsetCommitResponse.
type CommitOffsets struct {
	Request *kmsg.OffsetCommitRequest
}

// FetchOffsets reads committed offsets of one group. Its reply is a *kmsg.OffsetFetchResponseGroup.
type FetchOffsets struct {
	Group kmsg.OffsetFetchRequestGroup
	// RequireStable asks for no offset that an open transaction may change. None is while there are no transactions.
	RequireStable bool
}

// DeleteOffsets deletes committed offsets of topics that the group does not subscribe to. Its reply is a
// *kmsg.OffsetDeleteResponse.
type DeleteOffsets struct {
	Request *kmsg.OffsetDeleteRequest
}

// ConsumerGroupHeartbeat joins, keeps, moves or removes a member of a consumer group (KIP-848). Its reply is a
// *kmsg.ConsumerGroupHeartbeatResponse.
type ConsumerGroupHeartbeat struct {
	Request *kmsg.ConsumerGroupHeartbeatRequest
	Client  shard.Client
}

// DescribeConsumerGroups describes consumer groups. Its reply is a []kmsg.ConsumerGroupDescribeResponseGroup in the order
// of GroupIDs.
type DescribeConsumerGroups struct {
	GroupIDs []string
}
