package cli

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

func (a *app) topicCommand() *cobra.Command {
	cmd := group(&cobra.Command{Use: "topic", Short: "List, describe, create and delete topics"},
		a.topicList(), a.topicDescribe(), a.topicCreate(), a.topicDelete())
	a.clientFlags(cmd.PersistentFlags())
	return cmd
}

// topicsAlias is the plural that many type first.
func (a *app) topicsAlias() *cobra.Command {
	cmd := a.topicList()
	cmd.Use, cmd.Hidden = "topics [PATTERN]", true
	a.clientFlags(cmd.Flags())
	return cmd
}

// partition is one partition as Metadata describes it.
type partition struct {
	Partition   int32   `json:"partition"`
	Leader      int32   `json:"leader"` // -1: none
	LeaderEpoch int32   `json:"leaderEpoch"`
	Replicas    []int32 `json:"replicas"` // the preferred leader first
	ISR         []int32 `json:"isr"`
	Offline     []int32 `json:"offlineReplicas,omitempty"`
	Error       string  `json:"error,omitempty"`
}

// topic is one topic as Metadata describes it.
type topic struct {
	Name       string      `json:"name"`
	ID         string      `json:"id"`
	Internal   bool        `json:"internal"`
	Partitions []partition `json:"partitions"`
	err        error
}

// replication is the largest number of replicas that a partition has.
func (t topic) replication() int {
	n := 0
	for _, p := range t.Partitions {
		n = max(n, len(p.Replicas))
	}
	return n
}

// topics asks for the named topics, or for all when none are named. Sorted by name; a topic's own failure is in its err.
func (s *server) topics(ctx context.Context, names ...string) ([]topic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, n := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(n)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	all := make([]topic, 0, len(resp.Topics))
	for _, t := range resp.Topics {
		all = append(all, toTopic(t))
	}
	slices.SortFunc(all, func(x, y topic) int { return strings.Compare(x.Name, y.Name) })
	return all, nil
}

func toTopic(t kmsg.MetadataResponseTopic) topic {
	out := topic{ID: kafka.UUID(t.TopicID).String(), Internal: t.IsInternal, err: kerr.ErrorForCode(t.ErrorCode), Partitions: []partition{}}
	if t.Topic != nil {
		out.Name = *t.Topic
	}
	for _, p := range t.Partitions {
		q := partition{Partition: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, Replicas: p.Replicas, ISR: p.ISR, Offline: p.OfflineReplicas}
		if k := kerr.TypedErrorForCode(p.ErrorCode); k != nil {
			q.Error = k.Message
		}
		out.Partitions = append(out.Partitions, q)
	}
	slices.SortFunc(out.Partitions, func(x, y partition) int { return int(x.Partition - y.Partition) })
	return out
}

// topicRow is a topic in a list.
type topicRow struct {
	Name        string `json:"name"`
	ID          string `json:"id"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replicationFactor"`
	Internal    bool   `json:"internal"`
}

func (a *app) topicList() *cobra.Command {
	var internal bool
	cmd := &cobra.Command{
		Use:               "list [PATTERN]",
		Short:             "List topics",
		Long:              "List topics, all or those whose name matches a pattern of the shell's kind, such as 'orders-*'.",
		Args:              want(0, 1, "one PATTERN at most"),
		ValidArgsFunction: a.completeTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			pattern := append(args, "*")[0]
			if _, err := path.Match(pattern, ""); err != nil {
				return Usagef("%q is not a pattern", pattern)
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				all, err := s.topics(ctx)
				if err != nil {
					return s.failed("list topics", err)
				}
				var rows []topicRow
				for _, t := range all {
					if fits, _ := path.Match(pattern, t.Name); fits && (internal || !t.Internal) {
						rows = append(rows, topicRow{t.Name, t.ID, len(t.Partitions), t.replication(), t.Internal})
					}
				}
				return list(a, "TopicList", "topics", rows, []column[topicRow]{
					{name: "NAME", value: func(t topicRow) string { return t.Name }},
					{name: "PARTITIONS", value: func(t topicRow) string { return strconv.Itoa(t.Partitions) }, number: true},
					{name: "REPLICAS", value: func(t topicRow) string { return strconv.Itoa(t.Replication) }, number: true},
				})
			})
		},
	}
	cmd.Flags().BoolVar(&internal, "internal", false, "list the topics of the server itself too")
	return cmd
}

// namedTopics asks for topics that must be there; those that are not come back as failures.
func (s *server) namedTopics(ctx context.Context, verb string, names []string) ([]topic, *failures, error) {
	all, err := s.topics(ctx, names...)
	if err != nil {
		return nil, nil, s.failed(fmt.Sprintf("%s topic %s", verb, quoted(names)), err)
	}
	var found []topic
	var f failures
	for _, t := range all {
		if t.err != nil {
			f.add(s.missing(ctx, fmt.Sprintf("%s topic %q", verb, t.Name), t))
			continue
		}
		found = append(found, t)
	}
	f.done = len(found)
	return found, &f, nil
}

// missing words the failure to find a topic, and looks for one of nearly the same name.
func (s *server) missing(ctx context.Context, what string, t topic) error {
	e := &Error{What: what, Where: s.where, Err: t.err, Hint: hintFor(t.err)}
	if exitFor(t.err) != NotFound {
		return e
	}
	e.Err = answered(t.err, "there is no such topic")
	all, err := s.topics(ctx)
	if err != nil {
		return e // the hint is a courtesy
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	if hint := didYouMean(t.Name, names); hint != "" {
		e.Hint = hint
	}
	return e
}

func quoted(names []string) string {
	var q []string
	for _, n := range names {
		q = append(q, strconv.Quote(n))
	}
	return strings.Join(q, ", ")
}

func checkNames(names []string) error {
	for _, n := range names {
		if err := kafka.CheckTopicName(n); err != nil {
			return Usagef("a topic can't have this name: %v", err)
		}
	}
	return nil
}

func ids(list []int32) string {
	if len(list) == 0 {
		return "-"
	}
	var s []string
	for _, n := range list {
		s = append(s, strconv.Itoa(int(n)))
	}
	return strings.Join(s, ",")
}
