package cli

import "github.com/spf13/cobra"

func (a *app) consumeCommand() *cobra.Command {
	return &cobra.Command{Use: "consume TOPIC..."}
}
