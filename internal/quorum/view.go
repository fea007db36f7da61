package quorum

import (
	"context"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// View is the metadata as a node has it, and who leads the quorum: an Engine is one, and what follows the log without a vote.
type View interface {
	Controller
	// Image, Subscribe and Wait are as those of Board.
	Image() *metadata.Image
	Subscribe(f func(metadata.Change))
	Wait(ctx context.Context, offset kafka.Offset) error
	// Leader, LeaderUntil, Peer, Status and Bounds are as those of Engine.
	Leader() (kafka.NodeID, kafka.LeaderEpoch)
	LeaderUntil() (kafka.NodeID, kafka.LeaderEpoch, <-chan struct{})
	Peer(id kafka.NodeID) (Voter, bool)
	Status() Status
	Bounds() Bounds
	// Run works until ctx ends, and closes the log; Close does if it never ran.
	Run(ctx context.Context) error
	Close() error
}
