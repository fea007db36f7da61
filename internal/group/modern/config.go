package modern

import "time"

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
