package offsets

import (
	"time"

	"github.com/ottla/ottla/internal/schema"
)

// Store holds what the groups of a shard committed.
type Store struct {
	config Config
	check  time.Time
}

// NewStore returns a store without offsets.
func NewStore(config Config) *Store { return &Store{config: config} }

// Replay applies a record; a nil value is a tombstone.
func (s *Store) Replay(key *schema.OffsetCommitKey, value *schema.OffsetCommitValue) {}

// Loaded begins the checks for offsets that are too old.
func (s *Store) Loaded(now time.Time) {}

// NextCheck is when offsets that are too old are looked for, the zero time for never.
func (s *Store) NextCheck() time.Time { return s.check }

// Due says that it is time to look for offsets that are too old.
func (s *Store) Due(now time.Time) bool { return !s.check.IsZero() && !s.check.After(now) }
