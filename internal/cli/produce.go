package cli

import "github.com/spf13/cobra"

func (a *app) produceCommand() *cobra.Command {
	return &cobra.Command{Use: "produce TOPIC"}
}
