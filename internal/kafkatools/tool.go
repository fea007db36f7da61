package kafkatools

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Tool is one of Apache's command line tools.
type Tool struct {
	// Name is that of the script, without .sh: kafka-topics.
	Name string
	// Main runs the tool with its arguments (without its name) and returns the exit code.
	Main func(ctx context.Context, w *World, args []string) int
}

// tools are all that this package has. Those that run a server come from above: see [Dispatch].
func tools() []Tool {
	return []Tool{
		{"kafka-topics", topicsMain},
		{"kafka-configs", configsMain},
		{"kafka-client-metrics", clientMetricsMain},
		{"kafka-transactions", transactionsMain},
		{"kafka-get-offsets", getOffsetsMain},
		{"kafka-delete-records", deleteRecordsMain},
		{"kafka-log-dirs", logDirsMain},
		{"kafka-metadata-quorum", metadataQuorumMain},
		{"kafka-features", featuresMain},
		{"kafka-cluster", clusterMain},
		{"kafka-broker-api-versions", apiVersionsMain},
		{"kafka-leader-election", leaderElectionMain},
		{"kafka-reassign-partitions", reassignMain},
		{"kafka-acls", aclsMain},
		{"kafka-consumer-groups", consumerGroups},
		{"kafka-groups", groupsList},
		{"kafka-console-producer", consoleProducer},
		{"kafka-console-consumer", consoleConsumer},
		{"kafka-producer-perf-test", producerPerfTest},
		{"kafka-consumer-perf-test", consumerPerfTest},
		{"kafka-e2e-latency", e2eLatency},
		{"kafka-verifiable-producer", verifiableProducer},
		{"kafka-verifiable-consumer", verifiableConsumer},
		{"kafka-dump-log", dumpLog},
		{"kafka-metadata-shell", metadataShell},
	}
}

// absent are Apache's tools that are not there, and why.
var absent = map[string]string{
	"kafka-delegation-tokens":         "it comes with delegation tokens",
	"kafka-share-groups":              "it comes with share groups",
	"kafka-share-consumer-perf-test":  "it comes with share groups",
	"kafka-console-share-consumer":    "it comes with share groups",
	"kafka-verifiable-share-consumer": "it comes with share groups",
	"kafka-streams-groups":            "it comes with streams groups",
	"kafka-streams-application-reset": "it comes with streams groups",
	"kafka-replica-verification":      "it is not built: `ottla cluster health` says which replicas are behind",
	"kafka-jmx":                       "there is no JVM: the metrics are at /metrics, see docs/operate/metrics.md",
	"kafka-run-class":                 "there is no JVM and no class to run",
}

// compatFlag names the release whose tools are followed; compatVariable does the same for a whole environment.
const (
	compatFlag     = "--compat-version"
	compatVariable = "OTTLA_COMPAT_VERSION"
)

// Dispatch runs the tool that argv asks for: by the name of the program, as a link made by [Link] has it, or by its first
// argument. It reports false when argv asks for none of the tools. More tools than this package has are given as extra.
func Dispatch(ctx context.Context, world func() *World, argv []string, extra ...Tool) (exit int, ran bool) {
	if len(argv) == 0 {
		return 0, false
	}
	name, args := toolName(argv[0]), argv[1:]
	if name == "" && len(args) > 0 {
		if args[0] == linkCommand {
			w := world()
			exit := linkMain(w, args[1:], extra)
			w.flush()
			return exit, true
		}
		name, args = toolName(args[0]), args[1:]
	}
	if name == "" {
		return 0, false
	}
	return run(ctx, world(), name, args, extra), true
}

// toolName is the name of the tool that a path or word stands for, "" when it can be none.
func toolName(word string) string {
	name := strings.TrimSuffix(filepath.Base(word), ".sh")
	if !strings.HasPrefix(name, "kafka-") {
		return ""
	}
	return name
}

func run(ctx context.Context, w *World, name string, args []string, extra []Tool) int {
	defer w.flush()
	all := append(tools(), extra...)
	i := slices.IndexFunc(all, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		why, known := absent[name]
		if !known {
			w.errorln("there is no tool " + name + ": `ottla " + linkCommand + " --list` names all")
			return 1
		}
		w.errorln(name + " is not there yet: " + why)
		return 1
	}
	args, err := w.takeCompat(args)
	if err != nil {
		w.errorln(err)
		return 1
	}
	return all[i].Main(ctx, w, args)
}

// takeCompat takes the release out of the arguments, else out of the environment.
func (w *World) takeCompat(args []string) ([]string, error) {
	given, from := w.Getenv(compatVariable), compatVariable
	rest := slices.Clone(args)
	for i := 0; i < len(rest); i++ {
		name, value, cut := strings.Cut(rest[i], "=")
		if name != compatFlag {
			continue
		}
		n := 1
		if !cut {
			if i+1 == len(rest) {
				return nil, fmt.Errorf("%s needs a release, for example %s %s", compatFlag, compatFlag, Claimed)
			}
			value, n = rest[i+1], 2
		}
		given, from = value, compatFlag
		rest = slices.Delete(rest, i, i+n)
		break
	}
	if given == "" {
		return rest, nil
	}
	r, err := ParseRelease(given)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	w.Compat = r
	return rest, nil
}
