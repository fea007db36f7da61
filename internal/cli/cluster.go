package cli

import "github.com/spf13/cobra"

func (a *app) clusterCommand() *cobra.Command {
	return &cobra.Command{Use: "cluster"}
}
