package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/kafka"
)

// KafkaVersion is the release of Apache Kafka whose behaviour this build follows.
const KafkaVersion = kafka.Release

// softwareVersion is the module's version, or the commit that it was built from.
func softwareVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

type versions struct {
	Ottla    string `json:"ottla"`
	Kafka    string `json:"kafka"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Args:  want(0, 0, "no arguments"),
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
	a.outputFlags(cmd.Flags())
	return cmd
}

func (a *app) printVersion() error {
	v := versions{softwareVersion(), KafkaVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if a.output.value != "table" {
		return a.object("Version", v)
	}
	_, err := fmt.Fprintf(a.out, "ottla %s (Apache Kafka %s, %s, %s)\n", v.Ottla, v.Kafka, v.Go, v.Platform)
	return err
}
