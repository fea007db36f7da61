package obs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Limit passes on at most burst records with the same message in each interval, and says with the next one how many
// were left out: what clients send must not be able to fill the log.
func Limit(h slog.Handler, burst int, interval time.Duration) slog.Handler {
	return &limiter{Handler: h, shared: &counts{burst: burst, interval: interval, of: make(map[string]*count)}}
}

type limiter struct {
	slog.Handler
	shared *counts
}

// counts belongs to a handler and all that were derived from it.
type counts struct {
	burst    int
	interval time.Duration

	mu sync.Mutex // guards of
	of map[string]*count
}

type count struct {
	since  time.Time
	passed int
	left   int
}

// Handle implements slog.Handler.
func (l *limiter) Handle(ctx context.Context, r slog.Record) error {
	left, pass := l.shared.pass(r.Message, r.Time)
	if !pass {
		return nil
	}
	if left > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", left))
	}
	return l.Handler.Handle(ctx, r)
}

// pass decides on a record, and says how many like it were left out before. Messages are constants of the program, so
// there are few.
func (c *counts) pass(message string, now time.Time) (left int, pass bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[message]
	if n == nil {
		n = &count{since: now}
		c.of[message] = n
	}
	if now.Sub(n.since) >= c.interval {
		left = n.left
		*n = count{since: now}
	}
	if n.passed == c.burst {
		n.left++
		return 0, false
	}
	n.passed++
	return left, true
}

// WithAttrs implements slog.Handler.
func (l *limiter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limiter{l.Handler.WithAttrs(attrs), l.shared}
}

// WithGroup implements slog.Handler.
func (l *limiter) WithGroup(name string) slog.Handler {
	return &limiter{l.Handler.WithGroup(name), l.shared}
}
