package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

//go:generate go test -run ^TestReferenceIsFresh$ . -write-reference

var writeReference = flag.Bool("write-reference", false, "write docs/operate/configuration.md instead of comparing it")

// TestReferenceIsFresh holds the reference page to the tables.
func TestReferenceIsFresh(t *testing.T) {
	const page = "../../docs/operate/configuration.md"
	if *writeReference {
		if err := os.WriteFile(page, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != Reference() {
		t.Errorf("%s is stale: go generate ./internal/config", page)
	}
}

// TestExample loads the example, which a start must take without a warning.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/server.properties")
	if err != nil {
		t.Fatal(err)
	}
	n, err := Load("server.properties", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Warnings) > 0 {
		t.Errorf("warnings: %s", strings.Join(n.Warnings, "\n"))
	}
	if !n.Broker || !n.Controller || n.Advertised[0].String() != "PLAINTEXT://localhost:9092" {
		t.Errorf("got %+v", n)
	}
	if got := n.Sources.Int("offsets.topic.replication.factor"); got != 1 {
		t.Errorf("one node can't have %d replicas of __consumer_offsets: no group would work", got)
	}
	// What is commented out must work as well.
	all := strings.ReplaceAll(string(text), "\n#", "\n")
	var lines []string
	for line := range strings.Lines(all) {
		if key, _, ok := strings.Cut(line, "="); ok && !strings.Contains(key, " ") {
			lines = append(lines, line)
		}
	}
	if _, err := Load("server.properties", []byte(strings.Join(lines, "")), nil); err != nil {
		t.Error(err)
	}
}
