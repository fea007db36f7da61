package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

type creation struct {
	partitions  int32
	replication int16
	configs     []string
	ifNotExists bool
	dryRun      bool
}

// sizes are the columns of what a topic was made with.
var sizes = []command.Column[command.Outcome]{
	{Name: "PARTITIONS", Value: func(o command.Outcome) string { return command.OrDash(o.Partitions > 0, int64(o.Partitions)) }, Number: true},
	{Name: "REPLICAS", Value: func(o command.Outcome) string { return command.OrDash(o.Replication > 0, int64(o.Replication)) }, Number: true},
}

func topicCreate(a *command.App) *cobra.Command {
	var c creation
	cmd := &cobra.Command{
		Use:   "create NAME...",
		Short: "Create topics",
		Example: "  ottla topic create orders -p 6\n" +
			"  ottla topic create audit -c cleanup.policy=compact -c retention.ms=-1",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, names []string) error {
			configs, err := parseConfigs(c.configs)
			if err != nil {
				return err
			}
			if err := command.CheckNames(names); err != nil {
				return err
			}
			if c.partitions == 0 || c.partitions < -1 || c.replication == 0 || c.replication < -1 {
				return command.Usagef("-p and -r must be 1 or more, or -1 for the server's default")
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				done, f, err := create(ctx, s, c, configs, names)
				if err != nil {
					return err
				}
				if !c.dryRun {
					var names []string
					for _, o := range done {
						names = append(names, o.Name)
					}
					s.Settle(ctx, names...)
				}
				if err := a.PrintOutcomes("TopicCreateResult", "topics", done, sizes...); err != nil {
					return err
				}
				if len(done) > 0 && !c.dryRun {
					a.Next("`echo hello | ottla produce %[1]s%[2]s` writes a record, `ottla topic describe %[1]s%[2]s` shows the topic", done[0].Name, a.Again())
				}
				return f.Or()
			})
		},
	}
	f := cmd.Flags()
	f.Int32VarP(&c.partitions, "partitions", "p", -1, "number of partitions; -1 is the server's num.partitions")
	f.Int16VarP(&c.replication, "replicas", "r", -1, "replicas of each partition; -1 is the server's default.replication.factor")
	command.AlsoCalled(cmd, "replicas", "replication-factor")
	f.StringArrayVarP(&c.configs, "config", "c", nil, "a configuration of the topic, `KEY=VALUE` (may be repeated)")
	command.CompleteConfigs(cmd, "config", config.TopicResource)
	f.BoolVar(&c.ifNotExists, "if-not-exists", false, "succeed when the topic is there already, whatever it looks like")
	f.BoolVar(&c.dryRun, "dry-run", false, "have the server check everything and create nothing")
	return a.Prints(cmd, command.ListOf[command.Outcome]("TopicCreateResult", "topics"))
}

func parseConfigs(given []string) (map[string]*string, error) {
	configs := map[string]*string{}
	for _, g := range given {
		key, value, ok := strings.Cut(g, "=")
		if !ok || key == "" {
			return nil, command.Usagef("-c %s: want KEY=VALUE", g)
		}
		if _, twice := configs[key]; twice {
			return nil, command.Usagef("-c %s is given twice", key)
		}
		configs[key] = &value
	}
	return configs, nil
}

func create(ctx context.Context, s *command.Server, c creation, configs map[string]*string, names []string) ([]command.Outcome, *command.Failures, error) {
	do, result := s.Admin.CreateTopics, "created"
	if c.dryRun {
		do, result = s.Admin.ValidateCreateTopics, "would be created"
	}
	responses, err := do(ctx, c.partitions, c.replication, configs, names...)
	if err != nil {
		return nil, nil, s.Undecided("create topic "+command.Quoted(names), err)
	}
	var done []command.Outcome
	var f command.Failures
	for _, name := range names {
		r, ok := responses[name]
		switch {
		case !ok:
			r.Err = command.ErrNotMentioned
			fallthrough
		case r.Err != nil && !(c.ifNotExists && errors.Is(r.Err, kerr.TopicAlreadyExists)):
			f.Add(s.ConfigFailed(fmt.Sprintf("create topic %q", name), command.Answered(r.Err, r.ErrMessage), slices.Collect(maps.Keys(configs))))
		case r.Err != nil:
			done = append(done, command.Outcome{Name: name, Result: "exists"})
		default:
			done = append(done, created(r, result))
		}
	}
	f.Done = len(done)
	return done, &f, nil
}

func created(r kadm.CreateTopicResponse, result string) command.Outcome {
	o := command.Outcome{Name: r.Topic, Result: result, Partitions: int(r.NumPartitions), Replication: int(r.ReplicationFactor)}
	if id := kafka.UUID(r.ID); !id.IsZero() {
		o.ID = id.String()
	}
	return o
}
