package modern

import (
	"strconv"
	"time"
)

// Config holds the settings of consumer groups (KIP-848).
type Config struct {
	MaxSize      int           // group.consumer.max.size
	Session      time.Duration // group.consumer.session.timeout.ms
	MinSession   time.Duration // group.consumer.min.session.timeout.ms
	MaxSession   time.Duration // group.consumer.max.session.timeout.ms
	Heartbeat    time.Duration // group.consumer.heartbeat.interval.ms
	MinHeartbeat time.Duration // group.consumer.min.heartbeat.interval.ms
	MaxHeartbeat time.Duration // group.consumer.max.heartbeat.interval.ms
	Assignors    []string      // group.consumer.assignors; the first is the default
	RegexRefresh time.Duration // group.consumer.regex.refresh.interval.ms
	// AssignmentInterval is the least time between two target assignments of a group (KIP-1263), 0 for none.
	AssignmentInterval time.Duration // group.consumer.assignment.interval.ms
}

// setting is a time of the configuration, or what the group's own configuration sets in its place.
func (e *Env) setting(group, key string, standard, low, high time.Duration) time.Duration {
	if e.Overrides == nil {
		return standard
	}
	text, ok := e.Overrides(group)[key]
	if !ok {
		return standard
	}
	ms, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return standard
	}
	value := max(low, time.Duration(ms)*time.Millisecond)
	if high > 0 {
		value = min(high, value)
	}
	return value
}

func (g *Group) session() time.Duration {
	c := &g.env.Config
	return g.env.setting(g.id, "consumer.session.timeout.ms", c.Session, c.MinSession, c.MaxSession)
}

func (g *Group) heartbeatInterval() time.Duration {
	c := &g.env.Config
	return g.env.setting(g.id, "consumer.heartbeat.interval.ms", c.Heartbeat, c.MinHeartbeat, c.MaxHeartbeat)
}

func (g *Group) assignmentInterval() time.Duration {
	return g.env.setting(g.id, "consumer.assignment.interval.ms", g.env.Config.AssignmentInterval, 0, 0)
}
