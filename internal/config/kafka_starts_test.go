package config

import (
	"os"
	"strings"
	"testing"
)

// startDeviations are configurations that we judge otherwise on purpose: what we say, and why.
var startDeviations = map[string]struct{ says, why string }{
	"combined node.id=x": {
		"Invalid value x for configuration node.id: Not a number of type INT", "we name the key that is in the file"},
	"combined listeners=PLAINTEXT://h:-1,CONTROLLER://h:1": {
		"Error creating broker listeners from '[PLAINTEXT://h:-1, CONTROLLER://h:1]': port -1 is not between 0 and 65535",
		"Kafka fails later, when it binds"},
	"combined listeners=PLAINTEXT://h:99999,CONTROLLER://h:1": {
		"Error creating broker listeners from '[PLAINTEXT://h:99999, CONTROLLER://h:1]': port 99999 is not between 0 and 65535",
		"Kafka fails later, when it binds"},
	"combined listener.security.protocol.map=PLAINTEXT": {
		`Error parsing configuration property 'listener.security.protocol.map': "PLAINTEXT" is not NAME:PROTOCOL`, "Kafka names indexes"},
	"combined max.connections.per.ip.overrides=h": {`"h" is not address:number`, "Kafka names indexes"},
}

// TestKafkaStarts loads what testdata/kafka_starts.txt let Apache Kafka load. We say all that is wrong, Kafka the
// first thing: its message must be among ours.
func TestKafkaStarts(t *testing.T) {
	text, err := os.ReadFile("testdata/kafka_starts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		changes, want, ok := strings.Cut(strings.TrimRight(line, "\n"), " => ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		if d, ok := startDeviations[changes]; ok {
			want = d.says
		}
		got := strings.Join(strings.Fields(startAnswer(changes)), " ")
		if want = strings.TrimPrefix(want, "requirement failed: "); !strings.Contains(got, want) || (want == "OK") != (got == "OK") {
			t.Errorf("%s\n  got  %s\n  want %s", changes, got, want)
		}
	}
}

func startAnswer(changes string) string {
	kind, changes, _ := strings.Cut(changes, " ")
	props := map[string]string{
		"process.roles": "broker,controller", "node.id": "1", "controller.quorum.voters": "1@h:9093",
		"listeners": "PLAINTEXT://h:9092,CONTROLLER://h:9093", "controller.listener.names": "CONTROLLER",
	}
	if kind == "broker" {
		props["process.roles"], props["node.id"], props["listeners"] = "broker", "2", "PLAINTEXT://h:9092"
	}
	for _, c := range strings.Split(changes, "; ") {
		if key, gone := strings.CutPrefix(c, "-"); gone {
			delete(props, key)
		} else if key, value, ok := strings.Cut(c, "="); ok {
			props[key] = value
		}
	}
	var b strings.Builder
	for key, value := range props {
		b.WriteString(key + "=" + value + "\n")
	}
	if _, err := Load("f", []byte(b.String()), nil); err != nil {
		return strings.Join(strings.Fields(err.Error()), " ")
	}
	return "OK"
}
