package modern

import "time"

// Config holds the settings of consumer groups (KIP-848).
type Config struct {
	MaxSize      int           // group.consumer.max.size
	Assignors    []string      // group.consumer.assignors; the first is the default
	RegexRefresh time.Duration // group.consumer.regex.refresh.interval.ms
}

// Times are those of one group: its own configuration over that of the cluster.
type Times struct {
	Session   time.Duration // consumer.session.timeout.ms
	Heartbeat time.Duration // consumer.heartbeat.interval.ms
	// AssignmentInterval is the least time between two target assignments (KIP-1263), 0 for none.
	AssignmentInterval time.Duration // consumer.assignment.interval.ms
}

func (g *Group) times() Times { return g.env.Times(g.id) }
