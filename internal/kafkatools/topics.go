package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const (
	topicsAbout  = "This tool helps to create, delete, describe, or change a topic."
	topicsAction = "Command must include exactly one action: --list, --describe, --create, --alter or --delete"
	useConfigs   = " (To alter topic configurations, the kafka-configs tool can be used.)"
)

// topicsTool is kafka-topics.
type topicsTool struct {
	joptTool
	w   *World
	set *jopt.Set
	c   *client

	list, create, remove, alter, describe     *jopt.Option
	topic, id, config, deleteConfig           *jopt.Option
	partitions, factor, assignment            *jopt.Option
	underReplicated, unavailable, overridden  *jopt.Option
	underMin, atMin                           *jopt.Option
	ifExists, ifNotExists, noInternal, perAsk *jopt.Option
}

func newTopicsTool(w *World) *topicsTool {
	t := &topicsTool{joptTool: newJoptTool(nil, nil), w: w}
	t.list = t.Accepts("list", "List all topics.")
	t.create = t.Accepts("create", "Create a topic.")
	t.remove = t.Accepts("delete", "Delete topics.")
	t.alter = t.Accepts("alter", "Raise the number of partitions."+useConfigs)
	t.describe = t.Accepts("describe", "Show the details of topics.")
	t.topic = t.Accepts("topic", "The topic; except for --create also a regular expression.").Arg("String: topic")
	t.id = t.Accepts("topic-id", "The id of the topic to describe.").Arg("String: topic-id")
	t.config = t.Accepts("config", "A configuration of the topic to create."+useConfigs).Arg("String: name=value")
	t.deleteConfig = t.Accepts("delete-config", "No longer supported.").Arg("String: name")
	t.partitions = t.Accepts("partitions", "The number of partitions. Records with a key find their partition by it: raising it moves keys.").Arg("Integer: # of partitions")
	t.factor = t.Accepts("replication-factor", "The number of replicas of each partition of the topic to create.").Arg("Integer: replication factor")
	t.assignment = t.Accepts("replica-assignment", "Nodes of each partition: those of one partition with : between, partitions with comma.").Arg("String: assignment")
	t.underReplicated = t.Accepts("under-replicated-partitions", "Describe only partitions with replicas that are not in sync.")
	t.unavailable = t.Accepts("unavailable-partitions", "Describe only partitions whose leader is not available.")
	t.underMin = t.Accepts("under-min-isr-partitions", "Describe only partitions with fewer replicas in sync than min.insync.replicas.")
	t.atMin = t.Accepts("at-min-isr-partitions", "Describe only partitions with just min.insync.replicas replicas in sync.")
	t.overridden = t.Accepts("topics-with-overrides", "Describe only topics with configurations of their own.")
	t.ifExists = t.Accepts("if-exists", "Alter, delete or describe nothing, rather than fail, when there is no such topic.")
	t.ifNotExists = t.Accepts("if-not-exists", "Do not fail when the topic to create exists.")
	t.noInternal = t.Accepts("exclude-internal", "Leave out internal topics from --list and --describe.")
	t.perAsk = t.Accepts("partition-size-limit-per-response", "The most partitions that one answer may describe.").Arg("Integer: partitions")
	return t
}

func topicsMain(ctx context.Context, w *World, args []string) int {
	t := newTopicsTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, t.set, topicsAbout); done {
		return exit
	}
	if err := t.check(); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	all, err := t.settings(t.set)
	if err == nil && all[bootstrapServers] == "" {
		err = errors.New("--bootstrap-server must be specified")
	}
	if err == nil {
		t.c, err = open(all)
	}
	if err != nil {
		w.errorln(err)
		return 1
	}
	defer t.c.Close()
	if err := t.act(ctx); err != nil {
		w.println("Error while executing topic command : " + err.Error())
		return 1
	}
	return 0
}

func (t *topicsTool) act(ctx context.Context) error {
	switch {
	case t.set.Has(t.create):
		return t.createTopic(ctx)
	case t.set.Has(t.alter):
		return t.alterTopics(ctx)
	case t.set.Has(t.list):
		topics, err := t.matching(ctx)
		if err != nil {
			return err
		}
		t.w.println(strings.Join(names(topics), "\n"))
		return nil
	case t.set.Has(t.describe):
		return t.describeTopics(ctx)
	default:
		return t.deleteTopics(ctx)
	}
}

