package group

import (
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

func (s *Shard) consumerGroupHeartbeat(t *shard.Turn, ticket shard.Ticket, cmd ConsumerGroupHeartbeat) {
}

func (s *Shard) describeConsumerGroups(t *shard.Turn, ticket shard.Ticket, cmd DescribeConsumerGroups) {
}

// replayModern applies a record of the types 3 to 8 and 16.
func (s *Shard) replayModern(record schema.GroupRecord) error { return nil }

// loadedModern begins the sessions of the members of all consumer groups.
func (s *Shard) loadedModern(t *shard.Turn) {}

// refreshModern looks at what changed in the topics since the image before; the newest is s.image.
func (s *Shard) refreshModern(t *shard.Turn, before *metadata.Image) {}

func (s *Shard) expireModern(t *shard.Turn, alarm modern.Alarm) {}
