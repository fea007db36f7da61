package node

import (
	"strings"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/shard"
)

// openGroups makes the coordinators of groups. They begin when the metadata says which partitions this node leads.
func (n *Node) openGroups() {
	s, ids := n.cfg.Sources, n.drawIDs()
	n.groups = coordinator.NewRuntime(coordinator.Options{
		Self: n.cfg.ID, Topic: kafka.ConsumerOffsetsTopic, Partitions: n.partitions, Purgatory: n.purgatory,
		NewCore: func() shard.Core {
			own := groupConfig(api.SourcesAt(n.cfg, n.image.Load())) // what is dynamic holds from the next load on
			own.Times, own.NewID = n.groupTimes, ids()
			return group.NewShard(own)
		},
		Timeout: s.Millis("offsets.commit.timeout.ms"), LoadBytes: int(s.Int("offsets.load.buffer.size")),
		Codec: compress.Codec(s.Int("offsets.topic.compression.codec")), Now: n.opts.Now, Log: n.logger("coordinator"),
	})
}

// groupTimes are the times of a consumer group: of its own resource, or those of all that set none.
func (n *Node) groupTimes(id string) modern.Times {
	image := n.image.Load()
	own := image.Configs.Of(metadata.ConfigResource{Type: metadata.GroupResource, Name: id})
	if len(own) == 0 {
		return *n.commonTimes.Load()
	}
	return timesOf(api.SourcesAt(n.cfg, image), own)
}

func timesOf(s config.Sources, own map[string]string) modern.Times {
	c := s.ConsumerGroup(own)
	return modern.Times{Session: c.SessionTimeout, Heartbeat: c.HeartbeatInterval, AssignmentInterval: c.AssignmentInterval}
}

// groupConfig is what the configuration says of groups.
func groupConfig(s config.Sources) group.Config {
	policy := strings.ToLower(s.Text("group.consumer.migration.policy"))
	return group.Config{
		Classic: classic.Config{
			MaxSize: int(s.Int("group.max.size")), InitialRebalanceDelay: s.Millis("group.initial.rebalance.delay.ms"),
			NewMemberTimeout: newMemberTimeout,
			MinSession:       s.Millis("group.min.session.timeout.ms"), MaxSession: s.Millis("group.max.session.timeout.ms"),
			UpgradeToModern:     policy == "upgrade" || policy == "bidirectional",
			DowngradeFromModern: policy == "downgrade" || policy == "bidirectional",
		},
		Modern: modern.Config{
			MaxSize:   int(s.Int("group.consumer.max.size")),
			Assignors: s.List("group.consumer.assignors"), RegexRefresh: s.Millis("group.consumer.regex.refresh.interval.ms"),
		},
		Offsets: offsets.Config{
			MaxMetadata: int(s.Int("offset.metadata.max.bytes")), Retention: s.Minutes("offsets.retention.minutes"),
			RetentionCheck: s.Millis("offsets.retention.check.interval.ms"),
		},
	}
}

// newMemberTimeout is how long a member id that was given out is kept for a member that does not come back with it.
const newMemberTimeout = 5 * time.Minute