func (t *topicsTool) check() error {
	s := t.set
	if s.Count(t.list, t.create, t.alter, t.describe, t.remove) != 1 {
		return jopt.Error(topicsAction)
	}
	if s.Has(t.deleteConfig) {
		t.w.errorln("delete-config is not supported since 4.0 and does nothing")
	}
	if s.Has(t.describe) && s.Has(t.ifExists) {
		if s.Count(t.topic, t.id) == 0 {
			return jopt.Error("--topic or --topic-id is required to describe a topic")
		}
		if s.Count(t.topic, t.id) == 2 {
			t.w.println("Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID")
		}
	}
	if !s.Has(t.list) && !s.Has(t.describe) {
		if err := s.CheckRequired(t.topic); err != nil {
			return err
		}
	}
	if s.Has(t.alter) {
		if err := s.CheckInvalidSet([]*jopt.Option{t.config}, []*jopt.Option{t.alter}, useConfigs); err != nil {
			return err
		}
		if err := s.CheckRequired(t.partitions); err != nil {
			return err
		}
	}
	return t.checkInvalid()
}

// checkInvalid refuses options with an action that they do not belong to.
func (t *topicsTool) checkInvalid() error {
	actions := []*jopt.Option{t.alter, t.create, t.describe, t.list, t.remove}
	for _, rule := range []struct {
		used *jopt.Option
		with []*jopt.Option // the actions that take it
		not  []*jopt.Option // other options that exclude it
	}{
		{t.config, []*jopt.Option{t.alter, t.create}, nil},
		{t.partitions, []*jopt.Option{t.alter, t.create}, nil},
		{t.factor, []*jopt.Option{t.create}, nil},
		{t.assignment, []*jopt.Option{t.alter, t.create}, nil},
		{t.underReplicated, []*jopt.Option{t.describe}, []*jopt.Option{t.overridden}},
		{t.underMin, []*jopt.Option{t.describe}, []*jopt.Option{t.overridden}},
		{t.atMin, []*jopt.Option{t.describe}, []*jopt.Option{t.overridden}},
		{t.unavailable, []*jopt.Option{t.describe}, []*jopt.Option{t.overridden}},
		{t.overridden, []*jopt.Option{t.describe}, []*jopt.Option{t.underReplicated, t.underMin, t.atMin, t.unavailable}},
		{t.ifExists, []*jopt.Option{t.alter, t.remove, t.describe}, nil},
		{t.ifNotExists, []*jopt.Option{t.create}, nil},
		{t.noInternal, []*jopt.Option{t.list, t.describe}, nil},
	} {
		others := rule.not
		for _, a := range actions {
			if !slices.Contains(rule.with, a) {
				others = append(others, a)
			}
		}
		if err := t.set.CheckInvalid(rule.used, others...); err != nil {
			return err
		}
	}
	if t.set.Has(t.create) {
		return t.set.CheckInvalid(t.assignment, t.partitions, t.factor)
	}
	return nil
}

// matching are the topics that --topic and --exclude-internal leave, sorted by name.
func (t *topicsTool) matching(ctx context.Context) ([]listed, error) {
	all, err := t.c.topics(ctx)
	if err != nil {
		return nil, err
	}
	keep := func(string) bool { return true }
	if t.set.Has(t.topic) {
		include, err := t.set.Value(t.topic)
		if err != nil {
			return nil, err
		}
		if keep, err = topicFilter(include); err != nil {
			return nil, err
		}
	}
	hidden := t.set.Has(t.noInternal)
	return slices.DeleteFunc(all, func(l listed) bool {
		return !keep(l.name) || hidden && (l.internal || kafka.IsInternal(l.name))
	}), nil
}

// mustExist fails when a topic was asked for by name and none was found.
func (t *topicsTool) mustExist(found []listed) error {
	name, err := t.set.Value(t.topic)
	if err != nil || name == "" || t.set.Has(t.ifExists) || len(found) > 0 {
		return err
	}
	return fmt.Errorf("Topic '%s' does not exist as expected", name)
}

// newTopic is what --create and --alter are told of a topic.
type newTopic struct {
	partitions, factor int64
	assignment         [][]int32
	configs            []kmsg.CreateTopicsRequestTopicConfig
}

