package sim

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/group/offsets"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/shard"
)

// offsetsPartitions is offsets.topic.num.partitions.
const offsetsPartitions = 2

// openGroups makes the coordinators of groups, as package node does.
func (p *process) openGroups() {
	p.groups = coordinator.NewRuntime(coordinator.Options{
		Self: kafka.NodeID(p.n.id), Topic: kafka.ConsumerOffsetsTopic, Partitions: p.partitions, Purgatory: p.waits, Stepped: true,
		NewCore: func() shard.Core {
			return group.NewShard(group.Config{
				NewID:   p.n.newID,
				Classic: classic.Config{MaxSize: 10, InitialRebalanceDelay: 100 * time.Millisecond, NewMemberTimeout: 5 * time.Second, MaxSession: time.Minute},
				Modern:  modern.Config{MaxSize: 10, Assignors: []string{"uniform", "range"}, RegexRefresh: time.Minute},
				Offsets: offsets.Config{MaxMetadata: 4096, Retention: 7 * 24 * time.Hour, RetentionCheck: 10 * time.Minute},
				Times: func(string) modern.Times {
					return modern.Times{Session: 2 * time.Second, Heartbeat: 200 * time.Millisecond, AssignmentInterval: time.Second}
				},
			})
		},
		Timeout: 500 * time.Millisecond, Now: p.n.clock, Log: p.n.log(),
	})
}

func (p *process) commitOffsets(req *kmsg.OffsetCommitRequest, reply reply) {
	p.askGroup(req.Group, group.CommitOffsets{Request: req}, reply)
}

func (p *process) attend(req *kmsg.ConsumerGroupHeartbeatRequest, reply reply) {
	p.askGroup(req.Group, group.ConsumerGroupHeartbeat{Request: req}, reply)
}

// askGroup hands a command to the coordinator of a group, whose answer is the response.
func (p *process) askGroup(name string, cmd any, reply reply) {
	p.groups.Submit(coordinator.PartitionFor(name, offsetsPartitions), cmd, func(resp any, err error) {
		if err != nil {
			reply(nil, err)
			return
		}
		reply(resp.(kmsg.Response), nil)
	})
}

func (p *process) fetchOffsets(req *kmsg.OffsetFetchRequest, reply reply) {
	g := req.Groups[0]
	p.groups.Submit(coordinator.PartitionFor(g.Group, offsetsPartitions), group.FetchOffsets{Group: g}, func(resp any, err error) {
		if err != nil {
			reply(nil, err)
			return
		}
		out := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		out.Groups = append(out.Groups, *resp.(*kmsg.OffsetFetchResponseGroup))
		reply(out, nil)
	})
}
