package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

type versions struct {
	Ottla    string `json:"ottla"`
	Kafka    string `json:"kafka"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Args:  command.Args(0, 0, "no arguments"),
		RunE:  func(*cobra.Command, []string) error { return printVersion(a) },
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ObjectOf[versions]("Version"))
}

func printVersion(a *command.App) error {
	v := versions{command.SoftwareVersion(), command.KafkaVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if a.Output.Value != "table" {
		return a.Object("Version", v)
	}
	_, err := fmt.Fprintf(a.Out, "ottla %s (Apache Kafka %s, %s, %s)\n", v.Ottla, v.Kafka, v.Go, v.Platform)
	return err
}
