package group

import (
	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

func (s *Shard) joinGroup(t *shard.Turn, ticket shard.Ticket, cmd JoinGroup) {}

func (s *Shard) syncGroup(t *shard.Turn, ticket shard.Ticket, cmd SyncGroup) {}

func (s *Shard) heartbeat(t *shard.Turn, ticket shard.Ticket, cmd Heartbeat) {}

func (s *Shard) leaveGroup(t *shard.Turn, ticket shard.Ticket, cmd LeaveGroup) {}

// replayClassic applies a GroupMetadata record; a nil value is a tombstone.
func (s *Shard) replayClassic(id string, value *schema.GroupMetadataValue) error { return nil }

// loadedClassic begins the sessions of the members of all classic groups.
func (s *Shard) loadedClassic(t *shard.Turn) {}

func (s *Shard) expireClassic(t *shard.Turn, alarm classic.Alarm) {}
