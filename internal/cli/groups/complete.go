package groups

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// completeGroups offers the server's groups that are not on the line yet.
func completeGroups(a *command.App) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *command.Server) (names []string, err error) {
			all, err := groups(ctx, s)
			for _, g := range all {
				names = append(names, g.Name)
			}
			return names, err
		})
	}
}
