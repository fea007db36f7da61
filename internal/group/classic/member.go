package classic

import (
	"bytes"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/shard"
)

// member is one member of a group.
type member struct {
	id string
	// instance is the group.instance.id of a static member, nil for a dynamic one.
	instance         *string
	clientID, host   string
	rebalanceTimeout time.Duration
	sessionTimeout   time.Duration
	// protocols are in the order of preference, their names distinct.
	protocols  []protocol
	assignment []byte

	join, sync waiting
	// fresh says that the member waits for its first rebalance: it does not know its id yet and can't send heartbeats, so
	// its session runs on though it waits.
	fresh bool
	// unsynced says that the member has not sent SyncGroup in this generation.
	unsynced bool
	// gone says that the member was removed; Group.order may still hold it.
	gone bool
}

// protocol is an assignor that a member offers, with what the member tells it.
type protocol struct {
	name     string
	metadata []byte
}

// waiting is a request of a member that has no answer yet.
type waiting struct {
	ticket  shard.Ticket
	version int16
	on      bool
}

// metadata is what the member tells a protocol; nil for none.
func (m *member) metadata(name *string) []byte {
	if name != nil {
		for _, p := range m.protocols {
			if p.name == *name {
				return p.metadata
			}
		}
	}
	return nil
}

// matches says whether the member offers exactly these protocols.
func (m *member) matches(offered []kmsg.JoinGroupRequestProtocol) bool {
	return slices.EqualFunc(m.protocols, offered, func(p protocol, o kmsg.JoinGroupRequestProtocol) bool {
		return p.name == o.Name && bytes.Equal(p.metadata, o.Metadata)
	})
}

// keep takes what a request offers for a member.
func keep(offered []kmsg.JoinGroupRequestProtocol) []protocol {
	kept := make([]protocol, len(offered))
	for i, p := range offered {
		kept[i] = protocol{p.Name, p.Metadata}
	}
	return kept
}

// repeat says whether a protocol is offered twice.
func repeat(offered []kmsg.JoinGroupRequestProtocol) bool {
	names := make(map[string]struct{}, len(offered))
	for _, p := range offered {
		names[p.Name] = struct{}{}
	}
	return len(names) < len(offered)
}

// vote is the first of the member's protocols that all members offer.
func (m *member) vote(supported map[string]int, all int) string {
	for _, p := range m.protocols {
		if supported[p.name] == all {
			return p.name
		}
	}
	return ""
}

func milliseconds(n int32) time.Duration { return time.Duration(n) * time.Millisecond }
