package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// invocation is one line of the table: a tool and its arguments.
type invocation struct {
	// title is what it is about; tool and title name it, so a tool has no two of the same title.
	title string
	// line is the tool and its arguments, with blanks between; 'one argument' is quoted. $S stands for the options that
	// name the server, $B for its address, $C for its controller's, $F for the folder of files.
	line string
	// stdin is what the tool reads.
	stdin string
	// rules take away what may differ.
	rules []rule
	// silent: what is printed is not compared, only the exit code.
	silent bool
}

// rule replaces what matches by a word.
type rule struct {
	re   *regexp.Regexp
	with string
}

func replace(expr, with string) rule { return rule{regexp.MustCompile(expr), with} }

// anyOrder sorts lines: the tool prints a map of Java whose order is another in each process.
var anyOrder = rule{}

// invocations is the whole table.
func invocations() []invocation { return slices.Concat(admin, clients) }

// reads reports whether the invocation changes nothing: it may be done again. A server may show a change a moment after it has
// acknowledged it.
func (i invocation) reads() bool {
	return strings.Contains(i.line, "describe") || strings.Contains(i.line, "--list") || i.tool() == "kafka-get-offsets"
}

// tool is the first word of the line.
func (i invocation) tool() string {
	name, _, _ := strings.Cut(i.line, " ")
	return name
}

func (i invocation) name() string { return i.tool() + " " + i.title }

// args are the words behind the tool, for one server.
func (i invocation) args(vars map[string]string) ([]string, error) {
	var words []string
	rest := strings.TrimSpace(strings.TrimPrefix(i.line, i.tool()))
	for rest != "" {
		var word string
		if rest[0] == '\'' {
			end := strings.IndexByte(rest[1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("%s: a quote does not end", i.name())
			}
			word, rest = rest[1:end+1], rest[end+2:]
		} else {
			word, rest, _ = strings.Cut(rest, " ")
		}
		if word == "$S" {
			words = append(words, "--bootstrap-server", vars["$B"])
		} else {
			for k, v := range vars {
				word = strings.ReplaceAll(word, k, v)
			}
			words = append(words, word)
		}
		rest = strings.TrimLeft(rest, " ")
	}
	return words, nil
}

// classes are the main classes of Apache's tools.
var classes = map[string]string{
	"kafka-acls":                "org.apache.kafka.tools.AclCommand",
	"kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
	"kafka-client-metrics":      "org.apache.kafka.tools.ClientMetricsCommand",
	"kafka-cluster":             "org.apache.kafka.tools.ClusterTool",
	"kafka-configs":             "kafka.admin.ConfigCommand",
	"kafka-console-consumer":    "org.apache.kafka.tools.consumer.ConsoleConsumer",
	"kafka-console-producer":    "org.apache.kafka.tools.ConsoleProducer",
	"kafka-consumer-groups":     "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
	"kafka-consumer-perf-test":  "org.apache.kafka.tools.ConsumerPerformance",
	"kafka-delete-records":      "org.apache.kafka.tools.DeleteRecordsCommand",
	"kafka-dump-log":            "org.apache.kafka.tools.DumpLogSegments",
	"kafka-e2e-latency":         "org.apache.kafka.tools.EndToEndLatency",
	"kafka-features":            "org.apache.kafka.tools.FeatureCommand",
	"kafka-get-offsets":         "org.apache.kafka.tools.GetOffsetShell",
	"kafka-groups":              "org.apache.kafka.tools.GroupsCommand",
	"kafka-leader-election":     "org.apache.kafka.tools.LeaderElectionCommand",
	"kafka-log-dirs":            "org.apache.kafka.tools.LogDirsCommand",
	"kafka-metadata-quorum":     "org.apache.kafka.tools.MetadataQuorumCommand",
	"kafka-metadata-shell":      "org.apache.kafka.shell.MetadataShell",
	"kafka-producer-perf-test":  "org.apache.kafka.tools.ProducerPerformance",
	"kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
	"kafka-storage":             "kafka.tools.StorageTool",
	"kafka-topics":              "org.apache.kafka.tools.TopicCommand",
	"kafka-transactions":        "org.apache.kafka.tools.TransactionsCommand",
	"kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
	"kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
}
