package group

import (
	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
)

// Config is what a Shard is told at construction.
type Config struct {
	// NewID draws the ids of members. Required.
	NewID func() kafka.UUID

	Classic classic.Config
	Modern  modern.Config
	Offsets offsets.Config
	// Times returns the times of a consumer group, as they are now. Required.
	Times func(groupID string) modern.Times
}
