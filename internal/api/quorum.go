package api

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// quorumEpoch checks the epoch in which a replica believes the quorum to be.
func quorumEpoch(c *call, asked kafka.LeaderEpoch) error {
	leader, epoch := c.Quorum.Leader()
	switch {
	case asked >= 0 && asked < epoch:
		return kerr.FencedLeaderEpoch
	case asked > epoch:
		return kerr.UnknownLeaderEpoch
	case leader != c.id():
		return kerr.NotLeaderForPartition
	}
	return nil
}
