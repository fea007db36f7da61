package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// outcome is what happened to one topic.
type outcome struct {
	Name   string `json:"name"`
	ID     string `json:"id,omitempty"`
	Result string `json:"result"` // created, exists, deleted, absent, "would be created", …
	// Partitions and Replication are what the server chose, 0 where they do not apply.
	Partitions  int `json:"partitions,omitempty"`
	Replication int `json:"replicationFactor,omitempty"`
}

type creation struct {
	partitions  int32
	replication int16
	configs     []string
	ifNotExists bool
	dryRun      bool
}

func (a *app) topicCreate() *cobra.Command {
	var c creation
	cmd := &cobra.Command{
		Use:   "create NAME...",
		Short: "Create topics",
		Example: "  ottla topic create orders -p 6\n" +
			"  ottla topic create audit -c cleanup.policy=compact -c retention.ms=-1",
		Args:              want(1, -1, "the NAME of a topic"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, names []string) error {
			configs, err := parseConfigs(c.configs)
			if err != nil {
				return err
			}
			if err := checkNames(names); err != nil {
				return err
			}
			if c.partitions == 0 || c.partitions < -1 || c.replication == 0 || c.replication < -1 {
				return Usagef("-p and -r must be 1 or more, or -1 for the server's default")
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				done, f, err := s.create(ctx, c, configs, names)
				if err != nil {
					return err
				}
				if !c.dryRun {
					s.settle(ctx, done)
				}
				if err := a.printOutcomes("TopicCreateResult", "topics", done); err != nil {
					return err
				}
				return f.or()
			})
		},
	}
	f := cmd.Flags()
	f.Int32VarP(&c.partitions, "partitions", "p", -1, "number of partitions; -1 is the server's num.partitions")
	f.Int16VarP(&c.replication, "replicas", "r", -1, "replicas of each partition; -1 is the server's default.replication.factor")
	f.StringArrayVarP(&c.configs, "config", "c", nil, "a configuration of the topic, `KEY=VALUE` (may be repeated)")
	f.BoolVar(&c.ifNotExists, "if-not-exists", false, "succeed when the topic is there already, whatever it looks like")
	f.BoolVar(&c.dryRun, "dry-run", false, "have the server check everything and create nothing")
	return cmd
}

func parseConfigs(given []string) (map[string]*string, error) {
	configs := map[string]*string{}
	for _, g := range given {
		key, value, ok := strings.Cut(g, "=")
		if !ok || key == "" {
			return nil, Usagef("-c %s: want KEY=VALUE", g)
		}
		if _, twice := configs[key]; twice {
			return nil, Usagef("-c %s is given twice", key)
		}
		configs[key] = &value
	}
	return configs, nil
}

func (s *server) create(ctx context.Context, c creation, configs map[string]*string, names []string) ([]outcome, *failures, error) {
	do, result := s.admin.CreateTopics, "created"
	if c.dryRun {
		do, result = s.admin.ValidateCreateTopics, "would be created"
	}
	responses, err := do(ctx, c.partitions, c.replication, configs, names...)
	if err != nil {
		return nil, nil, s.failed("create topic "+quoted(names), err)
	}
	var done []outcome
	var f failures
	for _, name := range names {
		r, ok := responses[name]
		switch {
		case !ok:
			r.Err = errNotMentioned
			fallthrough
		case r.Err != nil && !(c.ifNotExists && errors.Is(r.Err, kerr.TopicAlreadyExists)):
			f.add(s.failed(fmt.Sprintf("create topic %q", name), answered(r.Err, r.ErrMessage)))
		case r.Err != nil:
			done = append(done, outcome{Name: name, Result: "exists"})
		default:
			done = append(done, created(r, result))
		}
	}
	f.done = len(done)
	return done, &f, nil
}

// settleFor bounds the wait for a new topic's leaders, and settleEvery is how often it looks.
const (
	settleFor   = 3 * time.Second
	settleEvery = 20 * time.Millisecond
)

// settle waits until every new topic is known with all its leaders, so that the next command of a script finds it. A cluster that takes
// longer is not in error.
func (s *server) settle(ctx context.Context, done []outcome) {
	if len(done) == 0 {
		return
	}
	var names []string
	for _, o := range done {
		names = append(names, o.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		all, err := s.topics(ctx, names...)
		if err != nil || !slices.ContainsFunc(all, topic.unsettled) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// unsettled reports whether the topic is unknown or a partition has no leader.
func (t topic) unsettled() bool {
	return t.err != nil || slices.ContainsFunc(t.Partitions, func(p partition) bool { return p.Leader < 0 })
}

func created(r kadm.CreateTopicResponse, result string) outcome {
	o := outcome{Name: r.Topic, Result: result, Partitions: int(r.NumPartitions), Replication: int(r.ReplicationFactor)}
	if id := kafka.UUID(r.ID); !id.IsZero() {
		o.ID = id.String()
	}
	return o
}

func (a *app) printOutcomes(kind, plural string, rows []outcome) error {
	if len(rows) == 0 && a.output.value == "table" {
		return nil
	}
	columns := []column[outcome]{
		{name: "NAME", value: func(o outcome) string { return o.Name }},
		{name: "RESULT", value: func(o outcome) string { return o.Result }},
	}
	if kind == "TopicCreateResult" {
		columns = append(columns,
			column[outcome]{name: "PARTITIONS", value: func(o outcome) string { return orDash(o.Partitions > 0, int64(o.Partitions)) }, number: true},
			column[outcome]{name: "REPLICAS", value: func(o outcome) string { return orDash(o.Replication > 0, int64(o.Replication)) }, number: true})
	}
	return list(a, kind, plural, rows, columns)
}

// count writes a number with its noun, in the plural where it belongs: "1 topic", "3 topics".
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}
