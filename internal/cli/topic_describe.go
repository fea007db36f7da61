package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
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
	partition
	Start *int64 `json:"logStartOffset"`
	End   *int64 `json:"highWatermark"`
}

func (a *app) topicDescribe() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME...",
		Short:             "Show a topic's partitions, offsets and configuration",
		Args:              want(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.completeTopics,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				found, f, err := s.namedTopics(ctx, "describe", names)
				if err != nil {
					return err
				}
				all, err := s.describe(ctx, found)
				if err != nil {
					return err
				}
				if err := a.printDescriptions(all); err != nil {
					return err
				}
				return f.or()
			})
		},
	}
}

// describe adds offsets and configuration to topics.
func (s *server) describe(ctx context.Context, topics []topic) ([]description, error) {
	var names []string
	for _, t := range topics {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	what := "describe topic " + quoted(names)
	// Offsets are left out where they fail: a partition without a leader has none to tell, and is worth describing all the same.
	starts, _ := s.admin.ListStartOffsets(ctx, names...)
	ends, _ := s.admin.ListEndOffsets(ctx, names...)
	configs, err := s.admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, s.failed(what, err)
	}
	set := map[string]map[string]string{}
	for _, r := range configs {
		if r.Err != nil {
			return nil, s.failed(what, answered(r.Err, r.ErrMessage))
		}
		set[r.Name] = topicOwn(r.Configs)
	}
	var all []description
	for _, t := range topics {
		d := description{t.Name, t.ID, t.Internal, t.replication(), set[t.Name], []partitionRow{}}
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

func (a *app) printDescriptions(all []description) error {
	switch {
	case a.output.value == "json":
		return a.object("TopicDescriptionList", map[string][]description{"topics": orNone(all)})
	case a.output.value == "jsonl":
		for _, d := range all {
			if err := encode(a.out, d); err != nil {
				return err
			}
		}
		return nil
	}
	for i, d := range all {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "Topic:       %s\nID:          %s\nPartitions:  %d\nReplicas:    %d\nConfigs:     %s\n\n",
			d.Name, d.ID, len(d.Partitions), d.Replication, pairs(d.Configs))
		if err := a.table(tableOf(d.Partitions, partitionColumns)); err != nil {
			return err
		}
	}
	return nil
}

var partitionColumns = []column[partitionRow]{
	{name: "PARTITION", value: func(p partitionRow) string { return strconv.Itoa(int(p.Partition)) }, number: true},
	{name: "LEADER", value: func(p partitionRow) string { return orDash(p.Leader >= 0, int64(p.Leader)) }, number: true},
	{name: "EPOCH", value: func(p partitionRow) string { return strconv.Itoa(int(p.LeaderEpoch)) }, number: true},
	{name: "REPLICAS", value: func(p partitionRow) string { return ids(p.Replicas) }},
	{name: "ISR", value: func(p partitionRow) string { return ids(p.ISR) }},
	{name: "START", value: func(p partitionRow) string { return offsetText(p.Start) }, number: true},
	{name: "END", value: func(p partitionRow) string { return offsetText(p.End) }, number: true},
	{name: "ERROR", value: func(p partitionRow) string { return p.Error }},
}

func orDash(ok bool, n int64) string {
	if !ok {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func offsetText(o *int64) string {
	if o == nil {
		return "-"
	}
	return strconv.FormatInt(*o, 10)
}

// pairs writes a map as key=value, sorted, or "-" when it is empty.
func pairs(m map[string]string) string {
	if len(m) == 0 {
		return "-"
	}
	var s []string
	for k, v := range m {
		s = append(s, k+"="+v)
	}
	slices.Sort(s)
	return strings.Join(s, ",")
}
