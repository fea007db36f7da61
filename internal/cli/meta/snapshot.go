package meta

import (
	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/inspect"
)

// exported is what `ottla metadata snapshot` has made.
type exported struct {
	File string `json:"file"`
}

func snapshot(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot DIR [TO]",
		Short: "Write the metadata of a cluster into one file",
		Long: "Write the metadata of a cluster, as the data directory DIR of a server has it, into one snapshot in the folder TO, or\n" +
			"here: to keep, to send with a question, to compare, or for `ottla metadata shell` and Apache's kafka-metadata-shell.\n" +
			"Nothing in DIR is changed, and the server may run; what its cluster has not agreed on yet may be in it.",
		Example: "  ottla metadata snapshot ottla-data /var/backups",
		Args:    command.Args(1, 2, "a DIR, and a folder TO"),
		RunE: func(_ *cobra.Command, args []string) error {
			to := "."
			if len(args) > 1 {
				to = args[1]
			}
			file, err := inspect.ExportMetadata(args[0], to, a.World.Now())
			if err != nil {
				return failure("metadata snapshot", err)
			}
			if a.Output.Value == "table" {
				_, err = a.Out.Write([]byte(file + "\n"))
				return err
			}
			return a.Object("Snapshot", exported{file})
		},
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ObjectOf[exported]("Snapshot"))
}
