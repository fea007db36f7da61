package topics

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/config"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/records"
)

func topicClone(a *command.App) *cobra.Command {
	var c creation
	var withRecords bool
	copying := records.NewCopying("clone", "copied")
	cmd := &cobra.Command{
		Use:   "clone FROM TO",
		Short: "Create a topic with the partitions and the settings of another one, and its records if you like",
		Long: "Create a topic with the partitions and the settings of another one. --records copies its records too, with their keys, headers,\n" +
			"times and partitions. Offsets are not promised to be equal: those of a topic that was trimmed, compacted or written in\n" +
			"transactions have gaps, those of the new one do not.",
		Example: "  ottla topic clone orders orders-test --records\n" +
			"  ottla topic clone orders orders --to-server staging:9092 -p 12",
		Args:              command.Args(2, 2, "FROM and TO"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			copying.From, copying.To = args[0], args[1]
			if err := copying.Parse(a.World.Now()); err != nil {
				return err
			}
			changed, err := parseConfigs(c.configs)
			if err != nil {
				return err
			}
			if c.partitions < -1 || c.partitions == 0 || c.replication < -1 || c.replication == 0 {
				return command.Usagef("-p and -r must be 1 or more")
			}
			return clone(cmd.Context(), a, c, copying, changed, withRecords)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&withRecords, "records", false, "copy the records too")
	f.StringVar(&copying.ToServer, "to-server", "", "where TO is to be, `HOST:PORT,...`; else where FROM is")
	f.Int32VarP(&c.partitions, "partitions", "p", -1, "number of partitions (default as FROM); the key chooses the partition then")
	f.Int16VarP(&c.replication, "replicas", "r", -1, "replicas of each partition (default as FROM)")
	f.StringArrayVarP(&c.configs, "config", "c", nil, "a setting other than that of FROM, `KEY=VALUE` (may be repeated)")
	f.BoolVar(&c.dryRun, "dry-run", false, "have the server check everything and create nothing")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	copying.SpeedFlags(cmd)
	command.CompleteConfigs(cmd, "config", config.TopicResource)
	return a.Prints(cmd, command.ListOf[command.Outcome]("TopicCreateResult", "topics"), records.Prints())
}

func clone(ctx context.Context, a *command.App, c creation, copying *records.Copying, changed map[string]*string, withRecords bool) error {
	var model description
	err := a.WithServer(ctx, func(ctx context.Context, s *command.Server) error {
		found, f, err := s.NamedTopics(ctx, "clone", []string{copying.From})
		if err != nil {
			return err
		}
		if err := f.Or(); err != nil {
			return err
		}
		all, err := describeTopics(ctx, s, found)
		if err == nil {
			model = all[0]
		}
		return err
	})
	if err != nil {
		return err
	}
	copying.Repartition = c.partitions > 0 && int(c.partitions) != len(model.Partitions)
	if c.partitions < 0 {
		c.partitions = int32(len(model.Partitions))
	}
	if c.replication < 0 {
		c.replication = int16(model.Replication)
	}
	done, err := createLike(ctx, a, c, copying, model, changed)
	if err != nil || !withRecords || c.dryRun {
		if perr := a.PrintOutcomes("TopicCreateResult", "topics", done, sizes...); err == nil {
			err = perr
		}
		return err
	}
	a.Notice("created topic %q: %s", copying.To, command.Count(int64(c.partitions), "partition"))
	return copying.Run(ctx, a, nil)
}

// createLike makes the topic, where it is to be.
func createLike(ctx context.Context, a *command.App, c creation, copying *records.Copying, model description, changed map[string]*string) ([]command.Outcome, error) {
	configs := map[string]*string{}
	for key, value := range model.Configs {
		if !strings.HasSuffix(key, ".replication.throttled.replicas") { // these name brokers and partitions
			configs[key] = &value
		}
	}
	for key, value := range changed {
		configs[key] = value
	}
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	connect := a.Connect
	if copying.ToServer != "" {
		connect = a.ConnectElsewhere(copying.ToServer)
	}
	s, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	done, f, err := create(ctx, s, c, configs, []string{copying.To})
	if err == nil {
		err = f.Or()
	}
	if err != nil {
		return nil, err
	}
	if len(done) != 1 {
		return nil, fmt.Errorf("create topic %q: %w", copying.To, command.ErrNotMentioned)
	}
	if !c.dryRun {
		s.Settle(ctx, copying.To)
	}
	return done, nil
}
