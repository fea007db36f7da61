package kafkatools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const logDirsAbout = "This tool helps to query log directory usage on the specified brokers."

func logDirsMain(ctx context.Context, w *World, args []string) int {
	t := newJoptTool(nil, nil)
	describe := t.Accepts("describe", "Describe the log directories of brokers.")
	topics := t.Accepts("topic-list", "Topics, with commas between; without it, all of them.").Arg("String: Topic list").Default("")
	brokers := t.Accepts("broker-list", "Ids of brokers, with commas between; without it, all of them.").Arg("String: Broker list").Default("")
	s, err := t.Parse(args)
	if err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, s, logDirsAbout); done {
		return exit
	}
	all, err := t.wants(s, describe)
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if err := describeLogDirs(ctx, w, s, all, topics, brokers); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

// listOf is an option that holds a list with commas between, without its empty words.
func listOf(s *jopt.Set, o *jopt.Option) ([]string, error) {
	v, err := s.Value(o)
	return slices.DeleteFunc(strings.Split(v, ","), func(w string) bool { return w == "" }), err
}

func describeLogDirs(ctx context.Context, w *World, s *jopt.Set, all settings, topics, brokers *jopt.Option) error {
	wanted, err := listOf(s, topics)
	if err != nil {
		return err
	}
	words, err := listOf(s, brokers)
	if err != nil {
		return err
	}
	var asked []int32
	for _, word := range words {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return fmt.Errorf("For input string: %q", word)
		}
		asked = append(asked, int32(n))
	}
	c, err := open(all)
	if err != nil {
		return err
	}
	defer c.Close()
	nodes, err := c.nodes(ctx)
	if err != nil {
		return err
	}
	var there []int32
	for _, n := range nodes {
		there = append(there, n.id)
	}
	existing := there
	if asked != nil {
		existing = asked
		if missing := slices.DeleteFunc(slices.Clone(asked), func(n int32) bool { return slices.Contains(there, n) }); len(missing) > 0 {
			return fmt.Errorf("ERROR: The given brokers do not exist from --broker-list: %s. Current existent brokers: %s", joinInts(missing, ","), joinInts(there, ","))
		}
	}
	slices.Sort(existing)
	existing = java.HashOrder(slices.Compact(existing), java.HashInt)
	w.println("Querying brokers for log directories information")
	var found []any
	for _, id := range existing {
		dirs, err := c.logDirs(ctx, id, wanted)
		if err != nil {
			return err
		}
		found = append(found, javaObject{{"broker", id}, {"logDirs", dirs}})
	}
	text, err := json.Marshal(javaObject{{"version", 1}, {"brokers", found}})
	if err != nil {
		return err
	}
	w.println("Received log directory information from brokers " + joinInts(existing, ","))
	w.println(string(text))
	return nil
}

// logDirs are the directories of a broker, with the partitions of topics, or of all.
func (c *client) logDirs(ctx context.Context, broker int32, topics []string) ([]any, error) {
	resp, err := askNode[*kmsg.DescribeLogDirsResponse](ctx, c, broker, "describeLogDirs", kmsg.NewPtrDescribeLogDirsRequest())
	if err != nil {
		return nil, err
	}
	if err := javaCode(resp.ErrorCode, nil); err != nil {
		return nil, err
	}
	all := []any{}
	dirs := java.HashOrderSized(resp.Dirs, len(resp.Dirs), func(d kmsg.DescribeLogDirsResponseDir) int32 { return java.HashString(d.Dir) })
	for _, d := range dirs {
		var class any
		var e *javaError
		if errors.As(javaCode(d.ErrorCode, nil), &e) {
			class = "org.apache.kafka.common.errors." + e.class
		}
		all = append(all, javaObject{{"logDir", d.Dir}, {"error", class}, {"partitions", replicasOf(d, topics)}})
	}
	return all, nil
}

func replicasOf(d kmsg.DescribeLogDirsResponseDir, topics []string) []any {
	type replica struct {
		kafka.TopicPartition
		kmsg.DescribeLogDirsResponseDirTopicPartition
	}
	hash := func(r replica) int32 { return hashPartition(r.TopicPartition) }
	var replicas []replica
	for _, t := range d.Topics {
		for _, p := range t.Partitions {
			replicas = append(replicas, replica{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, p})
		}
	}
	replicas = slices.DeleteFunc(java.HashOrder(replicas, hash), func(r replica) bool {
		return len(topics) > 0 && !slices.Contains(topics, r.TopicPartition.Topic)
	})
	all := []any{}
	for _, r := range java.HashOrder(replicas, hash) {
		all = append(all, javaObject{{"partition", r.TopicPartition.String()}, {"size", r.Size}, {"offsetLag", r.OffsetLag}, {"isFuture", r.IsFuture}})
	}
	return all
}

// javaObject is a JSON object whose members come in the order of Java's HashMap.
type javaObject []javaMember

type javaMember struct {
	name  string
	value any
}

// MarshalJSON writes the members in that order, and leaves <, > and & as they are.
func (o javaObject) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, m := range java.HashOrder(o, func(m javaMember) int32 { return java.HashString(m.name) }) {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := enc.Encode(m.name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
