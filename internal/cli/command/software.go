package command

import (
	"runtime"
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

// Software is what this binary is, and what it was made with.
type Software struct {
	Ottla    string `json:"ottla"`
	Kafka    string `json:"kafka"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Versions is what this binary is.
func Versions() Software {
	return Software{SoftwareVersion(), KafkaVersion, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}
