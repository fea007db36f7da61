package config

import "time"

// Group is the effective configuration of one group: its overrides, kept within the broker's bounds, over the node's keys over the
// defaults. Its three parts are of the three modern kinds of groups; a classic group has none of them.
type Group struct {
	Consumer ConsumerGroup
	Share    ShareGroup
	Streams  StreamsGroup

	DeadLetterTopic   string // errors.deadletterqueue.topic.name; empty for none (KIP-1191)
	DeadLetterRecords bool   // dead letters carry keys and values
}

// GroupTimes are the rhythms of a group of any modern kind.
type GroupTimes struct {
	SessionTimeout     time.Duration // silence after which a member is removed
	HeartbeatInterval  time.Duration
	AssignmentInterval time.Duration // shortest time between two assignments; 0 for none
	OffloadAssignor    bool          // compute assignments beside the coordinator's loop
}

// ConsumerGroup is what KIP-848 groups take from their configuration.
type ConsumerGroup struct{ GroupTimes }

// ShareGroup is what KIP-932 groups take from their configuration.
type ShareGroup struct {
	GroupTimes
	LockDuration          time.Duration
	DeliveryCountLimit    int
	MaxLocksPerPartition  int
	AutoOffsetReset       string // latest, earliest, or by_duration: and an ISO 8601 duration
	ReadCommitted         bool
	RenewAcknowledgements bool
}

// StreamsGroup is what KIP-1071 groups take from their configuration.
type StreamsGroup struct {
	GroupTimes
	InitialRebalanceDelay time.Duration
	TaskOffsetInterval    time.Duration
	StandbyReplicas       int
	WarmupReplicas        int
	AcceptableRecoveryLag int64
	Assignor              string
	RackTags              []string
}

// Group computes the effective configuration of a group with these overrides. What was stored under wider bounds than the broker's
// present ones counts as the nearest bound. Values that don't parse read as 0: what is stored has passed ValidateGroup.
func (s Sources) Group(overrides map[string]string) Group {
	v := resourceValues{s, GroupResource, overrides}
	return Group{
		Consumer: s.ConsumerGroup(overrides),
		Share: ShareGroup{
			GroupTimes:            v.groupTimes("share"),
			LockDuration:          v.boundedMillis("share.record.lock.duration.ms"),
			DeliveryCountLimit:    int(v.bounded("share.delivery.count.limit")),
			MaxLocksPerPartition:  int(v.bounded("share.partition.max.record.locks")),
			AutoOffsetReset:       v.text("share.auto.offset.reset"),
			ReadCommitted:         v.text("share.isolation.level") == "read_committed",
			RenewAcknowledgements: v.bool("share.renew.acknowledge.enable"),
		},
		Streams: StreamsGroup{
			GroupTimes:            v.groupTimes("streams"),
			InitialRebalanceDelay: v.millis("streams.initial.rebalance.delay.ms"),
			TaskOffsetInterval:    v.boundedMillis("streams.task.offset.interval.ms"),
			StandbyReplicas:       int(v.bounded("streams.num.standby.replicas")),
			WarmupReplicas:        int(v.bounded("streams.num.warmup.replicas")),
			AcceptableRecoveryLag: v.int64("streams.acceptable.recovery.lag"),
			Assignor:              v.text("streams.assignor.name"),
			RackTags:              SplitList(v.text("streams.rack.aware.assignment.tags")),
		},
		DeadLetterTopic:   v.text("errors.deadletterqueue.topic.name"),
		DeadLetterRecords: v.bool("errors.deadletterqueue.copy.record.enable"),
	}
}

// ConsumerGroup computes the part of Group that is of consumer groups.
func (s Sources) ConsumerGroup(overrides map[string]string) ConsumerGroup {
	return ConsumerGroup{resourceValues{s, GroupResource, overrides}.groupTimes("consumer")}
}

func (v resourceValues) groupTimes(kind string) GroupTimes {
	return GroupTimes{
		SessionTimeout:     v.boundedMillis(kind + ".session.timeout.ms"),
		HeartbeatInterval:  v.boundedMillis(kind + ".heartbeat.interval.ms"),
		AssignmentInterval: v.boundedMillis(kind + ".assignment.interval.ms"),
		OffloadAssignor:    v.bool(kind + ".assignor.offload.enable"),
	}
}

// bounded is a number within the bounds that the broker sets it. Only the group's own value needs that: the broker's keys are held to
// their bounds when they are set.
func (v resourceValues) bounded(name string) int64 {
	n := v.int64(name)
	if _, own := v.overrides[name]; !own {
		return n
	}
	for _, r := range groupRanges {
		if r.key != name {
			continue
		}
		if r.max != "" {
			n = min(n, v.s.Int(r.max))
		}
		if r.min != "" {
			n = max(n, v.s.Int(r.min))
		}
	}
	return n
}

func (v resourceValues) boundedMillis(name string) time.Duration {
	return duration(v.bounded(name), time.Millisecond)
}
