package moves

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
)

// TestScenarios: a cluster in lines, and what a plan changes of it.
//
//	broker ID [RACK]
//	TOPIC-N REPLICAS [isr=IDS] [leader=ID]     all are in sync, and the first leads, where nothing else is said
//
// The commands are spread [replicas=N], evacuate broker=ID and yield broker=ID.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			brokers, partitions := parse(t, d.Input)
			var id, replicas int
			d.MaybeScanArgs(t, "broker", &id)
			d.MaybeScanArgs(t, "replicas", &replicas)
			var plan []Move
			var stuck []Partition
			var err error
			switch d.Cmd {
			case "spread":
				plan, err = Spread(brokers, partitions, replicas)
			case "evacuate":
				plan, err = Evacuate(brokers, partitions, int32(id))
			case "yield":
				plan, stuck = Yield(brokers, partitions, int32(id))
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			return show(plan, stuck, err)
		})
	})
}

func parse(t *testing.T, input string) (brokers []Broker, partitions []Partition) {
	t.Helper()
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		if words[0] == "broker" {
			brokers = append(brokers, Broker{ID: ids(t, words[1])[0], Rack: strings.Join(words[2:], "")})
			continue
		}
		topic, number, _ := strings.Cut(words[0], "-")
		p := Partition{TopicPartition: kafka.TopicPartition{Topic: topic, Partition: ids(t, number)[0]}, Replicas: ids(t, words[1])}
		p.ISR, p.Leader = p.Replicas, p.Replicas[0]
		for _, word := range words[2:] {
			switch key, value, _ := strings.Cut(word, "="); key {
			case "isr":
				p.ISR = ids(t, value)
			case "leader":
				p.Leader = ids(t, value)[0]
			default:
				t.Fatalf("unknown word %q", word)
			}
		}
		partitions = append(partitions, p)
	}
	return brokers, partitions
}

func ids(t *testing.T, list string) []int32 {
	t.Helper()
	var all []int32
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, int32(n))
	}
	return all
}

func show(plan []Move, stuck []Partition, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, m := range plan {
		fmt.Fprintf(&b, "%s %v -> %v", m.TopicPartition, m.Replicas, m.To)
		if len(m.Adding()) > 0 {
			fmt.Fprintf(&b, " adds %v", m.Adding())
		}
		if len(m.Removing()) > 0 {
			fmt.Fprintf(&b, " removes %v", m.Removing())
		}
		b.WriteString("\n")
	}
	for _, p := range stuck {
		fmt.Fprintf(&b, "%s is stuck\n", p.TopicPartition)
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

func TestTooFewNamesThePartition(t *testing.T) {
	brokers, partitions := parse(t, "broker 1\nbroker 2\nt-0 1,2\nt-1 1,2,3")
	var few *TooFew
	if _, err := Spread(brokers, partitions, 0); !errors.As(err, &few) || few.Partition.Partition != 1 || few.Replicas != 3 || few.Brokers != 2 {
		t.Errorf("got %v", err)
	}
	if _, err := Evacuate(brokers, partitions, 3); !errors.As(err, &few) || few.Partition.Partition != 1 {
		t.Errorf("got %v", err)
	}
}
