package classic

import "time"

// Config holds the bounds of classic groups.
type Config struct {
	MaxSize             int           // group.max.size
	InitialDelay        time.Duration // group.initial.rebalance.delay.ms
	NewMemberTimeout    time.Duration // how long a member that has an id but has not joined keeps it: 5 min
	MinSession          time.Duration // group.min.session.timeout.ms
	MaxSession          time.Duration // group.max.session.timeout.ms
	UpgradeToModern     bool          // group.consumer.migration.policy is upgrade or bidirectional
	DowngradeFromModern bool          // … is downgrade or bidirectional
}
