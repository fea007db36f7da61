package clusters

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

func clusterBrokers(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "brokers",
		Short: "List the brokers, and how many partitions each of them leads and holds",
		Args:  command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				c, err := lookAt(ctx, s)
				if err != nil {
					return s.Failed("cluster brokers", err)
				}
				return command.List(a, "BrokerList", "brokers", c.Brokers, brokerColumns)
			})
		},
	}
	return a.Prints(cmd, command.ListOf[broker]("BrokerList", "brokers"))
}
