package node

import (
	"math"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/metadata"
)

// configure has the dynamic configuration of an image act where it is not a topic's. It is called on the quorum's loop.
func (n *Node) configure(c metadata.Change) {
	s := api.SourcesAt(n.cfg, c.Image)
	rate := int64(math.MaxInt64)
	if _, set := s.Lookup("replica.alter.log.dirs.io.max.bytes.per.second"); set {
		rate = s.Int("replica.alter.log.dirs.io.max.bytes.per.second")
	}
	n.partitions.SetMoveRate(rate)
}
