package classic

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/shard"
)

// Config holds the bounds of classic groups.
type Config struct {
	MaxSize               int           // group.max.size
	InitialRebalanceDelay time.Duration // group.initial.rebalance.delay.ms
	NewMemberTimeout      time.Duration // how long a new member that waits for its first rebalance is kept: 5 min
	MinSession            time.Duration // group.min.session.timeout.ms
	MaxSession            time.Duration // group.max.session.timeout.ms
	UpgradeToModern       bool          // group.consumer.migration.policy is upgrade or bidirectional
	DowngradeFromModern   bool          // … is downgrade or bidirectional
}

// Env is what the groups of a shard share.
type Env struct {
	Config Config
	Alarms *shard.Alarms[Alarm]
	// NewID draws the ids of members.
	NewID func() kafka.UUID
}

// Alarm is the key of a deadline; Member is "" for one of the whole group.
type Alarm struct {
	Group, Member string
	Kind          AlarmKind
}

// AlarmKind says what an Alarm is for.
type AlarmKind uint8

// The kinds of alarms.
const (
	// Session ends the session of a member, or of one that was given an id and has not joined with it.
	Session AlarmKind = iota
	// JoinEnd ends the wait for members to join.
	JoinEnd
	// SyncEnd ends the wait for members to sync.
	SyncEnd
)
