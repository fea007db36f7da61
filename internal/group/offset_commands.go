package group

import (
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/shard"
)

func (s *Shard) commitOffsets(t *shard.Turn, ticket shard.Ticket, cmd CommitOffsets) {}

func (s *Shard) fetchOffsets(t *shard.Turn, ticket shard.Ticket, cmd FetchOffsets) {}

func (s *Shard) deleteOffsets(t *shard.Turn, ticket shard.Ticket, cmd DeleteOffsets) {}

// forgetTopics deletes the offsets of topics that are gone.
func (s *Shard) forgetTopics(t *shard.Turn, before *metadata.Image) {}

// expireOffsets deletes offsets that are too old, and groups that nothing is left of.
func (s *Shard) expireOffsets(t *shard.Turn) {}
