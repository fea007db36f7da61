package kafkatools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const leaderElectionAbout = "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are preferred replicas and unclean replicas."

// electionTypes are the types of elections, by their number in the protocol.
var electionTypes = []string{"PREFERRED", "UNCLEAN"}

// leaderElectionTool is kafka-leader-election.
type leaderElectionTool struct {
	joptTool
	w   *World
	set *jopt.Set

	file, topic, partition, all, kind *jopt.Option
}

func leaderElectionMain(ctx context.Context, w *World, args []string) int {
	t := &leaderElectionTool{joptTool: newJoptTool([]string{"admin.config"}, nil), w: w}
	t.file = t.Accepts("path-to-json-file", `A JSON file: {"partitions": [{"topic": "foo", "partition": 1}]}.`).Arg("String: Path to JSON file")
	t.topic = t.Accepts("topic", "The topic of one partition.").Arg("String: topic name")
	t.partition = t.Accepts("partition", "The partition of the topic.").Arg("Integer: partition id")
	t.all = t.Accepts("all-topic-partitions", "All partitions that can have an election of that type.")
	t.kind = t.Accepts("election-type", "preferred: the first replica is to lead. unclean: a partition without a leader gets one, whatever is lost by that.").Arg("[PREFERRED|UNCLEAN]: election type")
	var err error
	if t.set, err = t.Parse(args); err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, t.set, leaderElectionAbout); done {
		return exit
	}
	if err := t.run(ctx); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *leaderElectionTool) run(ctx context.Context) error {
	s, err := t.settings(t.set)
	if err != nil {
		return err
	}
	var missing []string
	if s[bootstrapServers] == "" {
		missing = append(missing, "bootstrap-server")
	}
	if !t.set.Has(t.kind) {
		missing = append(missing, "election-type")
	}
	switch {
	case missing != nil:
		return errors.New("Missing required option(s): " + strings.Join(missing, ", "))
	case t.set.Count(t.topic, t.all, t.file) != 1:
		return errors.New("One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file")
	case t.set.Has(t.topic) && !t.set.Has(t.partition):
		return errors.New("Missing required option(s): partition")
	case !t.set.Has(t.topic) && t.set.Has(t.partition):
		return errors.New("Option partition is only allowed if topic is used")
	}
	word, err := t.set.Value(t.kind)
	if err != nil {
		return err
	}
	kind := slices.Index(electionTypes, strings.ToUpper(word))
	if kind < 0 {
		return errors.New("Cannot parse argument '" + word + "' of option election-type")
	}
	partitions, err := t.partitions()
	if err != nil {
		return err
	}
	if t.set.Has(t.configs[1]) {
		t.w.println("Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.")
	}
	c, err := open(s)
	if err != nil {
		return err
	}
	defer c.Close()
	return t.elect(ctx, c, kind, partitions)
}

// partitions are those of the command line; nil is all of them.
func (t *leaderElectionTool) partitions() ([]kafka.TopicPartition, error) {
	switch {
	case t.set.Has(t.all):
		return nil, nil
	case t.set.Has(t.topic):
		topic, err := t.set.Value(t.topic)
		if err != nil {
			return nil, err
		}
		p, err := t.set.Int(t.partition, 32)
		return []kafka.TopicPartition{{Topic: topic, Partition: int32(p)}}, err
	}
	name, err := t.set.Value(t.file)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseElections(text)
}

// parseElections reads the file of kafka-leader-election.
func parseElections(text []byte) ([]kafka.TopicPartition, error) {
	var f struct {
		Partitions *[]struct {
			Topic     *string `json:"topic"`
			Partition *int32  `json:"partition"`
		} `json:"partitions"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, errors.New("Replica election data is empty")
	}
	if f.Partitions == nil {
		return nil, errors.New(`Replica election data is missing "partitions" field`)
	}
	all := []kafka.TopicPartition{}
	for _, p := range *f.Partitions {
		if p.Topic == nil || p.Partition == nil {
			return nil, errors.New("each partition needs topic and partition")
		}
		tp := kafka.TopicPartition{Topic: *p.Topic, Partition: *p.Partition}
		if slices.Contains(all, tp) {
			return nil, fmt.Errorf("Replica election data contains duplicate partitions: [%s]", tp)
		}
		all = append(all, tp)
	}
	return all, nil
}

// elect prints which elections there were, which were not needed, and which failed.
func (t *leaderElectionTool) elect(ctx context.Context, c *client, kind int, partitions []kafka.TopicPartition) error {
	req := kmsg.NewPtrElectLeadersRequest()
	req.TimeoutMillis, req.ElectionType = c.timeoutMillis(), int8(kind)
	for _, p := range partitions {
		topic := kmsg.NewElectLeadersRequestTopic()
		topic.Topic, topic.Partitions = p.Topic, []int32{p.Partition}
		req.Topics = append(req.Topics, topic)
	}
	resp, err := ask[*kmsg.ElectLeadersResponse](ctx, c, "electLeaders", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, nil)
	}
	switch {
	case isCode(err, kerr.RequestTimedOut):
		t.w.println("Timeout waiting for election results")
		return err
	case isCode(err, kerr.ClusterAuthorizationFailed):
		t.w.println("Not authorized to perform leader election")
		return err
	case err != nil:
		return err
	}
	var elected, valid, lost []kafka.TopicPartition
	why := map[kafka.TopicPartition]error{}
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			tp := kafka.TopicPartition{Topic: topic.Topic, Partition: p.Partition}
			switch why[tp] = javaCode(p.ErrorCode, p.ErrorMessage); {
			case why[tp] == nil:
				elected = append(elected, tp)
			case isCode(why[tp], kerr.ElectionNotNeeded):
				valid = append(valid, tp)
			default:
				lost = append(lost, tp)
			}
		}
	}
	if elected != nil {
		t.w.printf("Successfully completed leader election (%s) for partitions %s\n", electionTypes[kind], partitionNames(elected))
	}
	if valid != nil {
		t.w.println("Valid replica already elected for partitions " + partitionNames(valid))
	}
	for _, tp := range java.HashOrder(lost, hashPartition) {
		t.w.printf("Error completing leader election (%s) for partition: %s: %s\n", electionTypes[kind], tp, javaFull(why[tp]))
	}
	if lost != nil {
		return fmt.Errorf("%d replica(s) could not be elected", len(lost))
	}
	return nil
}

// partitionNames names partitions in the order of Java's set of them.
func partitionNames(all []kafka.TopicPartition) string {
	var words []string
	for _, tp := range java.HashOrder(all, hashPartition) {
		words = append(words, tp.String())
	}
	return strings.Join(words, ", ")
}
