package command

import (
	"runtime/debug"

	"github.com/ottla/ottla/internal/kafka"
)

// KafkaVersion is the release of Apache Kafka whose behaviour this build follows.
const KafkaVersion = kafka.Release

// SoftwareVersion is the module's version, or the commit that it was built from.
func SoftwareVersion() string {
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
