package records

import (
	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// Command is `ottla record`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{Use: "record", Short: "Get, search, replay and copy records"},
		recordGet(a), recordSearch(a), recordReplay(a), recordCopy(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}
