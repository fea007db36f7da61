package obs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Levels beside slog's own, so that all that Kafka's tools know have one.
const (
	Trace slog.Level = -8
	Fatal slog.Level = 12
)

// Root is the logger that gives all others their level, unless they have one of their own.
const Root = "root"

// levelNames are the levels by the names that BROKER_LOGGER takes.
var levelNames = map[string]slog.Level{
	"TRACE": Trace, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERROR": slog.LevelError, "FATAL": Fatal,
}

// Levels are the levels of a node's loggers, which change while it runs. Safe for concurrent use.
type Levels struct {
	mu      sync.Mutex            // a leaf; guards own
	own     map[string]slog.Level // of those that were set
	current map[string]*atomic.Int64
}

// NewLevels returns the levels of the root, INFO at first, and of loggers of these names, which follow it.
func NewLevels(names ...string) *Levels {
	l := &Levels{own: map[string]slog.Level{Root: slog.LevelInfo}, current: make(map[string]*atomic.Int64)}
	for _, name := range append(names, Root) {
		l.current[name] = new(atomic.Int64)
		l.current[name].Store(int64(slog.LevelInfo))
	}
	return l
}

// Logger returns the logger of a name, over h, which should let all levels through. The name must be one of NewLevels.
func (l *Levels) Logger(name string, h slog.Handler) *slog.Logger {
	return slog.New(leveled{h, l.current[name]})
}

// Has reports whether there is a logger of that name.
func (l *Levels) Has(name string) bool { return l.current[name] != nil }

// ErrLevel says that a level or a logger is not known.
var ErrLevel = errors.New("no such logger or level")

// Set gives a logger a level of its own. The error wraps ErrLevel.
func (l *Levels) Set(name, level string) error {
	n, ok := levelNames[level]
	if !ok || !l.Has(name) {
		return fmt.Errorf("%w: %s of %s", ErrLevel, level, name)
	}
	l.change(func() { l.own[name] = n })
	return nil
}

// Unset has a logger follow the root again; the root keeps its level.
func (l *Levels) Unset(name string) {
	if name != Root {
		l.change(func() { delete(l.own, name) })
	}
}

func (l *Levels) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	for name, at := range l.current {
		level, own := l.own[name]
		if !own {
			level = l.own[Root]
		}
		at.Store(int64(level))
	}
}

// LoggerLevel is a logger and the level that holds for it.
type LoggerLevel struct{ Name, Level string }

// All lists the loggers, sorted by name.
func (l *Levels) All() []LoggerLevel {
	var all []LoggerLevel
	for _, name := range slices.Sorted(maps.Keys(l.current)) {
		for text, level := range levelNames {
			if int64(level) == l.current[name].Load() {
				all = append(all, LoggerLevel{name, text})
			}
		}
	}
	return all
}

// leveled lets the records of a logger through that have its level.
type leveled struct {
	slog.Handler
	least *atomic.Int64
}

// Enabled implements slog.Handler.
func (h leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return int64(level) >= h.least.Load() && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs), h.least}
}

// WithGroup implements slog.Handler.
func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.least}
}
