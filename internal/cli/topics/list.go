package topics

import (
	"context"
	"path"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/records"
	"github.com/ottla/ottla/internal/cli/settings"
)

// Command is `ottla topic`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{Use: "topic", Short: "List, describe, create, change and delete topics"},
		topicList(a), topicDescribe(a), topicCreate(a), topicAlter(a), settings.TopicCommand(a), settings.TopicDiff(a),
		records.TailCommand(a), records.ProduceCommand(a), records.ConsumeCommand(a), topicStats(a), topicClone(a), topicTrim(a), topicDelete(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

// Plural is the plural that many type first.
func Plural(a *command.App) *cobra.Command {
	return a.Plural(topicList(a), "topics")
}

// topicRow is a topic in a list.
type topicRow struct {
	Name        string `json:"name"`
	ID          string `json:"id"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replicationFactor"`
	Internal    bool   `json:"internal"`
}

func topicList(a *command.App) *cobra.Command {
	var internal bool
	cmd := &cobra.Command{
		Use:               "list [PATTERN]",
		Aliases:           []string{"ls"},
		Short:             "List topics",
		Long:              "List topics, all or those whose name matches a pattern of the shell's kind, such as 'orders-*'.",
		Args:              command.Args(0, 1, "one PATTERN at most"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			pattern := append(args, "*")[0]
			if _, err := path.Match(pattern, ""); err != nil {
				return command.Usagef("%q is not a pattern", pattern)
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				all, err := s.Topics(ctx)
				if err != nil {
					return s.Failed("list topics", err)
				}
				var rows []topicRow
				for _, t := range all {
					if fits, _ := path.Match(pattern, t.Name); fits && (internal || !t.Internal) {
						rows = append(rows, topicRow{t.Name, t.ID, len(t.Partitions), t.Replication(), t.Internal})
					}
				}
				if len(rows) == 0 {
					a.Next("`ottla topic create NAME%s` makes one", a.Again())
				}
				return command.List(a, "TopicList", "topics", rows, []command.Column[topicRow]{
					{Name: "NAME", Value: func(t topicRow) string { return t.Name }},
					{Name: "PARTITIONS", Value: func(t topicRow) string { return strconv.Itoa(t.Partitions) }, Number: true},
					{Name: "REPLICAS", Value: func(t topicRow) string { return strconv.Itoa(t.Replication) }, Number: true},
				})
			})
		},
	}
	cmd.Flags().BoolVar(&internal, "internal", false, "list the topics of the server itself too")
	return a.Prints(cmd, command.ListOf[topicRow]("TopicList", "topics"))
}
