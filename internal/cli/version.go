package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

func versionCommand(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Args:  command.Args(0, 0, "no arguments"),
		RunE:  func(*cobra.Command, []string) error { return printVersion(a) },
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ObjectOf[command.Software]("Version"))
}

func printVersion(a *command.App) error {
	v := command.Versions()
	if a.Output.Value != "table" {
		return a.Object("Version", v)
	}
	_, err := fmt.Fprintf(a.Out, "ottla %s (Apache Kafka %s, %s, %s)\n", v.Ottla, v.Kafka, v.Go, v.Platform)
	return err
}
