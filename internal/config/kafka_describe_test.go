package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestKafkaDescribe compares every key of every resource with what Apache Kafka describes: that our table has its
// names, types, defaults, scopes and synonyms, no more and no less.
func TestKafkaDescribe(t *testing.T) {
	text, err := os.ReadFile("testdata/kafka_describe.txt")
	if err != nil {
		t.Fatal(err)
	}
	properties, err := os.ReadFile("testdata/kafka_describe.properties")
	if err != nil {
		t.Fatal(err)
	}
	n, err := Load("kafka_describe.properties", properties, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := n.Sources.WithDynamic(map[string]string{"min.insync.replicas": "1"}, nil)
	got := map[string]bool{}
	for resource, entries := range map[string][]Entry{
		"broker": s.DescribeBroker(nil), "topic": s.DescribeTopic(nil, nil), "group": s.DescribeGroup(nil, nil),
		"client-metrics": DescribeClientMetrics(nil, nil),
	} {
		for _, e := range entries {
			got[resource+" "+show(e)] = true
			if e.Doc == "" && e.Type != Unknown {
				t.Errorf("%s %s has no description", resource, e.Name)
			}
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if !got[line] {
			t.Errorf("missing %s", line)
		}
		delete(got, line)
	}
	for line := range got {
		t.Errorf("too much: %s", line)
	}
}

func show(e Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s=%s src=%d ro=%v sens=%v type=%d", e.Name, orNull(e.Value), e.Source, e.ReadOnly, e.Sensitive, e.Type)
	for _, y := range e.Synonyms {
		fmt.Fprintf(&b, " [%s=%s %d]", y.Name, orNull(y.Value), y.Source)
	}
	return b.String()
}

func orNull(v *string) string {
	if v == nil {
		return "(null)"
	}
	return *v
}
