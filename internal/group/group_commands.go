package group

import "github.com/ottla/ottla/internal/shard"

func (s *Shard) listGroups(t *shard.Turn, ticket shard.Ticket, cmd ListGroups) {}

func (s *Shard) describeGroups(t *shard.Turn, ticket shard.Ticket, cmd DescribeGroups) {}

func (s *Shard) deleteGroups(t *shard.Turn, ticket shard.Ticket, cmd DeleteGroups) {}
