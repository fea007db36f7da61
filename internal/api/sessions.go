package api

import (
	"sync"
	"time"

	"github.com/ottla/ottla/internal/fetchsession"
)

// Sessions are the fetch sessions of a node, for many connections.
type Sessions struct {
	mu    sync.Mutex // guards cache
	cache *fetchsession.Cache
}

// NewSessions wraps a cache, which nobody else may use.
func NewSessions(cache *fetchsession.Cache) *Sessions { return &Sessions{cache: cache} }

func (s *Sessions) begin(now time.Time, req fetchsession.Request, x *fetchsession.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache.Begin(now, req, x)
}

func (s *Sessions) finish(now time.Time, x *fetchsession.Context, results []fetchsession.Result) (int32, []bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache.Finish(now, x, results)
}

// Len returns how many sessions there are.
func (s *Sessions) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache.Len()
}
