package group

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/shard"
)

func (s *Shard) upgrade(t *shard.Turn, old *classic.Group, cmd ConsumerGroupHeartbeat) (*modern.Group, *kerr.Error) {
	return nil, modern.NotFound("Group %s is not a consumer group.", cmd.Request.Group)
}

func (s *Shard) mayDowngrade(g *modern.Group, leaving []string) bool { return false }

func (s *Shard) downgrade(t *shard.Turn, g *modern.Group, id string, leaving []string) {}
