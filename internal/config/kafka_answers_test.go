package config

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
)

// deviations are questions that we answer otherwise on purpose, with the reason.
var deviations = map[string]string{
	"broker S:listeners=PLAINTEXT://:1":               "listeners don't change at run time here",
	"broker S:listeners=CONTROLLER://127.0.0.1:39521": "listeners don't change at run time here",
	"broker S:log.cleaner.threads=9":                  "there are no cleaner threads whose number could jump",
	"broker S:metric.reporters=foo":                   "Java classes have no effect here",
}

// TestKafkaAnswers asks us what testdata/kafka_answers.txt asked Apache Kafka.
func TestKafkaAnswers(t *testing.T) {
	text, err := os.ReadFile("testdata/kafka_answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := Sources{
		File: map[string]string{
			"log.retention.minutes": "100", "log.roll.hours": "5", "num.partitions": "2", "message.max.bytes": "2000000",
			"group.consumer.session.timeout.ms": "50000", "log.dirs": "/tmp/kafka",
		},
		Cluster: map[string]string{
			"log.roll.ms": "400000", "log.retention.ms": "600000", "message.max.bytes": "4000000", "min.insync.replicas": "1",
		},
	}
	for line := range strings.Lines(string(text)) {
		question, want, ok := strings.Cut(strings.TrimRight(line, "\n"), " => ")
		if strings.HasPrefix(line, "#") || !ok || deviations[question] != "" {
			continue
		}
		if got := answer(s, question); got != want {
			t.Errorf("%s\n  got  %s\n  want %s", question, got, want)
		}
	}
}

// answer sets and deletes as a question says, and judges the result.
func answer(s Sources, question string) string {
	words := strings.Split(question, " ")
	stored := map[string]string{}
	if words[0] == "cluster" {
		stored = s.Cluster
	}
	next := maps.Clone(stored)
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w[2:], "=")
		delete(next, name)
		if w[0] == 'S' {
			next[name] = strings.ReplaceAll(value, "~", " ")
		}
	}
	err := judge(s, words[0], stored, next)
	var e *Error
	switch {
	case err == nil:
		return "OK"
	case !errors.As(err, &e):
		return "not a config.Error: " + err.Error()
	}
	return e.Code.Message + ": " + e.Message
}

func judge(s Sources, resource string, stored, next map[string]string) error {
	switch resource {
	case "topic":
		return s.ValidateTopic(next)
	case "group":
		return s.ValidateGroup(next)
	case "client-metrics":
		return ValidateClientMetrics(next)
	}
	return s.ValidateBroker(stored, next, resource == "cluster")
}
