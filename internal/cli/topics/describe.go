package topics

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// description is a topic with what only other requests tell: offsets and configuration.
type description struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	Internal    bool              `json:"internal"`
	Replication int               `json:"replicationFactor"`
	Configs     map[string]string `json:"configs"` // those set on the topic itself
	Partitions  []partitionRow    `json:"partitions"`
}

// partitionRow is a partition with its offsets, which are nil where the server did not tell them.
type partitionRow struct {
	command.Partition
	Start *int64 `json:"logStartOffset"`
	End   *int64 `json:"highWatermark"`
}

func topicDescribe(a *command.App) *cobra.Command {
	return a.Prints(&cobra.Command{
		Use:               "describe NAME...",
		Short:             "Show a topic's partitions, offsets and configuration",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				found, f, err := s.NamedTopics(ctx, "describe", names)
				if err != nil {
					return err
				}
				all, err := describeTopics(ctx, s, found)
				if err != nil {
					return err
				}
				if err := printDescriptions(a, all); err != nil {
					return err
				}
				return f.Or()
			})
		},
	}, command.ListOf[description]("TopicDescriptionList", "topics"))
}

// describeTopics adds offsets and configuration to topics.
func describeTopics(ctx context.Context, s *command.Server, topics []command.Topic) ([]description, error) {
	var names []string
	for _, t := range topics {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	what := "describe topic " + command.Quoted(names)
	// Offsets are left out where they fail: a partition without a leader has none to tell, and is worth describing all the same.
	starts, _ := s.Admin.ListStartOffsets(ctx, names...)
	ends, _ := s.Admin.ListEndOffsets(ctx, names...)
	configs, err := s.Admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, s.Failed(what, err)
	}
	set := map[string]map[string]string{}
	for _, r := range configs {
		if r.Err != nil {
			return nil, s.Failed(what, command.Answered(r.Err, r.ErrMessage))
		}
		set[r.Name] = topicOwn(r.Configs)
	}
	var all []description
	for _, t := range topics {
		d := description{t.Name, t.ID, t.Internal, t.Replication(), set[t.Name], []partitionRow{}}
		for _, p := range t.Partitions {
			d.Partitions = append(d.Partitions, partitionRow{p, offsetOf(starts, t.Name, p.Partition), offsetOf(ends, t.Name, p.Partition)})
		}
		all = append(all, d)
	}
	return all, nil
}

// topicOwn keeps the keys that are set on the topic itself.
func topicOwn(configs []kadm.Config) map[string]string {
	own := map[string]string{}
	for _, c := range configs {
		if c.Source == kmsg.ConfigSourceDynamicTopicConfig {
			own[c.Key] = c.MaybeValue()
		}
	}
	return own
}

func offsetOf(l kadm.ListedOffsets, topic string, partition int32) *int64 {
	o, ok := l.Lookup(topic, partition)
	if !ok || o.Err != nil {
		return nil
	}
	return &o.Offset
}

func printDescriptions(a *command.App, all []description) error {
	return command.ListBy(a, "TopicDescriptionList", "topics", all, descriptionColumns, func(all []description) error {
		for i, d := range all {
			if i > 0 {
				fmt.Fprintln(a.Out)
			}
			fmt.Fprintf(a.Out, "Topic:       %s\nID:          %s\nPartitions:  %d\nReplicas:    %d\nConfigs:     %s\n\n",
				d.Name, d.ID, len(d.Partitions), d.Replication, command.Pairs(d.Configs))
			if err := a.Table(command.TableOf(d.Partitions, partitionColumns)); err != nil {
				return err
			}
		}
		return nil
	})
}

// descriptionColumns are what -o csv tells of a topic: the partitions have no place in a line.
var descriptionColumns = []command.Column[description]{
	{Name: "NAME", Value: func(d description) string { return d.Name }},
	{Name: "ID", Value: func(d description) string { return d.ID }},
	{Name: "PARTITIONS", Value: func(d description) string { return strconv.Itoa(len(d.Partitions)) }, Number: true},
	{Name: "REPLICAS", Value: func(d description) string { return strconv.Itoa(d.Replication) }, Number: true},
	{Name: "CONFIGS", Value: func(d description) string { return command.Pairs(d.Configs) }},
}

var partitionColumns = []command.Column[partitionRow]{
	{Name: "PARTITION", Value: func(p partitionRow) string { return strconv.Itoa(int(p.Partition.Partition)) }, Number: true},
	{Name: "LEADER", Value: func(p partitionRow) string { return command.OrDash(p.Leader >= 0, int64(p.Leader)) }, Number: true},
	{Name: "EPOCH", Value: func(p partitionRow) string { return strconv.Itoa(int(p.LeaderEpoch)) }, Number: true},
	{Name: "REPLICAS", Value: func(p partitionRow) string { return command.IDs(p.Replicas) }},
	{Name: "ISR", Value: func(p partitionRow) string { return command.IDs(p.ISR) }},
	{Name: "START", Value: func(p partitionRow) string { return command.OffsetText(p.Start) }, Number: true},
	{Name: "END", Value: func(p partitionRow) string { return command.OffsetText(p.End) }, Number: true},
	{Name: "ERROR", Value: func(p partitionRow) string { return p.Error }},
}