func (t *topicsTool) newTopic() (newTopic, error) {
	var n newTopic
	var err error
	if n.partitions, err = t.set.Int(t.partitions, 32); err != nil {
		return n, err
	}
	if n.factor, err = t.set.Int(t.factor, 32); err != nil {
		return n, err
	}
	assignment, err := t.set.Value(t.assignment)
	if err != nil {
		return n, err
	}
	if assignment != "" {
		if n.assignment, err = parseAssignment(assignment); err != nil {
			return n, err
		}
	}
	for _, word := range t.set.Values(t.config) {
		key, value, ok := strings.Cut(word, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || value == "" || strings.Contains(value, "=") {
			return n, errors.New("requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".")
		}
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = key, kmsg.StringPtr(value)
		n.configs = append(n.configs, c)
	}
	return n, nil
}

// parseAssignment reads 1:2,2:3, the replicas of partitions 0 and 1.
func parseAssignment(s string) ([][]int32, error) {
	var all [][]int32
	for i, part := range strings.Split(s, ",") {
		var nodes, twice []int32
		for word := range strings.SplitSeq(part, ":") {
			n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("For input string: %q", strings.TrimSpace(word))
			}
			if slices.Contains(nodes, int32(n)) {
				twice = append(twice, int32(n))
			}
			nodes = append(nodes, int32(n))
		}
		if twice != nil {
			return nil, errors.New("Partition replica lists may not contain duplicate entries: " + joinInts(twice, ","))
		}
		all = append(all, nodes)
		if len(nodes) != len(all[0]) {
			return nil, fmt.Errorf("Partition %d has different replication factor: [%s]", i, joinInts(nodes, ", "))
		}
	}
	return all, nil
}

func (t *topicsTool) createTopic(ctx context.Context) error {
	name, err := t.set.Value(t.topic)
	if err != nil {
		return err
	}
	n, err := t.newTopic()
	if err != nil {
		return err
	}
	if strings.ContainsAny(name, "._") {
		t.w.println("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.")
	}
	switch {
	case t.set.Has(t.factor) && (n.factor < 1 || n.factor > 1<<15-1):
		return errors.New("The replication factor must be between 1 and 32767 inclusive")
	case t.set.Has(t.partitions) && n.partitions < 1:
		return errors.New("The partitions must be greater than 0")
	case name == "":
		return errors.New("The given topic name '' cannot be represented in a request.")
	}
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor, topic.Configs = name, -1, -1, n.configs
	if n.partitions > 0 {
		topic.NumPartitions = int32(n.partitions)
	}
	if n.factor > 0 {
		topic.ReplicationFactor = int16(n.factor)
	}
	for i, nodes := range n.assignment {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), nodes
		topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = t.c.timeoutMillis(), []kmsg.CreateTopicsRequestTopic{topic}
	resp, err := ask[*kmsg.CreateTopicsResponse](ctx, t.c, "createTopics", req)
	if err != nil {
		return err
	}
	if len(resp.Topics) != 1 {
		return fmt.Errorf("The server response did not contain a result for topic %s", name)
	}
	err = javaCode(resp.Topics[0].ErrorCode, resp.Topics[0].ErrorMessage)
	if isCode(err, kerr.TopicAlreadyExists) && t.set.Has(t.ifNotExists) {
		return nil
	}
	if err != nil {
		return err
	}
	t.w.println("Created topic " + name + ".")
	return nil
}

func (t *topicsTool) deleteTopics(ctx context.Context) error {
	found, err := t.matching(ctx)
	if err != nil {
		return err
	}
	if err := t.mustExist(found); err != nil || len(found) == 0 {
		return err
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = t.c.timeoutMillis()
	req.TopicNames = names(found)
	for _, f := range found {
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = kmsg.StringPtr(f.name)
		req.Topics = append(req.Topics, topic)
	}
	resp, err := ask[*kmsg.DeleteTopicsResponse](ctx, t.c, "deleteTopics", req)
	if err != nil {
		return err
	}
	for _, topic := range resp.Topics {
		if err := javaCode(topic.ErrorCode, topic.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

func (t *topicsTool) alterTopics(ctx context.Context) error {
	n, err := t.newTopic()
	if err != nil {
		return err
	}
	found, err := t.matching(ctx)
	if err != nil {
		return err
	}
	if err := t.mustExist(found); err != nil || len(found) == 0 {
		return err
	}
	counts := map[string]int{}
	if n.assignment != nil {
		described, err := t.c.describeByName(ctx, names(found), defaultPerAsk)
		if err != nil {
			return err
		}
		for _, d := range described {
			counts[d.name] = len(d.partitions)
		}
	}
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = t.c.timeoutMillis()
	for _, f := range found {
		topic := kmsg.NewCreatePartitionsRequestTopic()
		topic.Topic, topic.Count = f.name, int32(n.partitions)
		for _, nodes := range n.assignment[min(counts[f.name], len(n.assignment)):] {
			a := kmsg.NewCreatePartitionsRequestTopicAssignment()
			a.Replicas = nodes
			topic.Assignment = append(topic.Assignment, a)
		}
		req.Topics = append(req.Topics, topic)
	}
	resp, err := ask[*kmsg.CreatePartitionsResponse](ctx, t.c, "createPartitions", req)
	if err != nil {
		return err
	}
	for _, topic := range resp.Topics {
		if err := javaCode(topic.ErrorCode, topic.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}
