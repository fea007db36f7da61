package assignor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// What Apache Kafka's own assignors made of the same groups: test/golden/Assignments.java wrote the file.
func TestAsKafka(t *testing.T) {
	file, err := os.ReadFile("testdata/kafka.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(strings.TrimSpace(string(file)), "\n\n")
	for i, text := range cases {
		name, g, want := parseCase(t, text)
		got := describe(g, Named(name)(g))
		if got != want {
			t.Errorf("case %d\n%s\ngot:\n%s", i, text, got)
		}
	}
	if len(cases) < 400 {
		t.Errorf("only %d cases", len(cases))
	}
}

// topicID is the id of the goldens' topic n.
func topicID(n int) kafka.TopicID { return kafka.TopicID{14: byte(n >> 8), 15: byte(n)} }

func parseCase(t *testing.T, text string) (name string, g *Group, want string) {
	t.Helper()
	sizes := map[kafka.TopicID]int{}
	g = &Group{Partitions: func(id kafka.TopicID) int { return sizes[id] }}
	var results strings.Builder
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch words[0] {
		case "topics":
			for _, word := range words[1:] {
				id, n, _ := strings.Cut(word, ":")
				sizes[topicID(number(t, id))] = number(t, n)
			}
		case "member":
			m := Member{ID: words[1], Target: parseAssignment(t, words[4])}
			if words[2] != "null" {
				m.InstanceID = &words[2]
			}
			for _, id := range numbers(t, words[3]) {
				m.Topics = append(m.Topics, topicID(int(id)))
			}
			g.Members = append(g.Members, m)
		case "=":
			results.WriteString(line)
		default:
			name, g.Alike = words[0], words[1] == "alike"
		}
	}
	return name, g, strings.TrimSpace(results.String())
}

func parseAssignment(t *testing.T, text string) Assignment {
	t.Helper()
	if text == "-" {
		return nil
	}
	var a Assignment
	for part := range strings.SplitSeq(text, ";") {
		id, partitions, _ := strings.Cut(part, ":")
		a = append(a, Topic{ID: topicID(number(t, id)), Partitions: numbers(t, partitions)})
	}
	return a
}

func numbers(t *testing.T, text string) []int32 {
	t.Helper()
	var all []int32
	for word := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
		if word != "" {
			all = append(all, int32(number(t, word)))
		}
	}
	return all
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func describe(g *Group, result []Assignment) string {
	var lines []string
	for i := range g.Members {
		var topics []string
		for _, topic := range result[i] {
			partitions := strings.ReplaceAll(fmt.Sprint(topic.Partitions), " ", ",")
			topics = append(topics, fmt.Sprintf("%d:%s", int(topic.ID[14])<<8|int(topic.ID[15]), partitions))
		}
		if topics == nil {
			topics = []string{"-"}
		}
		lines = append(lines, fmt.Sprintf("= %s %s", g.Members[i].ID, strings.Join(topics, ";")))
	}
	return strings.Join(lines, "\n")
}
